/**
 * `qnet-node/sdk/hardhat`: a Hardhat 3 plugin that gives a network accounts with ML-DSA keys. They stand first in eth_accounts, so tests,
 * scripts and Ignition deploy from them; what they send is signed here and goes out as type 0x51.
 *
 *     plugins: [toolbox, quantumAccounts],
 *     quantumAccounts: { networks: ["devnet"], mnemonic: "test test …", count: 10 },
 */
import { definePlugin } from "hardhat/plugins";
import type { HardhatPlugin } from "hardhat/types/plugins";
import { MLDSA_ALGORITHMS, type MlDsaAlgorithm } from "./algorithms.ts";
import { seedFromMnemonic } from "./derive.ts";
import { type AccountsConfig, HardhatAccounts } from "./hardhatAccounts.ts";
import { signerFromSeed } from "./keyPair.ts";

const DEFAULT_COUNT = 10;
const MAX_COUNT = 1000;

declare module "hardhat/types/config" {
  interface HardhatUserConfig {
    quantumAccounts?: {
      /** Networks that get the accounts, by their names in `networks`. */
      readonly networks: readonly string[];
      /** BIP-39; `configVariable("…")` keeps it out of the file. */
      readonly mnemonic: SensitiveString;
      /** Default: 10 */
      readonly count?: number;
      /** Default: ML-DSA-44 */
      readonly algorithm?: MlDsaAlgorithm;
    };
  }
  interface HardhatConfig {
    quantumAccounts: AccountsConfig | undefined;
  }
}

export const quantumAccounts: HardhatPlugin = definePlugin({
  id: "qnet-quantum-accounts",
  npmPackage: "qnet-node",
  hookHandlers: {
    config: () =>
      Promise.resolve({
        default: () =>
          Promise.resolve({
            validateUserConfig: ({ quantumAccounts: config }) => {
              const problem = config === undefined ? undefined : problemOf(config);
              return Promise.resolve(
                problem === undefined ? [] : [{ path: ["quantumAccounts"], message: problem }],
              );
            },
            resolveUserConfig: async (user, resolve, next) => {
              const resolved = await next(user, resolve);
              const wanted = user.quantumAccounts;
              if (wanted === undefined) return { ...resolved, quantumAccounts: undefined };
              const { networks, mnemonic, count = DEFAULT_COUNT, algorithm = "ML-DSA-44" } = wanted;
              const secret = resolve(mnemonic);
              const signers = async () => {
                const words = await secret.get();
                return Array.from({ length: count }, (_, index) =>
                  signerFromSeed(seedFromMnemonic(words, { algorithm, index }), algorithm),
                );
              };
              return { ...resolved, quantumAccounts: { networks: [...networks], signers } };
            },
          }),
      }),
    network: () =>
      Promise.resolve({
        default: () => {
          const accounts = new HardhatAccounts();
          return Promise.resolve({
            onRequest: (context, connection, call, next) =>
              accounts.answer(
                context.config.quantumAccounts,
                connection.networkName,
                call,
                (inner) => next(context, connection, inner),
              ),
          });
        },
      }),
  },
});

function problemOf({
  networks,
  count = DEFAULT_COUNT,
  algorithm = "ML-DSA-44",
}: {
  readonly networks: readonly string[];
  readonly count?: number;
  readonly algorithm?: MlDsaAlgorithm;
}): string | undefined {
  if (!Array.isArray(networks) || networks.length === 0)
    return "expected networks: the names of the networks that get the accounts";
  if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT)
    return `expected count from 1 to ${MAX_COUNT}, got ${count}`;
  if (!MLDSA_ALGORITHMS.includes(algorithm))
    return `expected algorithm as one of ${MLDSA_ALGORITHMS.join(", ")}, got ${algorithm}`;
  return undefined;
}
