/** Where did the time of a request go, by the server's own account? https://www.w3.org/TR/server-timing/ */

/** What a pod reports of an answer, in the order in which it happens, and what the proxy adds. */
export const PARTS = ['queue', 'embed', 'retrieve', 'prefill', 'decode', 'total', 'proxy-wait'] as const;

export type Part = (typeof PARTS)[number];

/** `queue;dur=0.1, embed;dur=2.3` as milliseconds by name; what is no part of an answer is left out. */
export function parseServerTiming(header: string | undefined): Partial<Record<Part, number>> {
  const times: Partial<Record<Part, number>> = {};
  for (const entry of (header ?? '').split(',')) {
    const [name = '', ...parameters] = entry.split(';').map((text) => text.trim());
    const duration = parameters.find((parameter) => parameter.startsWith('dur='))?.slice('dur='.length);
    const ms = Number(duration);
    if (isPart(name) && duration !== undefined && duration !== '' && Number.isFinite(ms)) times[name] = ms;
  }
  return times;
}

export function isPart(name: string): name is Part {
  return (PARTS as readonly string[]).includes(name);
}
