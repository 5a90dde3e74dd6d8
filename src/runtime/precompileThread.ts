/** A worker for long precompiles: answers one call after the other. Started by precompileWorker.ts only. */
import { parentPort } from "node:worker_threads";
import { libraryPrecompiles, type PrecompileSet } from "../execution/precompiles/active.ts";
import type { OffloadedCall, PrecompileRules } from "../execution/precompiles/offload.ts";
import { assert } from "../primitives/errors.ts";

const port = parentPort;
assert(port !== null, "precompileThread.ts runs as a worker thread");

const sets = new Map<string, PrecompileSet>();

function setFor(rules: PrecompileRules): PrecompileSet {
  const key = `${rules.fork}:${rules.chainId}`;
  let set = sets.get(key);
  if (set === undefined) {
    set = libraryPrecompiles(rules);
    sets.set(key, set);
  }
  return set;
}

async function answer({ rules, address, input, gas }: OffloadedCall) {
  const call = setFor(rules).get(address);
  assert(call !== undefined, "only calls of precompiles that the fork has are sent here");
  return { answer: await call(input, gas) };
}

port.on("message", (call: OffloadedCall) => {
  answer(call).then(
    (reply) => port.postMessage(reply),
    (error: unknown) => port.postMessage({ problem: String(error) }),
  );
});
