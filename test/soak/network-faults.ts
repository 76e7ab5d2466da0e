/** How is the network between the proxies and one pod made bad? By rules and a relay in the pod's own network; nobody else notices. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { networkOf, runInNetwork } from './own-processes.ts';

const RELAY = path.join(import.meta.dirname, 'delaying-relay.ts');
const RELAY_PORT = 18_000;
const POD_PORT = '8000';
/** There, and back again. */
const DELAY_MS = 150;

type Undo = () => Promise<void>;

/**
 * @param pid of a process of the pod
 * @param proxies their addresses
 * @param share of the packets that are lost, in each direction
 */
export async function losePackets(pid: number, proxies: readonly string[], share: number): Promise<Undo> {
  const chance = share < 1 ? ['-m', 'statistic', '--mode', 'random', '--probability', String(share)] : [];
  return withRules(
    networkOf(pid),
    'filter',
    proxies.flatMap((proxy) => [
      ['INPUT', '-p', 'tcp', '-s', proxy, '--dport', POD_PORT, ...chance, '-j', 'DROP'],
      ['OUTPUT', '-p', 'tcp', '-d', proxy, '--sport', POD_PORT, ...chance, '-j', 'DROP'],
    ]),
  );
}

/** What was connected before breaks; every new connection is slow. */
export async function slowDown(pid: number, proxies: readonly string[]): Promise<Undo> {
  const relay = await startRelay(pid);
  const rules = proxies.map((proxy) => {
    const from = ['-p', 'tcp', '-s', proxy, '--dport', POD_PORT];
    return ['PREROUTING', ...from, '-j', 'REDIRECT', '--to-ports', String(RELAY_PORT)];
  });
  const removeRules = withRules(networkOf(pid), 'nat', rules);
  return async () => {
    try {
      await removeRules();
    } finally {
      await end(relay);
    }
  };
}

function withRules(network: string, table: string, rules: readonly (readonly string[])[]): Undo {
  const each = (verb: '--append' | '--delete') => {
    for (const rule of rules) runInNetwork(network, ['iptables', '--wait', '--table', table, verb, ...rule]);
  };
  each('--append');
  return async () => each('--delete');
}

async function startRelay(pid: number): Promise<ChildProcess> {
  const program = [process.execPath, RELAY, String(RELAY_PORT), POD_PORT, String(DELAY_MS)];
  const relay = spawn('nsenter', ['--target', String(pid), '--net', '--', ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: relay.stdout as NodeJS.ReadableStream });
  await Promise.race([
    once(lines, 'line'),
    once(relay, 'exit').then(([code]) => {
      throw new Error(`the relay ended with ${code}`);
    }),
  ]);
  return relay;
}

async function end(relay: ChildProcess): Promise<void> {
  if (relay.exitCode !== null || relay.signalCode !== null) return;
  const ended = once(relay, 'exit');
  relay.kill('SIGTERM');
  await ended;
}
