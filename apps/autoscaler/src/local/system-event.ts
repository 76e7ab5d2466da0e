/** What happens to a local system that whoever runs it should know, and how is it said? */
import type { Death } from './kept-process.ts';
import type { LogLine } from './program.ts';

export interface Addresses {
  /** Of the proxy, for clients. */
  readonly url: string;
  readonly adminUrl: string;
  readonly autoscalerUrl: string;
}

export type SystemEvent =
  /** What is said of the models while they are pulled and built. */
  | { readonly kind: 'preparing'; readonly line: LogLine }
  | { readonly kind: 'starting'; readonly pods: number }
  | { readonly kind: 'progress'; readonly ready: number; readonly pods: number }
  | {
      readonly kind: 'ready';
      readonly addresses: Addresses;
      readonly pods: number;
      readonly maxPods: number;
      /** Such as `95% of the answers within 2 s`. */
      readonly goal: string;
      readonly afterMs: number;
    }
  | { readonly kind: 'scaled'; readonly from: number; readonly to: number; readonly why: string }
  | { readonly kind: 'died'; readonly death: Death }
  | { readonly kind: 'killed'; readonly name: string; readonly afterMs: number }
  | { readonly kind: 'trouble'; readonly message: string }
  /** At its start; why is for standard error. */
  | { readonly kind: 'failed' }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'stopped' };

/** One sentence; what it said last is not in it. */
export function describeDeath({ name, end, atStart, silentForMs, pauseMs }: Death): string {
  const when = atStart ? ' before it was ready' : '';
  const next = pauseMs === 0 ? 'it is started again' : `it is started again in ${seconds(pauseMs)}`;
  return `${name} ${howItEnded(end, silentForMs)}${when}; ${next}`;
}

export function howItEnded({ code, signal }: Death['end'], silentForMs?: number): string {
  if (silentForMs !== undefined) return `was killed, for it had not answered for ${seconds(silentForMs)}`;
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? 'could not be started' : `ended with code ${code}`;
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
