/**
 * `qnet-node/sdk`: accounts with ML-DSA keys for viem, in browsers and scripts.
 *
 *     const account = mnemonicToQuantumAccount("test test …");
 *     const wallet = createWalletClient({ account, chain: qnetDevnet, transport: http() });
 *     await wallet.sendTransaction({ to, value });
 *
 * For ethers see ./ethers, for Hardhat ./hardhat.
 */
// biome-ignore-start lint/performance/noBarrelFile: the entry of a published package is a list of what it offers
export {
  isQuantumAccount,
  mnemonicToQuantumAccount,
  type QuantumAccount,
  type SignedMessage,
  seedToAccount,
  signerToAccount,
  verifyQuantumDigest,
  verifyQuantumMessage,
} from "./account.ts";
export { algorithmById, MLDSA_ALGORITHMS, type MlDsaAlgorithm, SEED_BYTES } from "./algorithms.ts";
export { qnetDevnet, qnetMainnet, qnetTestnet, withQuantumTransactions } from "./chain.ts";
export { type DerivationOptions, seedFromBip39Seed, seedFromMnemonic } from "./derive.ts";
export {
  type BlockInclusion,
  type FinalityProof,
  type FinalityValidator,
  hashValidators,
  type MacroHeader,
  type ProvenAccount,
  type QnetNetwork,
  verifyAccount,
  verifyBlock,
  verifyFinality,
} from "./finality.ts";
export { QUANTUM_TYPE_NAME } from "./formatters.ts";
export {
  addressOfKey,
  MESSAGE_CONTEXT,
  type MlDsaSigner,
  type SigningContext,
  signerFromSeed,
  TRANSACTION_CONTEXT,
  verifyDigest,
} from "./keyPair.ts";
export { fillQuantumTransaction, sendQuantumTransaction } from "./send.ts";
export {
  MAX_TRANSACTION_BYTES,
  parseQuantumTransaction,
  QUANTUM_TYPE,
  type QuantumTransaction,
  type SignedQuantumTransaction,
  signQuantumTransaction,
  transactionDigest,
} from "./transaction.ts";
export { ProofError } from "./trieProof.ts";
// biome-ignore-end lint/performance/noBarrelFile: the entry of a published package is a list of what it offers
