import { createServer } from 'node:http';
import { KubeConfig } from '@kubernetes/client-node';
import { z } from 'zod';
import { KubernetesClient } from './dist/api-client.js';
const s = createServer((q, r) => r.end('{"a":1}')); await new Promise((r) => s.listen(0, '127.0.0.1', r));
const config = new KubeConfig();
config.loadFromOptions({ clusters: [{ name: 'c', server: `http://127.0.0.1:${s.address().port}`, skipTLSVerify: true }], users: [{ name: 'u', token: 't' }], contexts: [{ name: 'x', cluster: 'c', user: 'u' }], currentContext: 'x' });
const c = new KubernetesClient(config); const schema = z.object({ a: z.number() });
const life = new AbortController();
for (let k = 0; k < 4; k++) {
  const t = performance.now();
  for (let i = 0; i < 100; i++) await Promise.all(Array.from({ length: 100 }, () => c.request('GET', '/x', { schema, signal: AbortSignal.any([life.signal, AbortSignal.timeout(10000)]) })));
  const ms = (performance.now() - t) / 1e4;
  await new Promise((r) => setTimeout(r, 12000)); global.gc(); global.gc();
  console.log(k, (process.memoryUsage().heapUsed / 1e6).toFixed(1), 'MB', ms.toFixed(3), 'ms per request');
}
process.exit();
