/**
 * What keeps a cluster apart from the machine? Namespaces of its own for processes, mounts and network. Whatever happens in them ends with
 * their first process: Linux then ends the others, also those that the cluster has lost sight of, and the mounts, links, routes and rules go with them.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { inFolder, type Layout } from './layout.ts';

const PATIENCE_MS = 20_000;

/** Adopts the processes whose parents have ended, and lives until it is killed. */
const FIRST_PROCESS = 'while :; do sleep 86400 & wait; done';

/** Where programs of a node write unless told otherwise: folders of the cluster's own take their place. */
const OWN_FOLDERS = ['/var/lib', '/var/log'];

/** With nothing in them but the folders: no link, no route to anywhere. */
export async function openNamespaces(layout: Layout): Promise<void> {
  const flags = ['--pid', '--fork', '--mount', '--mount-proc', '--net', '--uts'];
  const opener = spawn('unshare', [...flags, 'bash', '-c', FIRST_PROCESS, marker(layout)], {
    cwd: '/',
    detached: true,
    stdio: 'ignore',
  });
  const failed = new Promise<never>((_, reject) => {
    opener.once('error', reject);
    opener.once('exit', (code) =>
      reject(new Error(`no namespaces: unshare ended with ${code}; it has to run as root`)),
    );
  });
  opener.unref();
  await Promise.race([failed, whenOpen(layout)]);
  opener.removeAllListeners().on('error', () => undefined);
  failed.catch(() => undefined);
  for (const folder of OWN_FOLDERS) {
    const own = inFolder(layout, 'folders', folder);
    mkdirSync(own, { recursive: true });
    runIn(layout, ['mount', '--bind', own, folder]);
  }
  // Sockets, locks, and the names of the pods' networks.
  runIn(layout, ['mount', '-t', 'tmpfs', 'tmpfs', '/run']);
  runIn(layout, ['hostname', layout.name]);
}

/** On this machine; undefined while there is none. */
export function firstProcess(layout: Layout): number | undefined {
  return processes().find((pid) => {
    const [program, , , mark] = commandOf(pid);
    // In its own namespace it is number 1: the last of its numbers, from the outermost namespace to the innermost.
    return program === 'bash' && mark === marker(layout) && /^NSpid:.*\t1$/m.test(read(`/proc/${pid}/status`));
  });
}

/** @throws Error when there are none */
export function enter(layout: Layout, command: readonly string[]): [string, ...string[]] {
  const pid = firstProcess(layout);
  if (pid === undefined) throw new Error(`the cluster '${layout.name}' is not up`);
  return ['nsenter', '--target', String(pid), '--pid', '--mount', '--net', '--uts', '--', ...command];
}

/** @returns what it wrote @throws Error with what it wrote to standard error */
export function runIn(layout: Layout, command: readonly [string, ...string[]]): string {
  return run(enter(layout, command));
}

/** In the network of a process, with the files of this machine. */
export function runInNetworkOf(pid: number, command: readonly [string, ...string[]]): string {
  return run(['nsenter', '--target', String(pid), '--net', '--', ...command]);
}

export function run(command: readonly [string, ...string[]], input = ''): string {
  const [program, ...parameters] = command;
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const { status, stdout, stderr, error } = spawnSync(program, parameters, {
    encoding: 'utf8',
    env,
    input,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${error?.message ?? (stderr.trim() || `code ${status}`)}`);
  return stdout;
}

/** Resolves when no process is left in them. */
export async function closeNamespaces(layout: Layout): Promise<void> {
  const pid = firstProcess(layout);
  if (pid === undefined) return;
  process.kill(pid, 'SIGKILL');
  const deadline = performance.now() + PATIENCE_MS;
  // It is there until the last of the others has ended, though without a command.
  while (/^\d+ \(bash\) [^ZX]/.test(read(`/proc/${pid}/stat`))) {
    if (performance.now() > deadline) throw new Error(`processes of the cluster '${layout.name}' do not end`);
    await delay(20);
  }
}

/** The processes of this machine, those in other namespaces among them. */
export function processes(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** Its program and parameters; none when it has ended. */
export function commandOf(pid: number): string[] {
  return read(`/proc/${pid}/cmdline`).split('\0').slice(0, -1);
}

async function whenOpen(layout: Layout): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (firstProcess(layout) === undefined) {
    if (performance.now() > deadline) throw new Error('no namespaces: unshare does not get on');
    await delay(10);
  }
}

function marker(layout: Layout): string {
  return `ragscale-cluster:${layout.name}`;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
