/** What a request says about the post-quantum key of its sender. */
import { pqAddress } from "../src/crypto/pqAccounts.ts";
import { PQ_ALGORITHMS, type PqAlgorithmName, pqAlgorithm } from "../src/crypto/pqAlgorithms.ts";
import { type Bytes, EMPTY_BYTES } from "../src/primitives/bytes.ts";
import type { Address } from "../src/primitives/hex.ts";
import type { PqSender } from "../src/types/transaction.ts";
import { PQ_TYPE } from "../src/types/transactionTypes.ts";
import { type ParamCodec, refuse, refuseValue } from "./codec.ts";

/** The algorithm where a request of type 0x51 names none. */
const DEFAULT_ALGORITHM = "ML-DSA-44";

/** Name of a signature algorithm. */
export const algorithmName: ParamCodec<PqAlgorithmName> = {
  schema: { title: "signature algorithm", type: "string", enum: PQ_ALGORITHMS },
  decode(json, where) {
    const found = PQ_ALGORITHMS.find((name) => name === json);
    return found ?? refuseValue(where, "a signature algorithm such as ML-DSA-44", json);
  },
};

interface PqFields {
  readonly type: bigint | undefined;
  readonly from: Address | undefined;
  readonly pqAlgorithm: PqAlgorithmName | undefined;
  readonly pqPublicKey: Bytes | undefined;
}

/**
 * The key of the sender of a request of type 0x51, or of one that names an algorithm or a key and no type; undefined for
 * others. Throws CodecError where the fields contradict each other.
 */
export function pqSenderOf(
  { type, from, pqAlgorithm: named, pqPublicKey: publicKey = EMPTY_BYTES }: PqFields,
  where: string,
): PqSender | undefined {
  const isNamed = named !== undefined || publicKey.length > 0;
  const isSigned = type === BigInt(PQ_TYPE) || (type === undefined && isNamed);
  if (!isSigned) {
    return isNamed ? refuse(where, "pqAlgorithm and pqPublicKey belong to type 0x51") : undefined;
  }
  const algorithm = pqAlgorithm(named ?? DEFAULT_ALGORITHM);
  const { length } = publicKey;
  if (length > 0) {
    const want = algorithm.publicKeyBytes;
    if (length !== want) refuse(`${where}.pqPublicKey`, `expected ${want} bytes, got ${length}`);
    const derived = pqAddress(algorithm.name, publicKey);
    if (from !== undefined && from !== derived) {
      refuse(`${where}.from`, `${from} is not the address of pqPublicKey, ${derived}`);
    }
  }
  return { algorithm, publicKey };
}
