/** A chain of final macro headers with real keys, whose validator sets change as a test wishes. */

import type { LightBlock, LightNetwork } from "../../src/consensus/light.ts";
import { MlDsaKey } from "../../src/crypto/mlDsaKey.ts";
import type { PqVerifier } from "../../src/crypto/pqVerifier.ts";
import type { Bytes } from "../../src/primitives/bytes.ts";
import { bigIntToHash, type Hash, ZERO_HASH } from "../../src/primitives/hex.ts";
import { makeAckQC } from "../../src/types/certificate.ts";
import { consensusMessage, MESSAGE_KIND } from "../../src/types/consensusMessage.ts";
import { hashMacroHeader, type MacroHeader } from "../../src/types/macroHeader.ts";
import { hashValidators, type Member, type Members } from "../../src/types/validatorSet.ts";
import { encodeAck, type SignedAck } from "../../src/types/vote.ts";

const keyCache = new Map<number, MlDsaKey>();

/** The same key for the same number. */
export function keyNumber(number: number): MlDsaKey {
  let key = keyCache.get(number);
  if (key === undefined) {
    const seed = new Uint8Array(32);
    new DataView(seed.buffer).setUint32(0, number + 1);
    key = new MlDsaKey(seed);
    keyCache.set(number, key);
  }
  return key;
}

/** A member outside a hand-off whose id is its key's number. */
export function member(id: number, stake = 10n, key = id): Member {
  return { id, stakeOld: stake, stakeNew: stake, keyHash: keyNumber(key).keyHash };
}

export function networkOf(verifier: Pick<PqVerifier, "verify">, trustPeriodMs = 0): LightNetwork {
  return { chainId: 31_337n, salt: bigIntToHash(0x11n), trustPeriodMs, verifier };
}

/** Signs a header as final with these keys, by member id; a key's number is its member's id unless given. */
export async function certify(
  network: LightNetwork,
  header: MacroHeader,
  members: Members,
  signers: ReadonlyMap<number, number>,
): Promise<LightBlock> {
  const macroHash = hashMacroHeader(header);
  const acks = new Map<number, SignedAck>();
  const keys = new Map<Hash, Bytes>();
  for (const [validator, key] of signers) {
    const ack = { validator, epoch: header.epoch, macroHash };
    const message = consensusMessage(network, MESSAGE_KIND.ack, encodeAck(ack));
    acks.set(validator, { ack, signature: await keyNumber(key).sign(message) });
    keys.set(keyNumber(key).keyHash, keyNumber(key).publicKey);
  }
  return { header, certificate: makeAckQC(members, acks), validators: { members, keys } };
}

/** Headers 0.. of a chain; `setOf` says who is in cfg(epoch). */
export function headersOf(epochs: number, setOf: (epoch: number) => Members): MacroHeader[] {
  const headers: MacroHeader[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const before = headers.at(-1);
    headers.push({
      epoch,
      parentMacroHash: before === undefined ? ZERO_HASH : hashMacroHeader(before),
      firstNumber: Math.max(0, 90 * (epoch - 1) + 1),
      lastNumber: 90 * epoch,
      lastBlockHash: bigIntToHash(BigInt(epoch)),
      stateRoot: bigIntToHash(BigInt(epoch)),
      microRoot: bigIntToHash(BigInt(epoch)),
      timeMs: epoch * 90_000,
      mix: ZERO_HASH,
      finalizedEpoch: Math.max(0, epoch - 2),
      handoff: 0,
      validatorsHash: hashValidators(setOf(epoch)),
      nextValidatorsHash: hashValidators(setOf(epoch + 1)),
      afterNextValidatorsHash: hashValidators(setOf(epoch + 2)),
      summaryHash: ZERO_HASH,
    });
  }
  return headers;
}
