/** docs/configuration-local.md, rendered from the table of variables. */
import { renderVariables } from '@ragscale/service/environment';
import { VARIABLES } from './configuration.ts';

/** The whole page in Markdown. */
export function renderConfigurationPage(): string {
  return `# Configuration of a local system

\`npm start\` runs the whole system on one computer: the proxy, its pods and the autoscaler, which starts and ends pods as the load asks for it. It is
configured by environment variables. They are checked before anything starts: every bad one is listed with what may stand there, and the process
ends with code 1. An empty variable counts as unset.

${renderVariables(VARIABLES)}

## What the pods and the proxy take

They get the same environment, so all else of [configuration.md](configuration.md) and [configuration-proxy.md](configuration-proxy.md) can be set
too: \`DOCUMENTS=docs SLOTS=8 POLICY=least-request npm start\`. What both have, such as \`MAX_QUEUED_REQUESTS\`, both take. \`HOST\` is the proxy's; pods
are reached through it, and listen on 127.0.0.1. Without effect are what the system sets itself: \`VARIANT\` (\`batched\`), \`BACKENDS\`, \`REGISTRATION\`,
\`PROXIES\`, \`PROXY_SERVICE\` and \`ADMIN_HOST\`.

## When it is told to end

At the first Ctrl-C, or SIGTERM, nothing is decided any more; the proxy answers what it has and ends, then the pods, then the rest. At the second all are
killed. If the process itself is killed, the others notice and end.

This page is rendered from \`apps/autoscaler/src/local/configuration.ts\`; a test keeps it so (\`npx vitest run apps/autoscaler/src/local -u\` renders it
again).
`;
}
