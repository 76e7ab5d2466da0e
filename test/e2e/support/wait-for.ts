/** Until when does a test wait, and what does it say when that never comes? Until a condition holds; else everything that is not as it should be. */
import { setTimeout as delay } from 'node:timers/promises';
import { cluster, isReady } from './cluster.ts';

export interface WaitOptions {
  /** How long at most; three minutes unless given. */
  readonly timeoutMs?: number;
  /** Between two looks. */
  readonly everyMs?: number;
  /** Whose pods, events and logs are shown when it does not come about. */
  readonly namespace?: string;
}

/**
 * Resolves with the condition's answer as soon as that is neither false nor undefined. A condition that throws does not hold yet.
 * @param what in words, such as "three pods are ready"
 * @throws Error after the time, with what was thrown last and the state of the namespace
 */
export async function waitFor<T>(
  what: string,
  condition: () => Promise<T | false | undefined> | T | false | undefined,
  { timeoutMs = 180_000, everyMs = 500, namespace }: WaitOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last = '';
  do {
    try {
      const answer = await condition();
      if (answer !== false && answer !== undefined) return answer;
      last = '';
    } catch (error) {
      last = ` (${error instanceof Error ? error.message : error})`;
    }
    await delay(everyMs);
  } while (performance.now() < deadline);
  const state = namespace === undefined ? '' : `\n${await stateOf(namespace)}`;
  throw new Error(`not within ${timeoutMs / 1000} s: ${what}${last}${state}`);
}

/** What a person would look at: pods, autoscalers, the latest events, and the logs of what is not ready. */
export async function stateOf(namespace: string): Promise<string> {
  const inIt = ['--namespace', namespace];
  const look = async (...args: string[]) => {
    const said = await cluster()
      .kubectl(args, undefined, { timeoutMs: 20_000 })
      .catch((error: Error) => error.message);
    return `--- kubectl ${args.join(' ')}\n${said.trim().split('\n').slice(-40).join('\n')}`;
  };
  const parts = [
    await look('get', 'pods', '--output=wide', ...inIt),
    await look('get', 'latencyautoscalers', '--output=wide', ...inIt),
    await look('get', 'events', '--sort-by=.lastTimestamp', ...inIt),
  ];
  const pods = await cluster()
    .pods(namespace)
    .catch(() => []);
  for (const pod of pods.filter((pod) => !isReady(pod) && pod.status.phase !== 'Succeeded').slice(0, 4)) {
    const of = [pod.metadata.name, ...inIt];
    parts.push(await look('logs', '--all-containers', '--tail=15', '--prefix', ...of));
    if (pod.status.containerStatuses?.some(({ restartCount }) => restartCount > 0))
      parts.push(await look('logs', '--all-containers', '--tail=15', '--previous', ...of));
  }
  return parts.join('\n');
}
