/** Finding the storage slot behind what a token contract reports, by watching it answer. */
import {
  type Bytes,
  bigIntToBytes,
  bytesToBigInt,
  concatBytes,
  padBytes,
} from "../src/primitives/bytes.ts";
import { type Address, type Hash, hexToBytes } from "../src/primitives/hex.ts";
import { runCall } from "./callMessage.ts";
import type { CallRequest } from "./callRequest.ts";
import { type CallSite, callTarget } from "./callTarget.ts";
import type { RpcContext } from "./context.ts";
import { RpcError } from "./errors.ts";
import { devOf } from "./signer.ts";
import { TimeBudget } from "./timeBudget.ts";

const WORD_BYTES = 32;
/** balanceOf(address) */
const BALANCE_OF = Uint8Array.of(0x70, 0xa0, 0x82, 0x31);
/** allowance(address,address) */
const ALLOWANCE = Uint8Array.of(0xdd, 0x62, 0xed, 0x3e);
/** Slots that are tried: a token that reads more to answer is not understood. */
const MAX_SLOTS = 64;

function question(token: Address, selector: Bytes, ...subjects: readonly Address[]): CallRequest {
  const words = subjects.map((subject) => padBytes(hexToBytes(subject), WORD_BYTES));
  return { ...NO_FIELDS, to: token, data: concatBytes(selector, ...words) };
}

const NO_FIELDS: CallRequest = {
  type: undefined,
  chainId: undefined,
  from: undefined,
  to: undefined,
  gas: undefined,
  gasPrice: undefined,
  maxFeePerGas: undefined,
  maxPriorityFeePerGas: undefined,
  value: undefined,
  nonce: undefined,
  data: undefined,
  accessList: undefined,
  maxFeePerBlobGas: undefined,
  blobVersionedHashes: undefined,
  authorizationList: undefined,
  pqSender: undefined,
};

/** A question to a contract: where it is asked, and the time for this and all that follow. */
interface Inquiry {
  readonly site: CallSite;
  readonly request: CallRequest;
  readonly gasCap: bigint;
  readonly time: TimeBudget;
}

interface Place {
  readonly holder: Address;
  readonly slot: Hash;
}

/** Slots read for an answer, wherever they are: proxies keep them elsewhere. */
async function slotsRead({ site, request, gasCap, time }: Inquiry): Promise<readonly Place[]> {
  const { accessList = [] } = await runCall(site, request, gasCap, {
    reportAccessList: true,
    time,
  });
  return accessList
    .flatMap(({ address, storageKeys }) =>
      storageKeys.map((slot): Place => ({ holder: address, slot })),
    )
    .slice(0, MAX_SLOTS);
}

/** Whether the contract answers `amount` once `place` holds it. */
async function answers(
  { site, request, gasCap, time }: Inquiry,
  { holder, slot }: Place,
  amount: bigint,
): Promise<boolean> {
  const state = site.state.copy();
  state.setSlot(holder, slot, bigIntToBytes(amount));
  const { failure, returnData } = await runCall({ ...site, state }, request, gasCap, { time });
  return (
    failure === undefined &&
    returnData.length === WORD_BYTES &&
    bytesToBigInt(returnData) === amount
  );
}

async function setAnswer(context: RpcContext, request: CallRequest, amount: bigint): Promise<void> {
  const { gasCap, evmTimeoutMs } = context.limits;
  const site = await callTarget(context, "latest");
  const inquiry: Inquiry = { site, request, gasCap, time: new TimeBudget(evmTimeoutMs) };
  for (const place of await slotsRead(inquiry)) {
    // a flag or a total may hold the wished number by chance: another number must come back as well
    const other = amount ^ 0x5aa5n;
    const found = (await answers(inquiry, place, other)) && (await answers(inquiry, place, amount));
    if (!found) continue;
    const { holder, slot } = place;
    await devOf(context).edit((state) => state.setSlot(holder, slot, bigIntToBytes(amount)), []);
    return;
  }
  throw new RpcError({
    code: "REFUSED",
    text: `no storage slot of ${request.to} decides the answer`,
  });
}

/** Makes `token` report `amount` as the balance of `owner`. Throws RpcError when no slot decides it. */
export function setTokenBalance(
  context: RpcContext,
  subject: { readonly token: Address; readonly owner: Address },
  amount: bigint,
): Promise<void> {
  return setAnswer(context, question(subject.token, BALANCE_OF, subject.owner), amount);
}

/** Makes `token` report `amount` as what `spender` may take from `owner`. Throws RpcError when no slot decides it. */
export function setAllowance(
  context: RpcContext,
  subject: { readonly token: Address; readonly owner: Address; readonly spender: Address },
  amount: bigint,
): Promise<void> {
  const { token, owner, spender } = subject;
  return setAnswer(context, question(token, ALLOWANCE, owner, spender), amount);
}
