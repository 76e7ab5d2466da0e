/** How far are the vectors of a quantized embedder from the unquantized ones of the reference library? */
import { readFileSync } from 'node:fs';
import { EncoderRunner } from './graph-runner.ts';
import { cosine } from './similarity.ts';

interface EmbedderGolden {
  readonly texts: readonly { readonly text: string; readonly ids: number[]; readonly embedding: string }[];
}

export interface EmbedderQuality {
  readonly texts: number;
  readonly meanCosine: number;
  readonly minCosine: number;
  /** The text with the lowest cosine. */
  readonly worst: string;
}

/** Runs each text alone, padded to a multiple of eight as the engine does. */
export async function embedderQuality(folder: string, goldenFile: string): Promise<EmbedderQuality> {
  const golden = JSON.parse(readFileSync(goldenFile, 'utf8')) as EmbedderGolden;
  const runner = await EncoderRunner.open(folder);
  let [sum, minCosine, worst] = [0, 2, ''];
  for (const { text, ids, embedding } of golden.texts) {
    const [vector] = await runner.embed([ids], Math.ceil(ids.length / 8) * 8);
    const similarity = cosine(vector!, halfFloats(embedding));
    sum += similarity;
    if (similarity < minCosine) [minCosine, worst] = [similarity, text];
  }
  runner.close();
  return { texts: golden.texts.length, meanCosine: sum / golden.texts.length, minCosine, worst };
}

/** Little-endian float16 in base64; the values of unit vectors are never infinite. */
function halfFloats(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64');
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => {
    const bits = bytes.readUInt16LE(2 * i);
    const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
    const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
    return bits & 0x8000 ? -magnitude : magnitude;
  });
}
