/** How would a user who knows nginx set it up? As a proxy, and as a backend that costs next to nothing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Command, scratchFolder } from './child.ts';
import { findProgram } from './programs.ts';

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
const CONNECTIONS = 16_384;

export interface NginxProxy {
  readonly name: string;
  readonly port: number;
  readonly backends: readonly string[];
  readonly balance?: 'least_conn';
  /** Tries other backends after whatever went wrong, as far as nginx can. */
  readonly retries?: true;
}

/** One worker, connections to the backends kept, what comes is passed on at once. */
export function nginxProxy({ name, port, backends, balance, retries }: NginxProxy): Command {
  const health = retries ? ' max_fails=1 fail_timeout=1s' : '';
  const servers = backends.map((backend) => `server ${new URL(backend).host}${health};`);
  const upstream = [...(balance === undefined ? [] : [`${balance};`]), ...servers, 'keepalive 64;'];
  const onFailure = retries
    ? `proxy_connect_timeout 1s;
      proxy_next_upstream error timeout http_500 http_502 http_503 http_504 http_429 non_idempotent;
      proxy_next_upstream_tries ${backends.length};`
    : '';
  return nginx(
    name,
    `
    upstream pods { ${upstream.join(' ')} }
    server {
      listen 127.0.0.1:${port} backlog=4096;
      location / {
        proxy_pass http://pods;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_buffering off;
        ${onFailure}
      }
    }`,
  );
}

/** Answers at once with the same bytes on every port, as a pod with plenty of slots would. */
export function nginxBackend(name: string, ports: readonly number[], answer: string): Command {
  return nginx(
    name,
    `
    server {
      ${ports.map((port) => `listen 127.0.0.1:${port};`).join(' ')}
      default_type application/json;
      add_header x-ragscale-slots 256;
      location = /readyz { return 200 '{"status":"ready"}'; }
      location / { return 200 '${answer}'; }
    }`,
  );
}

function nginx(name: string, http: string): Command {
  const folder = path.join(scratchFolder(), name);
  mkdirSync(folder, { recursive: true });
  const configuration = path.join(folder, 'nginx.conf');
  writeFileSync(
    configuration,
    `
  daemon off;
  pid ${folder}/nginx.pid;
  worker_processes 1;
  ${process.getuid?.() === 0 ? 'user root;' : ''}
  error_log stderr error;
  events { worker_connections ${CONNECTIONS}; }
  http {
    access_log off;
    keepalive_requests 1000000;
    ${TEMPORARY.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ')}
    ${http}
  }
`,
  );
  return { command: findProgram('nginx')!, args: ['-p', folder, '-c', configuration, '-e', 'stderr'] };
}
