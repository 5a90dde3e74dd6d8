import assert from "node:assert/strict";
import {
  createPublicClient,
  createWalletClient,
  http,
  type PublicClient,
  type WatchBlocksReturnType,
  webSocket,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { compileContract } from "../support/compile.ts";
import { type DevProcess, keys, startDevProcess } from "../support/devProcess.ts";
import { tokenAbi, transferEvent } from "../support/sampleToken.ts";

const FILE_TIMEOUT_MS = 30_000;
const EVENT_TIMEOUT_MS = 5_000;
const POLLING_MS = 50;
const stranger = "0x000000000000000000000000000000000003a7c4";

/** What both transports have. */
type Watch = "watchBlocks" | "watchContractEvent" | "watchEvent" | "watchPendingTransactions";

/** First value that `watch` reports after `act`; ends the watch. */
async function watched<T>(
  watch: (report: (value: T) => void, fail: (error: Error) => void) => WatchBlocksReturnType,
  act: () => Promise<unknown>,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => reject(new Error("no event")), EVENT_TIMEOUT_MS);
  const stop = watch(resolve, reject);
  try {
    // viem does not tell when its filter or subscription stands
    await new Promise((ready) => setTimeout(ready, 4 * POLLING_MS));
    await act();
    return await promise;
  } finally {
    clearTimeout(timer);
    stop();
  }
}

/** A wallet, a client that polls, and a client of a WebSocket with its end. */
function connect(node: DevProcess) {
  const options = {
    chain: foundry,
    transport: http(node.url),
    pollingInterval: POLLING_MS,
    cacheTime: 0,
  } as const;
  const transport = webSocket(node.wsUrl, { reconnect: false, keepAlive: false });
  const socket = createPublicClient({ chain: foundry, transport });
  return {
    wallet: createWalletClient({ ...options, account: privateKeyToAccount(keys[0]) }),
    http: createPublicClient(options),
    ws: socket,
    close: async () => (await socket.transport.getRpcClient()).close(),
  };
}

describe("viem's watchers", function () {
  this.timeout(FILE_TIMEOUT_MS);
  let node: DevProcess;
  let clients: ReturnType<typeof connect>;
  let token: `0x${string}`;

  before(async () => {
    node = await startDevProcess();
    clients = connect(node);
    const { bytecode } = await compileContract("contracts/samples/SampleToken.sol");
    const hash = await clients.wallet.deployContract({
      abi: tokenAbi,
      bytecode,
      args: [10n ** 21n],
    });
    const receipt = await clients.http.waitForTransactionReceipt({ hash });
    assert.ok(receipt.contractAddress);
    token = receipt.contractAddress;
  });
  after(async () => {
    await clients.close();
    await node[Symbol.asyncDispose]();
  });

  const transfer = async (value: bigint) => {
    const call = { abi: tokenAbi, address: token, functionName: "transfer" } as const;
    const hash = await clients.wallet.writeContract({ ...call, args: [stranger, value] });
    return clients.http.waitForTransactionReceipt({ hash });
  };

  for (const kind of ["http", "ws"] as const) {
    describe(`over ${kind}`, () => {
      let watcher: Pick<PublicClient, Watch>;

      before(() => {
        watcher = clients[kind];
      });

      it("sees blocks", async () => {
        const start = await clients.http.getBlockNumber();
        const seen = await watched<bigint | null>(
          (report, onError) =>
            watcher.watchBlocks({ onBlock: ({ number }) => report(number), onError }),
          () => transfer(1n),
        );
        assert.ok(seen === start || seen === start + 1n);
      });

      it("sees events of a contract", async () => {
        const seen = await watched<bigint | undefined>(
          (report, onError) =>
            watcher.watchContractEvent({
              abi: tokenAbi,
              address: token,
              eventName: "Transfer",
              args: { to: stranger },
              onLogs: ([log]) => report(log?.args.value),
              onError,
            }),
          () => transfer(17n),
        );
        assert.equal(seen, 17n);
      });

      it("sees events of any contract", async () => {
        const seen = await watched<bigint | undefined>(
          (report, onError) =>
            watcher.watchEvent({
              event: transferEvent,
              onLogs: ([log]) => report(log?.args.value),
              onError,
            }),
          () => transfer(19n),
        );
        assert.equal(seen, 19n);
      });

      it("sees pending transactions", async () => {
        let sent = "";
        const seen = await watched<string | undefined>(
          (report, onError) =>
            watcher.watchPendingTransactions({ onTransactions: ([hash]) => report(hash), onError }),
          async () => {
            sent = (await transfer(1n)).transactionHash;
          },
        );
        assert.equal(seen, sent);
      });
    });
  }
});
