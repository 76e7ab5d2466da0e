/** The process that gives a cluster the definition of our resource as a file of JSON has it, before an upgrade. */
import { readFileSync } from 'node:fs';
import { KubernetesClient } from '@ragscale/kubernetes/api-client';
import { loadKubeConfig } from '@ragscale/kubernetes/credentials';
import { realClock } from '@ragscale/service/clock';
import { onTermination } from '@ragscale/service/shutdown';
import { applyDefinition, readDefinition } from './custom-resource-definition.ts';

async function run(file: string | undefined): Promise<void> {
  if (!file) throw new Error('which file? apply-crd FILE, with a CustomResourceDefinition in JSON');
  const definition = readDefinition(readFileSync(file, 'utf8'));
  const client = new KubernetesClient(loadKubeConfig());
  await applyDefinition(client, definition, realClock);
  await client.close();
  process.stdout.write(`${definition.metadata.name} is as in ${file}\n`);
}

// As the first process of a container it would not end otherwise.
onTermination(
  () => process.exit(1),
  () => process.exit(1),
);
try {
  await run(process.argv[2]);
} catch (error) {
  process.stderr.write(`apply-crd: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
