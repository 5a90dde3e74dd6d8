/** Random transactions of every type, for property tests. */
import fc from "fast-check";
import { EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import { bigIntToHash, bytesToAddress, bytesToHash } from "../../src/primitives/hex.ts";
import type {
  AccessListItem,
  Authorization,
  TransactionFields,
} from "../../src/types/transaction.ts";

/** Key of the first development account. */
export const TEST_KEY = Uint8Array.from(
  Buffer.from("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", "hex"),
);
export const TEST_ADDRESS = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";

export const addresses = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(bytesToAddress);
export const hashes = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHash);
const uint = (bits: number) => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n });
const small = fc.bigInt({ min: 0n, max: 300n });
const amounts = fc.oneof(small, uint(90), uint(256));
/** Above 2^53 - 1 too: such chain ids exist. */
const chainIds = fc.oneof(fc.constantFrom(1n, 31_337n, 3_503_995_874_084_926n), small, uint(64));

const accessLists: fc.Arbitrary<readonly AccessListItem[]> = fc.array(
  fc.record(
    { address: addresses, storageKeys: fc.array(hashes, { maxLength: 3 }) },
    { noNullPrototype: true },
  ),
  { maxLength: 3 },
);
const authorizations: fc.Arbitrary<readonly Authorization[]> = fc.array(
  fc.record(
    {
      chainId: chainIds,
      address: addresses,
      nonce: uint(64),
      yParity: fc.bigInt({ min: 0n, max: 1n }),
      r: uint(256),
      s: uint(255),
    },
    { noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 3 },
);
const blobHashes = fc.array(
  uint(248).map((rest) => bigIntToHash(2n ** 248n + rest)),
  { minLength: 1, maxLength: 6 },
);

/** A blob hash of the one known version. */
export const BLOB_HASH = bigIntToHash(2n ** 248n + 7n);

/** A transaction that says as little as it can. */
export const PLAIN_FIELDS: TransactionFields = {
  type: 0,
  chainId: 1n,
  nonce: 0n,
  maxFeePerGas: 1n,
  maxPriorityFeePerGas: 1n,
  gasLimit: 21_000n,
  to: bytesToAddress(new Uint8Array(20).fill(0x11)),
  value: 0n,
  data: EMPTY_BYTES,
  accessList: [],
  maxFeePerBlobGas: 0n,
  blobVersionedHashes: [],
  authorizationList: [],
};

/** Valid fields of one type; what the type does not have stays neutral. */
export function fieldsOf(type: number): fc.Arbitrary<TransactionFields> {
  const recipients = type >= 3 ? addresses : fc.option(addresses, { nil: undefined });
  const common = fc.record({
    chainId: type === 0 ? fc.option(chainIds, { nil: undefined }) : chainIds,
    nonce: fc.oneof(
      small,
      uint(64).map((nonce) => nonce - (nonce === 2n ** 64n - 1n ? 1n : 0n)),
    ),
    prices: fc.tuple(amounts, amounts),
    gasLimit: uint(64),
    to: recipients,
    value: amounts,
    data: fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 300 })),
    accessList: type >= 1 ? accessLists : fc.constant([]),
    maxFeePerBlobGas: type === 3 ? amounts : fc.constant(0n),
    blobVersionedHashes: type === 3 ? blobHashes : fc.constant([]),
    authorizationList: type === 4 ? authorizations : fc.constant([]),
  });
  return common.map(({ prices: [a, b], ...fields }) => {
    const [low, high] = a < b ? [a, b] : [b, a];
    return {
      ...PLAIN_FIELDS,
      ...fields,
      type,
      maxFeePerGas: high,
      maxPriorityFeePerGas: type <= 1 ? high : low,
    };
  });
}

/** Valid fields of any type. */
export const anyFields: fc.Arbitrary<TransactionFields> = fc.oneof(
  ...[0, 1, 2, 3, 4].map(fieldsOf),
);
