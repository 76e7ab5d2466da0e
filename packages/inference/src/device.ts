/** Where the models run: on the device that was asked for, or on the CPU with a reason why not. */
import { DeviceError, RuntimeError } from './errors.ts';

export const DEVICES = ['cpu', 'cuda'] as const;
export type Device = (typeof DEVICES)[number];

/** `auto` is CUDA where that works, and the CPU elsewhere. */
export const DEVICE_CHOICES = [...DEVICES, 'auto'] as const;
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];

export interface DeviceInUse {
  readonly name: Device;
  readonly requested: DeviceChoice;
  /** Why `auto` did not take CUDA, in one line. */
  readonly fallbackReason?: string;
}

/**
 * Does `attempt` on the device that was asked for. `auto` tries CUDA and, where ONNX Runtime refuses, the CPU; what an attempt left behind
 * is its own to free before it throws.
 * @throws DeviceError when CUDA was asked for by name and ONNX Runtime refuses, and whatever else the attempt throws
 */
export async function onDevice<T>(
  requested: DeviceChoice,
  attempt: (device: Device) => Promise<T>,
): Promise<{ readonly result: T; readonly device: DeviceInUse }> {
  if (requested === 'cpu') return { result: await attempt('cpu'), device: { name: 'cpu', requested } };
  try {
    return { result: await attempt('cuda'), device: { name: 'cuda', requested } };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const reason = error.message.replaceAll(/\s+/g, ' ').trim();
    if (requested === 'cuda')
      throw new DeviceError(`the models were loaded with CUDA, which failed: ${reason}`, { cause: error });
    return {
      result: await attempt('cpu'),
      device: { name: 'cpu', requested, fallbackReason: reason },
    };
  }
}
