/** What do the fast answers come from? nginx on two ports, so that the proxies and not the backends are measured. */
import { lastingPort } from '../lib/free-port.ts';
import { Child } from './child.ts';
import { nginxBackend } from './nginx.ts';
import { OTHER_PROCESSORS } from './placement.ts';

export const QUESTION = JSON.stringify({ query: 'What does a proxy in front of pods cost?', k: 2 });

const ANSWER = JSON.stringify({
  query: 'What does a proxy in front of pods cost?',
  result: 'Some microseconds of a processor for each request, and some more for each event of a stream. '.repeat(2),
  sources: [{ id: 'document-1', score: 0.5, text: 'A proxy reads a request, picks a pod, and passes on what comes.' }],
});

export interface Backends {
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

export async function startFastBackends(): Promise<Backends> {
  const ports = [await lastingPort(), await lastingPort()];
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const child = await Child.start({
    name: 'backends',
    ...nginxBackend('backends', ports, ANSWER),
    readyUrl: `${urls[0]}/readyz`,
    cpus: OTHER_PROCESSORS,
  });
  return { urls, stop: () => child.stop() };
}
