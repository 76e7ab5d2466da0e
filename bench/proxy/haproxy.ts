/** How would a user who knows HAProxy set it up? */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Command, scratchFolder } from './child.ts';
import { findProgram } from './programs.ts';

const CONNECTIONS = 14_000;

export interface HaproxyProxy {
  readonly name: string;
  readonly port: number;
  readonly backends: readonly string[];
  readonly balance: 'roundrobin' | 'leastconn';
  /** Requests that a backend has at once; the rest waits here. */
  readonly maxPerBackend?: number;
  /** Probes the backends and tries others after whatever went wrong. */
  readonly retries?: true;
}

/** One thread, in the foreground, connections to the backends shared by all clients. */
export function haproxy({ name, port, backends, balance, maxPerBackend, retries }: HaproxyProxy): Command {
  const limit = maxPerBackend === undefined ? '' : ` maxconn ${maxPerBackend}`;
  const servers = backends.map((backend, i) => `server pod${i} ${new URL(backend).host}${limit}`);
  const onFailure = [
    'option httpchk GET /readyz',
    'http-check expect status 200',
    'default-server check inter 500ms fall 2 rise 1 observe layer7 on-error mark-down error-limit 3',
    'option redispatch 1',
    'option http-buffer-request',
    'retry-on all-retryable-errors',
    'retries 3',
  ];
  const lines = [
    'global',
    '  nbthread 1',
    `  maxconn ${CONNECTIONS}`,
    // Where fewer files are allowed than it reckons with, it takes what there is.
    '  no strict-limits',
    'defaults',
    '  mode http',
    '  timeout connect 1s',
    '  timeout client 75s',
    '  timeout server 75s',
    '  timeout queue 75s',
    '  timeout http-keep-alive 75s',
    '  http-reuse always',
    // Otherwise it waits up to 200 ms for more of a stream, to fill its packets.
    '  option http-no-delay',
    'frontend public',
    `  bind 127.0.0.1:${port} backlog 4096`,
    '  default_backend pods',
    'backend pods',
    `  balance ${balance}`,
    ...(retries ? onFailure : []).map((line) => `  ${line}`),
    ...servers.map((line) => `  ${line}`),
    '',
  ];
  const configuration = path.join(scratchFolder(), `${name}.cfg`);
  writeFileSync(configuration, lines.join('\n'));
  return { command: findProgram('haproxy')!, args: ['-db', '-f', configuration] };
}
