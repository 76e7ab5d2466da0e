/**
 * `delaying-relay.ts PORT TARGET_PORT MILLISECONDS`: what comes at one port of this network goes on to another, later, and so do the answers. On SIGTERM it hurries, closes
 * each connection in a pause of it, and ends.
 */
import { connect, createServer, type Socket } from 'node:net';

const [port, targetPort, delayMs] = process.argv.slice(2).map(Number) as [number, number, number];
/** Nothing came for so long: the last answer was whole. */
const PAUSE_MS = 1_000;
/** Then whoever is left is cut off. */
const PATIENCE_MS = 10_000;

interface Pair {
  readonly client: Socket;
  readonly target: Socket;
  lastFrom: 'client' | 'target';
  lastAt: number;
}

const pairs = new Set<Pair>();
let isEnding = false;

function carry(pair: Pair, from: 'client' | 'target'): void {
  const [source, sink] = from === 'client' ? [pair.client, pair.target] : [pair.target, pair.client];
  const later = (deed: () => void) => setTimeout(deed, isEnding ? 0 : delayMs);
  source.on('data', (bytes) => {
    pair.lastFrom = from;
    pair.lastAt = performance.now();
    later(() => sink.write(bytes));
  });
  source.on('end', () => later(() => sink.end()));
  source.on('error', () => undefined);
  source.on('close', () => {
    later(() => sink.destroy());
    pairs.delete(pair);
  });
}

const server = createServer({ allowHalfOpen: true }, (client) => {
  const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
  const pair: Pair = { client, target, lastFrom: 'target', lastAt: performance.now() };
  pairs.add(pair);
  carry(pair, 'client');
  carry(pair, 'target');
});

server.listen(port, '0.0.0.0', () => process.stdout.write('ready\n'));

process.once('SIGTERM', () => {
  isEnding = true;
  const giveUpAt = performance.now() + PATIENCE_MS;
  setInterval(() => {
    const now = performance.now();
    for (const { client, lastFrom, lastAt } of pairs)
      if (lastFrom === 'target' && now - lastAt > PAUSE_MS) client.destroySoon();
    if (pairs.size === 0 || now > giveUpAt) process.exit(0);
  }, 100);
});
