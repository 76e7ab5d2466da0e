/** How does a server send a file, and what can go wrong with one response that carries it? */
import type { ServerResponse } from 'node:http';

export type Headers = Readonly<Record<string, string>>;

export type Fault =
  /** The connection ends properly for TCP, too early for HTTP. */
  | { readonly cutAfter: number }
  | { readonly flipAt: number }
  | { readonly status: number; readonly headers?: Headers }
  /** Nothing more comes, and the connection stays. */
  | { readonly stallAfter: number }
  /** More comes than the file has. */
  | { readonly extra: number }
  | 'ignore-range'
  | 'wrong-range';

type Kind = 'cutAfter' | 'flipAt' | 'stallAfter' | 'extra';

/** @returns bytes of the file that were handed to the socket */
export function sendFile(
  response: ServerResponse,
  content: Buffer,
  range: string | undefined,
  fault: Fault | undefined,
  headers: Headers,
): number {
  if (typeof fault === 'object' && 'status' in fault) {
    response.writeHead(fault.status, fault.headers).end();
    return 0;
  }
  const of = (kind: Kind) =>
    typeof fault === 'object' && kind in fault ? (fault as Record<Kind, number>)[kind] : undefined;
  const asked = fault === 'ignore-range' ? undefined : /^bytes=(\d+)-$/.exec(range ?? '')?.[1];
  const from = Number(asked ?? 0);
  const { length } = content;
  if (asked !== undefined && from >= length) {
    response.writeHead(416, { 'content-range': `bytes */${length}` }).end();
    return 0;
  }
  const body = Buffer.concat([content.subarray(from), Buffer.alloc(of('extra') ?? 0)]);
  const flipAt = of('flipAt');
  if (flipAt !== undefined) body[flipAt - from]! ^= 1;
  const shown = fault === 'wrong-range' ? 0 : from;
  const partial = asked === undefined ? {} : { 'content-range': `bytes ${shown}-${length - 1}/${length}` };
  response.writeHead(asked === undefined ? 200 : 206, { ...headers, ...partial, 'content-length': body.length });
  const cut = of('cutAfter');
  const sent = body.subarray(0, cut ?? of('stallAfter') ?? body.length);
  if (sent.length === body.length) response.end(sent);
  else {
    response.flushHeaders();
    response.write(sent, () => cut !== undefined && response.socket?.end());
  }
  return response.req.method === 'HEAD' ? 0 : sent.length;
}
