/** Who answers the names of Services in a cluster of tests? This program, in place of CoreDNS: `node dns.ts KUBECONFIG ADDRESS`. */
import {
  CoreV1Api,
  DiscoveryV1Api,
  type KubeConfig,
  type KubernetesObject,
  type ListPromise,
  makeInformer,
  type V1EndpointSlice,
  type V1Service,
} from '@kubernetes/client-node';
import { answer } from './dns-names.ts';
import { serveDns } from './dns-server.ts';
import { configOf } from './readiness.ts';

const PORT = 53;
const PAUSE_MS = 500;

async function main([kubeconfig = '', address = '']: readonly string[]): Promise<void> {
  const config = configOf(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const discovery = config.makeApiClient(DiscoveryV1Api);
  const services = follow<V1Service>(config, '/api/v1/services', () => core.listServiceForAllNamespaces());
  const slices = follow<V1EndpointSlice>(config, '/apis/discovery.k8s.io/v1/endpointslices', () =>
    discovery.listEndpointSliceForAllNamespaces(),
  );
  await serveDns(address, PORT, ({ name, type }) => answer(name, type, services(), slices()));
}

/** The objects of a collection as they are now, as far as is known. */
function follow<T extends KubernetesObject>(
  config: KubeConfig,
  path: string,
  list: ListPromise<T>,
): () => readonly T[] {
  const informer = makeInformer(config, path, list);
  const start = () => {
    informer.start().catch(again);
  };
  // It stops after most errors.
  const again = () => {
    setTimeout(start, PAUSE_MS);
  };
  informer.on('error', again);
  start();
  return () => informer.list();
}

await main(process.argv.slice(2));
