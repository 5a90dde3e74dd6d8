/** A network of validators with known keys, quick epochs and funded accounts. */
import { networkText } from "../../cli/genesisFiles.ts";
import { MlDsaKey } from "../../src/crypto/mlDsaKey.ts";
import { signMlDsa } from "../../src/crypto/pqKeys.ts";
import { addressOf } from "../../src/crypto/secp256k1.ts";
import { type Bytes, EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import { type Address, bytesToHex, parseAddress, parseHash } from "../../src/primitives/hex.ts";
import { consensusMessage, keyProofBody, MESSAGE_KIND } from "../../src/types/consensusMessage.ts";
import { type Genesis, parseGenesis } from "../../src/types/genesis.ts";
import { TEST_ADDRESSES } from "./chains.ts";

/** seconds */
export const NETWORK_TIME = 1_700_000_000;
export const STAKE_GWEI = 20_000_000_000_000n;

const FUNDS = `0x${(10n ** 24n).toString(16)}`;
const ROUNDS = { slotMs: 1000, tickMs: 250, minTickGap: 1, epochLength: 8, commitBlocks: 5 };

/** Seed of validator number `index`. */
export function validatorSeedOf(index: number): Bytes {
  return new Uint8Array(32).fill(index + 1);
}

/** ML-DSA key of validator number `index`. */
export function validatorKeyOf(index: number): MlDsaKey {
  return new MlDsaKey(validatorSeedOf(index));
}

/** secp256k1 key of the validator's owner. */
export function ownerKeyOf(index: number): Bytes {
  return new Uint8Array(32).fill(0x40 + index);
}

export function ownerOf(index: number): Address {
  return addressOf(ownerKeyOf(index));
}

/** The proof that `owner` holds validator key number `index`, as the genesis and `register` want it. */
export function keyProofOf(index: number, owner: Address, genesis?: Genesis): Bytes {
  const { chainId, salt, staking } = networkOf(genesis);
  const body = keyProofBody(staking, owner, validatorKeyOf(index).publicKey);
  const message = consensusMessage({ chainId, salt }, MESSAGE_KIND.keyProof, body);
  return signMlDsa("ML-DSA-44", validatorSeedOf(index), message, EMPTY_BYTES);
}

/** Genesis of `count` validators with equal stakes; owners and test accounts have coins. */
export function validatorGenesis(
  count: number,
  consensus: Readonly<Record<string, unknown>> = {},
): Genesis {
  const file = JSON.parse(networkText("devnet"));
  const merged = {
    ...file.config.qnet.consensus,
    ...ROUNDS,
    voteDelaySlots: 1,
    maxActive: 10,
    emptyBlocks: true,
    dev: false,
    ...consensus,
  };
  const indexes = Array.from({ length: count }, (_, index) => index);
  const validators = indexes.map((index) => ({
    owner: ownerOf(index),
    withdrawal: withdrawalOf(index),
    feeRecipient: feeRecipientOf(index),
    stake: String(STAKE_GWEI),
    publicKey: bytesToHex(validatorKeyOf(index).publicKey),
    keyProof: bytesToHex(keyProofOf(index, ownerOf(index))),
  }));
  const contracts = Object.entries<{ code?: string }>(file.alloc).filter(
    ([, { code }]) => code !== undefined,
  );
  const owners = Array.from({ length: 10 }, (_, index) => ownerOf(index));
  const funded = [...owners, ...TEST_ADDRESSES].map((address) => [address, { balance: FUNDS }]);
  return parseGenesis({
    ...file,
    config: { ...file.config, qnet: { ...file.config.qnet, consensus: { ...merged, validators } } },
    timestamp: String(NETWORK_TIME),
    gasLimit: String(merged.gasLimit),
    alloc: Object.fromEntries([...contracts, ...funded]),
  });
}

export function withdrawalOf(index: number): Address {
  return parseAddress(`0x${(0xb0_0000 + index).toString(16).padStart(40, "0")}`);
}

export function feeRecipientOf(index: number): Address {
  return parseAddress(`0x${(0xc0_0000 + index).toString(16).padStart(40, "0")}`);
}

function networkOf(genesis: Genesis | undefined) {
  const consensus = genesis?.config.qnet?.consensus;
  if (genesis !== undefined && consensus !== undefined)
    return { chainId: genesis.config.chainId, ...consensus };
  const { config } = JSON.parse(networkText("devnet"));
  const { salt, staking } = config.qnet.consensus;
  return { chainId: BigInt(config.chainId), salt: parseHash(salt), staking: parseAddress(staking) };
}
