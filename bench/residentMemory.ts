/** What a process has resident, as Linux counts it. */
import { readFileSync } from "node:fs";

/** Peaks in MiB; the parts may have theirs at different times. */
export interface ResidentMib {
  /** Of all, by the kernel's own record */
  readonly peak: number;
  /** Heaps, stacks, buffers */
  readonly anonymous: number;
  /** Pages of files, which the kernel can drop: the program, and the open tables of LevelDB */
  readonly mapped: number;
}

export const NOTHING_RESIDENT: ResidentMib = { peak: 0, anonymous: 0, mapped: 0 };

/** Nothing for a process that has ended, and where there is no /proc. */
export function residentMib(pid: number | "self"): ResidentMib {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const of = (name: string) =>
      Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) / 1024);
    return { peak: of("VmHWM"), anonymous: of("RssAnon"), mapped: of("RssFile") };
  } catch {
    return NOTHING_RESIDENT;
  }
}

/** The greater of each number. */
export function higher(a: ResidentMib, b: ResidentMib): ResidentMib {
  return {
    peak: Math.max(a.peak, b.peak),
    anonymous: Math.max(a.anonymous, b.anonymous),
    mapped: Math.max(a.mapped, b.mapped),
  };
}
