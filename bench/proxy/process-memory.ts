/** How much memory does a program hold, with its workers? */
import { readdirSync, readFileSync } from 'node:fs';

/** Bytes, what several processes share counted once; NaN where there is no /proc. */
export function memoryBytes(pid: number): number {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return childrenOf(pid).reduce((sum, child) => sum + memoryBytes(child), Number(kilobytes) * 1024);
  } catch {
    return Number.NaN;
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}
