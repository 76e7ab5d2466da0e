/** How much processor time has a server used, and how much went to programs that have no part in the bench? */
import { readdirSync, readFileSync } from 'node:fs';

/** Seconds in user and kernel mode, so far; only differences mean anything. */
export interface CpuSample {
  /** The server with its threads and child processes. */
  readonly server: number;
  /** Neither the server nor this process; on a virtual machine also what its host took away. */
  readonly others: number;
}

/** The unit of /proc: sysconf(_SC_CLK_TCK), which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Zeros where there is no /proc. */
export function cpuSample(serverPid: number): CpuSample {
  if (process.platform !== 'linux') return { server: 0, others: 0 };
  const server = cpuSecondsOf(serverPid);
  const own = process.cpuUsage();
  return { server, others: machineSeconds() - server - (own.user + own.system) / 1e6 };
}

function cpuSecondsOf(pid: number): number {
  try {
    // The name of the program stands in parentheses and may hold blanks; utime and stime are the 12th and 13th field after it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    const own = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    return childrenOf(pid).reduce((sum, child) => sum + cpuSecondsOf(child), own);
  } catch {
    return 0;
  }
}

export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

/** Everything but waiting: user, nice, system, interrupts and stolen time of all processors. */
function machineSeconds(): number {
  const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number) as [number, number, number, number, number, number, number, number];
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}
