/** The least a proxy in Node can do: bytes from a client to the next backend in turn, and back. Nothing is watched, retried or counted. */
import { Agent, createServer, request } from 'node:http';

const backends = (process.env.BACKENDS ?? '').split(',').map((origin) => new URL(origin));
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
let turn = 0;

const server = createServer((incoming, outgoing) => {
  const { hostname, port } = backends[turn++ % backends.length]!;
  const { method, url, headers } = incoming;
  const upstream = request({ hostname, port, method, path: url, headers, agent } as const, (response) => {
    outgoing.writeHead(response.statusCode!, response.headers);
    response.pipe(outgoing);
    response.on('error', () => outgoing.destroy());
  });
  upstream.on('error', () => {
    if (outgoing.headersSent) outgoing.destroy();
    else outgoing.writeHead(502).end();
  });
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) upstream.destroy();
  });
  incoming.pipe(upstream);
});
server.keepAliveTimeout = 75_000;
server.listen(Number(process.env.PORT), '127.0.0.1');
