/** Which headers go on, which do not, and which are added. */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type RequestAdditions, requestHeaders, responseHeaders } from './heads.ts';

const ADDITIONS: RequestAdditions = {
  requestId: 'id-1',
  remainingMs: 1_500.2,
  traceparent: undefined,
  tracestate: undefined,
  trustedHops: 0,
  keepsAuthorization: false,
};

/** The head that a pod gets, as lines; @param lines as a client sends them */
function sent(lines: readonly string[], additions: Partial<RequestAdditions> = {}): string[] {
  const request = new IncomingMessage(new Socket());
  request.rawHeaders = lines.flatMap((line) => line.split(/: ?(.*)/s, 2));
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at]!.toLowerCase();
    const before = request.headers[name];
    request.headers[name] =
      before === undefined ? request.rawHeaders[at + 1] : `${before}, ${request.rawHeaders[at + 1]}`;
  }
  const out = requestHeaders(request, { ...ADDITIONS, ...additions });
  return Array.from({ length: out.length / 2 }, (_, index) => `${out[2 * index]}: ${out[2 * index + 1]}`);
}

const OWN = [
  'via: 1.1 ragscale',
  'x-request-id: id-1',
  'x-request-timeout-ms: 1501',
  'x-forwarded-for: unknown',
  'x-forwarded-proto: http',
];

function without(own: readonly string[], ...names: string[]): string[] {
  return own.filter((line) => !names.some((name) => line.startsWith(`${name}:`)));
}

describe('the head that a pod gets', () => {
  it('has what the client sent, in its order and as often, and what the proxy adds', () => {
    expect(sent(['Accept: a', 'X-Twice: 1', 'X-Other: caf\xe9', 'x-twice: 2'])).toEqual([
      'accept: a',
      'x-twice: 1',
      'x-other: caf\xe9',
      'x-twice: 2',
      ...OWN,
    ]);
  });

  it.each([
    'Connection: close',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'Proxy-Authorization: Basic YQ==',
    'Proxy-Authenticate: Basic',
    'TE: trailers',
    'Trailer: X-Checksum',
    'Transfer-Encoding: chunked',
    'Content-Length: 5',
    'Upgrade: websocket',
    'HTTP2-Settings: AAMAAABk',
    'Expect: 100-continue',
    'Forwarded: for=10.0.0.1',
    'X-Forwarded-For: 10.0.0.1',
    'X-Forwarded-Host: elsewhere',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Port: 443',
    'X-Forwarded-Prefix: /admin',
    'X-Real-IP: 10.0.0.1',
    'X-Request-Id: theirs',
    'X-Request-Timeout-Ms: 5',
    'X-Ragscale-Variant: default',
  ])('has nothing of what is of this connection, or the proxy says itself: %s', (line) => {
    expect(sent([line])).toEqual(OWN);
  });

  it.each(['X-Mine', 'x-mine', 'close, X-Mine', 'keep-alive,x-MINE ,other', ', X-Mine,'])(
    'has nothing that the client names in Connection: %s',
    (options) => {
      expect(sent([`Connection: ${options}`, 'X-Mine: 1', 'X-Theirs: 2'])).toEqual(['x-theirs: 2', ...OWN]);
    },
  );

  it('has what the proxy says even if the client names that in Connection', () => {
    expect(sent(['Connection: via, x-request-id, x-forwarded-for, x-request-timeout-ms'])).toEqual(OWN);
  });

  it('says who is in front only as far as those are trusted', () => {
    const lines = [
      'X-Forwarded-For: 10.0.0.1, 10.0.0.2',
      'X-Forwarded-Host: h',
      'X-Forwarded-Proto: https',
      'Host: own',
    ];
    expect(sent(lines)).toEqual([
      'host: own',
      ...without(OWN, 'x-forwarded-proto'),
      'x-forwarded-host: own',
      'x-forwarded-proto: http',
    ]);
    expect(sent(lines, { trustedHops: 1 })).toEqual([
      'host: own',
      ...without(OWN, 'x-forwarded-for', 'x-forwarded-proto'),
      'x-forwarded-for: 10.0.0.2, unknown',
      'x-forwarded-host: h',
      'x-forwarded-proto: https',
    ]);
    expect(sent(lines, { trustedHops: 2 })).toContain('x-forwarded-for: 10.0.0.1, 10.0.0.2, unknown');
    expect(sent(['X-Forwarded-Port: 443'], { trustedHops: 1 })).toContain('x-forwarded-port: 443');
    expect(sent(lines, { trustedHops: 9 })).toContain('x-forwarded-for: 10.0.0.1, 10.0.0.2, unknown');
    expect(sent([], { trustedHops: 1 })).toEqual(OWN);
  });

  it.each(['javascript', 'ftp', 'https, http', ''])(
    'takes no other protocol than the two that there are: %s',
    (proto) => {
      expect(sent([`X-Forwarded-Proto: ${proto}`], { trustedHops: 1 })).toContain('x-forwarded-proto: http');
    },
  );

  it('has Authorization unless that was for the proxy', () => {
    expect(sent(['Authorization: Bearer a'])).toEqual(['authorization: Bearer a', ...OWN]);
    expect(sent(['Authorization: Bearer a'], { keepsAuthorization: true })).toEqual(OWN);
  });

  it('has the trace of the client, or that of the proxy within it', () => {
    const lines = ['Traceparent: 00-a-b-01', 'Tracestate: x=1', 'tracestate: y=2'];
    expect(sent(lines)).toEqual([...OWN, 'traceparent: 00-a-b-01', 'tracestate: x=1, y=2']);
    expect(sent(lines, { traceparent: '00-a-c-01', tracestate: 'x=1' })).toEqual([
      ...OWN,
      'traceparent: 00-a-c-01',
      'tracestate: x=1',
    ]);
    expect(sent(lines, { traceparent: '00-d-c-01' })).toEqual([...OWN, 'traceparent: 00-d-c-01']);
    expect(sent(['Tracestate: x=1'])).toEqual(OWN);
  });

  it('leaves at least a millisecond', () => {
    expect(sent([], { remainingMs: -5 })).toContain('x-request-timeout-ms: 1');
  });
});

