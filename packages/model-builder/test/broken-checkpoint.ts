/** How does a test get a copy of a small checkpoint with one thing wrong? */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { FIXTURES } from './golden.ts';
import { scratchFolder } from './scratch-folder.ts';

export function copyOf(fixture: string): string {
  const folder = path.join(scratchFolder(), fixture);
  cpSync(path.join(FIXTURES, fixture), folder, { recursive: true });
  return folder;
}

export function withConfig(fixture: string, changes: Record<string, unknown>): string {
  const folder = copyOf(fixture);
  const file = path.join(folder, 'config.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...changes }));
  return folder;
}

export interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Rewrites the safetensors header; the data stays as it is. */
export function withHeader(fixture: string, change: (header: Record<string, Entry>) => void): string {
  const folder = copyOf(fixture);
  const file = path.join(folder, 'model.safetensors');
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<string, Entry>;
  change(header);
  writeFileSync(file, safetensors(header, bytes.subarray(8 + length)));
  return folder;
}

export function safetensors(header: unknown, data: Uint8Array): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}
