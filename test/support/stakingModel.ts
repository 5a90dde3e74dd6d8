/**
 * The staking contract once more, in plain TypeScript and without sharing its tricks: what each call must do or say. The fuzz
 * test compares the two after every call. Amounts in gwei.
 */
import type { ValidatorStatus } from "../../src/chain/stakingState.ts";
import type { EpochSummary } from "../../src/types/epochSummary.ts";

export interface ModelValidator {
  stake: bigint;
  rewards: bigint;
  reputation: number;
  status: ValidatorStatus;
  lastListed: number;
  since: number;
  strikes: number;
  keys: number;
  /** deposits, and what of them was burnt, given to reporters or paid back */
  deposited: bigint;
  lost: bigint;
  paid: bigint;
  guilt: { readonly time: bigint; readonly activeStake: bigint } | undefined;
}

export interface ModelParameters {
  readonly minStake: bigint;
  readonly unbonding: bigint;
  readonly evidenceWindow: bigint;
  readonly genesisTime: bigint;
}

/** Name of the custom error that a call must end in; undefined: it succeeds. */
export type Verdict = string | undefined;

export class StakingModel {
  readonly validators: ModelValidator[] = [];
  readonly #parameters: ModelParameters;
  readonly #epochTimes = new Map<number, bigint>();
  readonly #sealed = new Set<string>();
  readonly #offences: { readonly time: bigint; readonly stake: bigint }[] = [];
  activeStake = 0n;
  epoch = 0;
  frozen = false;
  minted = 0n;
  /** gwei burnt, and given to reporters */
  burnt = 0n;
  rewarded = 0n;
  claimed = 0n;

  constructor(parameters: ModelParameters, stakes: readonly bigint[]) {
    this.#parameters = parameters;
    this.#epochTimes.set(0, parameters.genesisTime);
    for (const stake of stakes) this.register(stake);
    this.activeStake = this.total("stake");
  }

  total(field: "stake" | "rewards"): bigint {
    return this.validators.reduce((sum, one) => sum + one[field], 0n);
  }

  isEligible({ status, stake }: ModelValidator): boolean {
    return status === "registered" && stake >= this.#parameters.minStake;
  }

