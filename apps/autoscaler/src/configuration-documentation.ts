/** docs/configuration-autoscaler.md, rendered from the table of variables and the times of the election. */
import { renderVariables } from '@ragscale/service/environment';
import { VARIABLES } from './configuration.ts';
import { LEASE_MS, RENEW_DEADLINE_MS, RETRY_MS } from './leader-election.ts';

/** The whole page in Markdown. */
export function renderConfigurationPage(): string {
  return `# Configuration of the autoscaler

What is to be scaled, and to which objective, stands in the resources of the kind LatencyAutoscaler. The process itself is configured by environment
variables. They are checked before anything starts: every bad one is listed with what may stand there, and the process ends with code 1. An empty
variable counts as unset.

${renderVariables(VARIABLES)}

The autoscaler of a local system, which \`npm start\` runs, has [variables of its own](configuration-local.md).

## Kubernetes

The credentials are those of the pod's ServiceAccount, of \`KUBECONFIG\` where it is set, or of \`~/.kube/config\`. Tokens and certificates in files are
read again as they are replaced.

## Several of them

Any number may run; one decides. It renews the Lease every ${RETRY_MS / 1_000} s and stops ${RENEW_DEADLINE_MS / 1_000} s after the last renewal that the API server answered; another takes over
${LEASE_MS / 1_000} s after the last one that it saw, or at once where the first one gave the Lease back as it ended. Where there is no Lease yet, or somebody
deleted it, the first decision comes ${LEASE_MS / 1_000} s later. Clocks may show what they like; only one that runs half as fast again as another would do harm.

This page is rendered from \`apps/autoscaler/src/configuration.ts\`; a test keeps it so (\`npx vitest run apps/autoscaler/src/configuration.spec.ts -u\`
renders it again).
`;
}
