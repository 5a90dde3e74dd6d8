/** Zod schema of genesis files: the shape of each field. Rules across fields are in genesis.ts and qnetConfig.ts. */
import { z } from "zod";
import { type BlobParameters, FORKS, type ForkName } from "./forks.ts";
import { addressField, bytesField, hashField, quantity } from "./genesisFields.ts";
import { qnetSchema } from "./qnetConfig.ts";

const blobParameters = z
  .looseObject({
    target: quantity(32, "Blobs per block aimed at"),
    max: quantity(32, "Blobs per block at most"),
    baseFeeUpdateFraction: quantity(64, "Divisor of the blob base fee's exponent"),
  })
  .transform(
    ({ target, max, baseFeeUpdateFraction }): BlobParameters => ({
      target,
      max,
      baseFeeUpdateFraction,
    }),
  );
/** Blob parameters by fork name, in any case: fixtures write "Cancun", genesis files "cancun". */
export const blobScheduleSchema = z
  .record(z.string(), blobParameters)
  .transform((record, context) => {
    const schedule = new Map<ForkName, BlobParameters>();
    for (const [key, parameters] of Object.entries(record)) {
      const fork = FORKS.find(({ name, by }) => by === "time" && name === key.toLowerCase())?.name;
      if (fork !== undefined) schedule.set(fork, parameters);
      else context.addIssue({ code: "custom", path: [key], message: "is not a fork with blobs" });
    }
    return schedule;
  });

const forkFields = Object.fromEntries(
  FORKS.filter(({ by }) => by === "block" || by === "time").map(({ key, by }) => [
    key,
    quantity(64, by === "block" ? "Block number" : "Timestamp in seconds").nullish(),
  ]),
);

const configSchema = z.looseObject({
  ...forkFields,
  chainId: quantity(64, "Chain id, 1 to 2^64-1"),
  eip155Block: quantity(64, "Block number; equal to eip158Block").nullish(),
  mergeNetsplitBlock: quantity(64, "Block number; counts in fork identifiers only").nullish(),
  daoForkSupport: z.boolean().nullish(),
  terminalTotalDifficulty: quantity(256, "Total difficulty of the merge").nullish(),
  terminalTotalDifficultyPassed: z.boolean().nullish(),
  depositContractAddress: addressField("Contract whose logs are deposits (EIP-6110)").nullish(),
  blobSchedule: blobScheduleSchema.nullish(),
  qnet: qnetSchema.optional(),
});

const accountSchema = z.looseObject({
  balance: quantity(256, "wei").default(0n),
  nonce: quantity(64, "Transactions sent").nullish(),
  code: bytesField("Code of a contract").nullish(),
  storage: z.record(z.string(), z.string()).nullish(),
});

export const genesisSchema = z
  .looseObject({
    config: configSchema,
    alloc: z.record(z.string(), accountSchema),
    gasLimit: quantity(63, "Gas limit of block 0"),
    difficulty: quantity(256, "Difficulty of block 0").nullish(),
    nonce: quantity(64, "Nonce of block 0").nullish(),
    timestamp: quantity(64, "Time of block 0 in seconds").nullish(),
    extraData: bytesField("Extra data of block 0").nullish(),
    mixHash: hashField("Mix hash or prevRandao of block 0").nullish(),
    coinbase: addressField("Beneficiary of block 0").nullish(),
    number: quantity(64, "Number of block 0").nullish(),
    gasUsed: quantity(64, "Gas used of block 0").nullish(),
    parentHash: hashField("Parent of block 0").nullish(),
    baseFeePerGas: quantity(256, "wei").nullish(),
    excessBlobGas: quantity(64, "Excess blob gas of block 0").nullish(),
    blobGasUsed: quantity(64, "Blob gas used of block 0").nullish(),
  })
  .meta({ title: "Genesis file of a QNet or Ethereum chain" });

export type GenesisFile = z.output<typeof genesisSchema>;