  register(stake: bigint): Verdict {
    if (stake < this.#parameters.minStake) return "StakeTooSmall";
    this.validators.push({
      stake,
      rewards: 0n,
      reputation: 5000,
      status: "registered",
      lastListed: 0,
      since: 0,
      strikes: 0,
      keys: 1,
      deposited: stake,
      lost: 0n,
      paid: 0n,
      guilt: undefined,
    });
    return undefined;
  }

  topUp(id: number, amount: bigint): Verdict {
    const validator = this.#get(id);
    if (!isStaying(validator)) return "WrongStatus";
    validator.stake += amount;
    validator.deposited += amount;
    return undefined;
  }

  requestExit(id: number): Verdict {
    const validator = this.#get(id);
    if (!isStaying(validator)) return "WrongStatus";
    validator.status = "exiting";
    validator.since = this.epoch;
    return undefined;
  }

  rotateKey(id: number): Verdict {
    const validator = this.#get(id);
    if (!isStaying(validator)) return "WrongStatus";
    validator.keys++;
    return undefined;
  }

  unjail(id: number): Verdict {
    const validator = this.#get(id);
    if (validator.status !== "jailed") return "WrongStatus";
    if (this.epoch < validator.since) return "StillJailed";
    validator.status = "registered";
    validator.since = 0;
    validator.reputation = 2500;
    return undefined;
  }

  claim(id: number): Verdict {
    const validator = this.#get(id);
    if (validator.rewards === 0n) return "NothingToClaim";
    this.claimed += validator.rewards;
    validator.rewards = 0n;
    return undefined;
  }

  withdraw(id: number, now: bigint): Verdict {
    const validator = this.#get(id);
    if (validator.status !== "exiting" && validator.status !== "slashed") return "WrongStatus";
    const free = this.#epochTimes.get(Math.max(validator.lastListed, validator.since) + 1);
    if (free === undefined || free + this.#parameters.unbonding > now) return "StillBonded";
    if (this.frozen) return "FinalityStalled";
    const burnt = this.penalty(validator);
    validator.paid += validator.stake - burnt;
    validator.lost += burnt;
    this.burnt += burnt;
    validator.stake = 0n;
    validator.status = "withdrawn";
    return undefined;
  }

  /** min(100 %, 3 · stake that offended within the window / active stake), of what is left. */
  penalty({ guilt, stake }: ModelValidator): bigint {
    if (guilt === undefined) return 0n;
    const { evidenceWindow } = this.#parameters;
    const near = this.#offences
      .filter(
        ({ time }) => time >= guilt.time - evidenceWindow && time <= guilt.time + evidenceWindow,
      )
      .reduce((sum, one) => sum + one.stake, 0n);
    const penalty = guilt.activeStake === 0n ? stake : (3n * near * stake) / guilt.activeStake;
    return penalty < stake ? penalty : stake;
  }

  slashVotes(id: number, newerEpoch: number, now: bigint): Verdict {
    const validator = this.#get(id);
    if (validator.guilt !== undefined) return "AlreadySlashed";
    const time = this.#epochTimes.get(newerEpoch);
    if (time !== undefined && time + this.#parameters.evidenceWindow < now) return "EvidenceTooOld";
    if (validator.status === "withdrawn") return "WrongStatus";
    validator.guilt = { time: now, activeStake: this.activeStake };
    this.#offences.push({ time: now, stake: validator.stake });
    this.#convict(validator);
    this.#burn(validator, 20n);
    return undefined;
  }

  slashSeals(id: number, slot: number, now: bigint): Verdict {
    const validator = this.#get(id);
    if (validator.status === "slashed") return "AlreadySlashed";
    const { genesisTime, evidenceWindow } = this.#parameters;
    if (genesisTime + BigInt(slot) + evidenceWindow < now) return "EvidenceTooOld";
    if (this.#sealed.has(`${id} ${slot}`)) return "AlreadySlashed";
    if (validator.status === "withdrawn") return "WrongStatus";
    this.#sealed.add(`${id} ${slot}`);
    validator.strikes++;
    if (validator.strikes === 3) this.#convict(validator);
    else if (validator.status !== "exiting") {
      validator.status = "jailed";
      validator.since = this.epoch + 960;
    }
    this.#burn(validator, 100n);
    return undefined;
  }

  endEpoch(summary: EpochSummary, now: bigint): void {
    this.epoch = summary.epoch;
    this.frozen = summary.frozen;
    this.minted += summary.minted;
    let activeStake = 0n;
    for (const row of summary.rows) {
      const validator = this.#get(row.id);
      validator.rewards += row.reward;
      validator.lastListed = summary.epoch;
      if (!summary.frozen) this.#judge(validator, row);
      if (row.voteExpected) activeStake += validator.stake;
    }
    if (activeStake > 0n) this.activeStake = activeStake;
    this.#epochTimes.set(summary.epoch, now);
  }

  #judge(validator: ModelValidator, row: EpochSummary["rows"][number]): void {
    const halves: number[] = [];
    if (row.voteExpected) halves.push(row.voted ? 5000 : 0);
    const due = row.made + row.missed;
    if (due > 0) halves.push(Math.floor((5000 * row.made) / due));
    if (halves.length === 0) return;
    const sum = halves.reduce((total, half) => total + half, 0);
    const duty = halves.length === 1 ? 2 * sum : sum;
    validator.reputation = Math.floor((31 * validator.reputation + duty) / 32);
    if (validator.status === "registered" && validator.reputation < 2000) {
      validator.status = "jailed";
      validator.since = this.epoch + 40;
    }
  }

  #convict(validator: ModelValidator): void {
    validator.status = "slashed";
    validator.since = this.epoch;
  }

  #burn(validator: ModelValidator, share: bigint): void {
    const lost = validator.stake / share;
    validator.stake -= lost;
    validator.lost += lost;
    this.rewarded += lost / 8n;
    this.burnt += lost - lost / 8n;
  }

  #get(id: number): ModelValidator {
    const validator = this.validators[id];
    if (validator === undefined) throw new RangeError(`no validator ${id}`);
    return validator;
  }
}

function isStaying({ status }: ModelValidator): boolean {
  return status === "registered" || status === "jailed";
}
