/** How much memory does a program hold, with its workers? */
import { readFileSync } from 'node:fs';
import { childrenOf } from '../lib/process-cpu.ts';

/** Bytes, what several processes share counted once; NaN where there is no /proc. */
export function memoryBytes(pid: number): number {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return childrenOf(pid).reduce((sum, child) => sum + memoryBytes(child), Number(kilobytes) * 1024);
  } catch {
    return Number.NaN;
  }
}
