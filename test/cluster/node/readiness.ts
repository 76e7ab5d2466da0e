/** How is waited for a part of a cluster? Until a condition holds, a program that it needs has ended, or patience does. */
import { setTimeout as delay } from 'node:timers/promises';
import { CoreV1Api, Health, KubeConfig } from '@kubernetes/client-node';
import { assertRunning } from './component-processes.ts';
import { apiServer, type Component, etcd } from './components.ts';
import type { Layout } from './layout.ts';

const PATIENCE_MS = 90_000;

export interface WaitOptions {
  /** What becomes true, in words. */
  readonly until: string;
  readonly layout: Layout;
  /** Without which it never will. */
  readonly needs: readonly Component[];
  isTrue(): Promise<boolean>;
}

/** @throws Error that says what did not come true, and why as far as is known */
export async function wait({ until, layout, needs, isTrue }: WaitOptions): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  let trouble = '';
  const holds = async () => {
    try {
      return await isTrue();
    } catch (error) {
      trouble = String(error);
      return false;
    }
  };
  while (!(await holds())) {
    for (const component of needs) assertRunning(layout, component);
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS / 1000} s: ${until}. ${trouble}`);
    await delay(100);
  }
}

export async function apiServerReady(layout: Layout): Promise<void> {
  const health = new Health(configOf(layout.kubeconfig));
  const needs = [etcd(layout), apiServer(layout)];
  await wait({ until: 'the API server is ready', layout, needs, isTrue: () => health.readyz({}) });
}

export function coreApi(kubeconfig: string): CoreV1Api {
  return configOf(kubeconfig).makeApiClient(CoreV1Api);
}

export function configOf(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config;
}
