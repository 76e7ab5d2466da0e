/** How is a part of a cluster started, found again, and ended? It outlives the command that started it and is known by its command line. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Component } from './components.ts';
import { inFolder, type Layout } from './layout.ts';
import { commandOf, enter, processes } from './namespaces.ts';
import { programPath } from './programs.ts';

const PATIENCE_MS = 10_000;

/** Resolves when it runs. What it writes goes to `logs/NAME.log` in the folder of the cluster. @throws Error with the end of that */
export async function startComponent(layout: Layout, component: Component): Promise<void> {
  const { name, command, files } = component;
  for (const [file, content] of Object.entries(files)) writeFileSync(file, content);
  mkdirSync(inFolder(layout, 'logs'), { recursive: true });
  const output = openSync(logOf(layout, name), 'a');
  const [program, ...parameters] = enter(layout, ['setsid', '--fork', ...command]);
  const starter = spawn(program, parameters, {
    cwd: '/',
    detached: true,
    stdio: ['ignore', output, output],
    env: { HOME: '/root', PATH: programPath() },
  });
  starter.on('error', () => undefined).unref();
  closeSync(output);
  const deadline = performance.now() + PATIENCE_MS;
  while (componentProcess(component) === undefined) {
    if (performance.now() > deadline) throw hasEnded(layout, name);
    await delay(10);
  }
}

/** @throws Error with the end of what it wrote */
export function assertRunning(layout: Layout, component: Component): void {
  if (componentProcess(component) === undefined) throw hasEnded(layout, component.name);
}

/** On this machine; undefined when it does not run. Its command line names files of the cluster, so it is no other cluster's. */
export function componentProcess({ command }: Component): number | undefined {
  return processes().find((pid) => {
    const found = commandOf(pid);
    return found.length === command.length && found.every((word, index) => word === command[index]);
  });
}

/** Resolves when it has ended. */
export async function stopComponent(component: Component, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const pid = componentProcess(component);
  if (pid === undefined) return;
  process.kill(pid, signal);
  // One that is frozen does not hear SIGTERM.
  process.kill(pid, 'SIGCONT');
  const deadline = performance.now() + PATIENCE_MS;
  while (componentProcess(component) === pid) {
    if (performance.now() > deadline) process.kill(pid, 'SIGKILL');
    await delay(20);
  }
}

function hasEnded(layout: Layout, name: string): Error {
  return new Error(`${name} has ended: ${lastWords(layout, name)}`);
}

export function lastWords(layout: Layout, name: string): string {
  return readFileSync(logOf(layout, name), 'utf8').trim().split('\n').slice(-5).join('\n');
}

function logOf(layout: Layout, name: string): string {
  return inFolder(layout, 'logs', `${name}.log`);
}
