import { expect, it } from 'vitest';
import { type Device, onDevice } from './device.ts';
import { DeviceError, ModelFolderError, RuntimeError } from './errors.ts';

/** Works where it is told to, and remembers where it was tried. */
function attemptThatWorksOn(...able: Device[]) {
  const tried: Device[] = [];
  const attempt = async (device: Device) => {
    tried.push(device);
    if (!able.includes(device)) throw new RuntimeError(`no ${device}\n  here`);
    return `models on ${device}`;
  };
  return { tried, attempt };
}

it.each([
  ['cpu', ['cpu'], { name: 'cpu', requested: 'cpu' }],
  ['cuda', ['cuda'], { name: 'cuda', requested: 'cuda' }],
  ['auto', ['cuda'], { name: 'cuda', requested: 'auto' }],
] as const)('%s: tries %j alone where that works', async (requested, expected, device) => {
  const { tried, attempt } = attemptThatWorksOn('cpu', 'cuda');
  expect(await onDevice(requested, attempt)).toEqual({ result: `models on ${device.name}`, device });
  expect(tried).toEqual(expected);
});

it('auto: goes on with the CPU where CUDA is refused, with the reason in one line', async () => {
  const { tried, attempt } = attemptThatWorksOn('cpu');
  expect(await onDevice('auto', attempt)).toEqual({
    result: 'models on cpu',
    device: { name: 'cpu', requested: 'auto', fallbackReason: 'no cuda here' },
  });
  expect(tried).toEqual(['cuda', 'cpu']);
});

it('auto: throws what the CPU says where that fails, too', async () => {
  await expect(onDevice('auto', attemptThatWorksOn().attempt)).rejects.toThrow('no cpu');
});

it('cuda: says what failed, and does not try the CPU', async () => {
  const { tried, attempt } = attemptThatWorksOn('cpu');
  const error = await onDevice('cuda', attempt).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DeviceError);
  expect((error as Error).message).toBe('the models were loaded with CUDA, which failed: no cuda here');
  expect(tried).toEqual(['cuda']);
});

it.each(['cuda', 'auto'] as const)('%s: leaves an error alone that no other device would mend', async (requested) => {
  const tried: Device[] = [];
  const missing = onDevice(requested, async (device) => {
    tried.push(device);
    throw new ModelFolderError('no manifest');
  });
  await expect(missing).rejects.toThrow(ModelFolderError);
  expect(tried).toEqual(['cuda']);
});
