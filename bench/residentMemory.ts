/** What a process has resident, as Linux counts it. */
import { readFileSync } from "node:fs";
import { getHeapStatistics } from "node:v8";

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

/** What this process has for itself, in MiB. */
export interface OwnMib {
  /** Heaps, stacks, buffers */
  readonly anonymous: number;
  /** Of it: V8's heap, garbage that waits for its collection included */
  readonly heap: number;
  /** Of V8's heap: objects, dead ones included until they are collected */
  readonly objects: number;
  /** Outside of V8's heap: contents of ArrayBuffers */
  readonly buffers: number;
}

export function ownMib(): OwnMib {
  const mib = (bytes: number) => Math.round(bytes / 2 ** 20);
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return {
    anonymous: residentMib("self").anonymous,
    heap: mib(getHeapStatistics().total_physical_size),
    objects: mib(heapUsed),
    buffers: mib(arrayBuffers),
  };
}

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