describe('the head that a client gets', () => {
  const additions = { requestId: 'id-1', route: 'default', timing: 'proxy-wait;dur=1', closes: false };
  const own = { 'server-timing': 'proxy-wait;dur=1', 'x-request-id': 'id-1', 'x-ragscale-variant': 'default' };

  it('has what the pod said, as often as it said it, and what the proxy adds', () => {
    const said = {
      'content-type': 'text/plain',
      'content-length': '5',
      'set-cookie': ['a=1', 'b=2'],
      'x-it': 'caf\xe9',
    };
    expect(responseHeaders(said, additions)).toEqual({ ...said, ...own });
  });

  it.each([
    'connection',
    'keep-alive',
    'proxy-authenticate',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'x-ragscale-slots',
    'x-request-id',
  ])('has nothing of what is between pod and proxy: %s', (name) => {
    expect(responseHeaders({ [name]: 'close' }, additions)).toEqual(own);
  });

  it('has nothing that the pod names in Connection', () => {
    const said = { connection: 'close, X-Mine', 'x-mine': '1', 'x-theirs': '2' };
    expect(responseHeaders(said, additions)).toEqual({ 'x-theirs': '2', ...own });
  });

  it('goes on with the times of the pod, also where it says something twice', () => {
    expect(responseHeaders({ 'server-timing': 'queue;dur=2' }, additions)).toMatchObject({
      'server-timing': 'queue;dur=2, proxy-wait;dur=1',
    });
    const twice = { 'server-timing': ['a', 'b'], connection: ['x-mine', 'close'], 'x-mine': '1' } as never;
    expect(responseHeaders(twice, additions)).toEqual({ ...own, 'server-timing': 'a,b, proxy-wait;dur=1' });
  });

  it('says that the connection ends, when it does', () => {
    expect(responseHeaders({}, { ...additions, closes: true })).toEqual({ ...own, connection: 'close' });
  });
});
