/** Does our own cluster do what the tests of faults ask of it? */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PAUSE_IMAGE } from './components.ts';
import { NOT_OWN, type OwnNode, ownNode } from './own-node.ts';
import { coreApi } from './readiness.ts';

const PATIENCE_MS = 60_000;
const NAMESPACE = 'e2e-own-node';
const found = ownNode();

describe(`our own node${found ? '' : ` (${NOT_OWN})`}`, { skip: found === undefined }, () => {
  const node = found as OwnNode;
  const api = coreApi(process.env.KUBECONFIG as string);

  beforeAll(async () => {
    await api.createNamespace({ body: { metadata: { name: NAMESPACE } } });
    await until('the namespace has its ServiceAccount', async () => {
      return Boolean(await api.readNamespacedServiceAccount({ namespace: NAMESPACE, name: 'default' }));
    });
  });
  afterAll(async () => {
    await api.deleteNamespace({ name: NAMESPACE, gracePeriodSeconds: 0 });
  });

  it('has an API server that dies, freezes and comes back', async () => {
    await node.killApiServer();
    await expect(api.listNode()).rejects.toThrow();
    await node.restartApiServer();
    expect((await api.listNode()).items.map(({ metadata }) => metadata?.name)).toEqual([node.name]);

    node.freezeApiServer();
    let isAnswered = false;
    const answer = api.listNode().then(() => {
      isAnswered = true;
    });
    await delay(500);
    expect(isAnswered).toBe(false);
    node.thawApiServer();
    await answer;
    await node.restartApiServer();
    expect((await api.listNode()).items).toHaveLength(1);
  });

  it('finds the processes and the network of a pod', async () => {
    await createPod('sleeper');
    await until('the pod runs', () => isRunning('sleeper'));
    const pod = { namespace: NAMESPACE, name: 'sleeper' };
    const processes = await node.processesOf(pod);
    expect(processes).toHaveLength(1);

    const { status } = await api.readNamespacedPod(pod);
    expect(await node.runInPodNetwork(pod, ['ip', 'address', 'show', 'eth0'])).toContain(`inet ${status?.podIP}/`);
    expect(node.runInNodeNetwork(['ip', 'address'])).toContain(`inet ${node.address}/`);
    expect(() => node.runInNodeNetwork(['iptables', '--nonsense'])).toThrow('unknown option');

    process.kill(processes[0] as number, 'SIGKILL');
    await until('the container has started again', async () => {
      const { status } = await api.readNamespacedPod(pod);
      return status?.containerStatuses?.[0]?.restartCount === 1 && (await node.processesOf(pod)).length === 1;
    });
    expect(await node.processesOf(pod)).not.toEqual(processes);
  });

  async function createPod(name: string): Promise<void> {
    const whole = { name, image: PAUSE_IMAGE, imagePullPolicy: 'Never' };
    await api.createNamespacedPod({
      namespace: NAMESPACE,
      body: { metadata: { name }, spec: { containers: [whole], terminationGracePeriodSeconds: 0 } },
    });
  }

  async function isRunning(name: string): Promise<boolean> {
    const { status } = await api.readNamespacedPod({ namespace: NAMESPACE, name });
    return status?.containerStatuses?.[0]?.state?.running !== undefined;
  }
});

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isTrue().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what}`);
    await delay(50);
  }
}
