/** What a model folder says of itself: `manifest.json`, its schema and its checks. The contract is docs/model-folder.md. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { ModelFolderError } from './errors.ts';

export const PRECISIONS = ['fp32', 'fp16', 'w8a8', 'w8', 'w4'] as const;
export type Precision = (typeof PRECISIONS)[number];

const count = z.int().positive();

const common = {
  format: z.literal(1),
  /** Name as on the hub or in the catalogue, for people and for `/v1/models`. */
  name: z.string().min(1),
  architecture: z.string().min(1),
  precision: z.enum(PRECISIONS),
  licence: z.string().min(1),
  /** Where the weights come from: a hub name and revision, a package and version, or how they were made. */
  source: z.string().min(1),
  graph: z.string().min(1),
  /** Every file of the folder that the engine reads, by name: size in bytes and SHA-256 in hexadecimal. */
  files: z.record(
    z.string(),
    z.strictObject({ bytes: z.int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ),
};

const encoderManifest = z.strictObject({
  ...common,
  kind: z.literal('encoder'),
  dimensions: z.strictObject({ layers: count, hidden: count, heads: count, vocabulary: count, maxTokens: count }),
  tokens: z.strictObject({ pad: z.int().nonnegative() }),
  pooling: z.literal('mean'),
  /** How a text is dressed before tokenization; `{text}` stands for it. */
  prompt: z.strictObject({ query: z.string().includes('{text}'), passage: z.string().includes('{text}') }),
});

/** How a question and its passages become a prompt, or what a user says; `{question}` and `{passages}` stand for them. */
const wording = {
  template: z.string().includes('{question}').includes('{passages}'),
  passageSeparator: z.string(),
};

const decoderManifest = z.strictObject({
  ...common,
  kind: z.literal('decoder'),
  dimensions: z.strictObject({
    layers: count,
    hidden: count,
    heads: count,
    kvHeads: count,
    headDim: count,
    vocabulary: count,
    /** Positions the model knows: the upper bound of prompt plus answer, in tokens. */
    maxTokens: count,
  }),
  tokens: z.strictObject({ eos: z.array(z.int().nonnegative()).min(1), pad: z.int().nonnegative() }),
  prompt: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('template'), ...wording }),
    z.strictObject({
      kind: z.literal('chat'),
      /** The first message, where the request brings no instructions of its own; none when empty. */
      system: z.string(),
      ...wording,
      /** Jinja: messages to text. */
      chatTemplate: z.string().min(1),
      /** Special tokens by the names under which the template knows them. */
      specialTokens: z.record(z.string(), z.string()),
    }),
  ]),
});

const manifestSchema = z.discriminatedUnion('kind', [encoderManifest, decoderManifest]);

export type EncoderManifest = z.infer<typeof encoderManifest>;
export type DecoderManifest = z.infer<typeof decoderManifest>;
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * Reads and checks `manifest.json` of a model folder, and that each file it names is there, of the right size and checksum.
 * @throws ModelFolderError naming the folder and the file or field at fault
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const file = path.join(folder, 'manifest.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new ModelFolderError(`${folder} is not a model folder: ${file} cannot be read`, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ModelFolderError(`${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw new ModelFolderError(`${file}: ${z.prettifyError(parsed.error)}`);
  await checkFiles(folder, parsed.data);
  return parsed.data;
}

async function checkFiles(folder: string, manifest: Manifest): Promise<void> {
  if (!(manifest.graph in manifest.files))
    throw new ModelFolderError(`${folder}: the manifest has no checksum of ${manifest.graph}`);
  for (const [name, expected] of Object.entries(manifest.files)) {
    if (name !== path.basename(name))
      throw new ModelFolderError(`${folder}: manifest names a file outside its folder: ${name}`);
    const file = path.join(folder, name);
    const found = await stat(file).catch((cause) => {
      throw new ModelFolderError(`${file} is missing`, { cause });
    });
    if (found.size !== expected.bytes) {
      throw new ModelFolderError(
        `${file} has ${found.size} bytes, the manifest says ${expected.bytes}: copy or build it again`,
      );
    }
    if ((await sha256(file)) !== expected.sha256) {
      throw new ModelFolderError(`${file} does not have the checksum in the manifest: copy or build it again`);
    }
  }
}

/** SHA-256 of a file in hexadecimal, read as a stream. */
export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
