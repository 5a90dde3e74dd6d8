/** A thread of a campaign: a seed in, its result out. */
import { parentPort } from "node:worker_threads";
import { type CampaignRun, runSeed } from "./campaign.ts";

parentPort?.on("message", (run: CampaignRun) => {
  parentPort?.postMessage(runSeed(run));
});
