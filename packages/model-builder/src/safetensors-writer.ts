/** How is a safetensors file written, one tensor in memory at a time? Values are stored as BF16. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { sizeOf } from './weight.ts';

export interface TensorToWrite {
  readonly name: string;
  readonly shape: readonly number[];
  values(): Float32Array;
}

/** @param onProgress called after each tensor with the bytes so far and in all */
export function writeSafetensors(
  file: string,
  tensors: readonly TensorToWrite[],
  onProgress?: (writtenBytes: number, totalBytes: number) => void,
): void {
  let end = 0;
  const entries = tensors.map(({ name, shape }) => {
    const begin = end;
    end += sizeOf(shape) * 2;
    return [name, { dtype: 'BF16', shape, data_offsets: [begin, end] }] as const;
  });
  const json = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) });
  // Padded so that the data begins at a multiple of eight bytes, as the format's own writer does.
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const fd = openSync(file, 'w');
  try {
    writeSync(fd, Buffer.concat([length, header]));
    let written = 0;
    for (const tensor of tensors) {
      const bytes = toBFloat16(tensor.values());
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      written += bytes.length;
      onProgress?.(written, end);
    }
  } finally {
    closeSync(fd);
  }
}

/** The upper half of each value (rounded towards zero). */
function toBFloat16(values: Float32Array): Uint8Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) halves[i] = bits[i]! >>> 16;
  return new Uint8Array(halves.buffer);
}
