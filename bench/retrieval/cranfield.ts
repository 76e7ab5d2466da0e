/**
 * Does the small embedder find what people judged relevant? The Cranfield collection (1,400 abstracts, 225 questions), cut into
 * passages as the pod cuts them, ranked by each document's best passage; the embedded 8-bit model beside its fp32 original.
 *
 *     npm run bench:retrieval [-- --data DIR]        writes results.md here
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { embedAlone } from '@ragscale/inference/alone';
import type { Encoder } from '@ragscale/inference/encoder';
import { loadEncoder } from '@ragscale/inference/models';
import { openRuntime } from '@ragscale/inference/open-runtime';
import { buildModel } from '@ragscale/model-builder/build';
import { passagesOf } from '@ragscale/retrieval/chunking';
import { VectorIndex } from '@ragscale/retrieval/vector-index';
import { embedderCheckpoint } from '../../scripts/embedder-checkpoint.ts';
import { cacheFolder } from '../lib/synthetic-model.ts';

const root = path.resolve(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: { data: { type: 'string', default: path.join(root, '../shared/data/cranfield') } },
});
if (!existsSync(path.join(values.data, 'cran.qry'))) {
  console.error(`the Cranfield collection is not at ${values.data}: name its folder with --data`);
  process.exit(1);
}
const DEPTH = 10;
const PASSAGE_TOKENS = 96;

/** Entries of a file in Cranfield's format: in order of appearance; the title is part of the text. */
function entries(file: string): { id: string; text: string }[] {
  return readFileSync(path.join(values.data, file), 'latin1')
    .replaceAll('\r\n', '\n')
    .split(/^\.I /m)
    .slice(1)
    .map((entry) => {
      const id = String(Number(/^\d+/.exec(entry)?.[0]));
      const field = (name: string) =>
        new RegExp(`^\\.${name}\\n([^]*?)(?=^\\.[A-Z]$|$(?![^]))`, 'm').exec(entry)?.[1]?.trim() ?? '';
      return { id, text: field('W') };
    });
}

/** Documents judged relevant, by question (numbered by their order in the file). Grades 1 to 4 count alike; the rest is no interest. */
function judgements(): Map<string, Map<string, number>> {
  const grades = new Map<string, Map<string, number>>();
  for (const line of readFileSync(path.join(values.data, 'cranqrel'), 'latin1').trim().split('\n')) {
    const [query, , document, grade] = line.trim().split(/\s+/) as [string, string, string, string];
    const gain = Number(grade) >= 1 && Number(grade) <= 4 ? 1 : 0;
    grades.set(query, (grades.get(query) ?? new Map()).set(document, gain));
  }
  return grades;
}

function ndcg(ranked: readonly string[], gains: ReadonlyMap<string, number>): number {
  const discounted = (values: readonly number[]) =>
    values.reduce((sum, gain, rank) => sum + gain / Math.log2(rank + 2), 0);
  const ideal = discounted([...gains.values()].toSorted((a, b) => b - a).slice(0, DEPTH));
  return ideal === 0 ? 0 : discounted(ranked.slice(0, DEPTH).map((id) => gains.get(id) ?? 0)) / ideal;
}

async function evaluate(encoder: Encoder) {
  const documents = entries('cran.all.1400');
  const passages: { document: string; text: string }[] = [];
  for (const { id, text } of documents) {
    const countTokens = async (texts: readonly string[]) => texts.map((each) => encoder.countTokens(each));
    const chunks = passagesOf({ id, text, format: 'plain' }, { maxTokens: PASSAGE_TOKENS, countTokens });
    for await (const passage of chunks) passages.push({ document: id, text: passage.text });
  }
  const begin = performance.now();
  const { vectors, tokens } = await embedAlone(
    encoder,
    passages.map(({ text }) => text),
    'passage',
  );
  const seconds = (performance.now() - begin) / 1000;
  const index = new VectorIndex(encoder.manifest.dimensions.hidden, vectors.length);
  for (const vector of vectors) index.add(vector);

  const grades = judgements();
  const questions = entries('cran.qry').map(({ text }, place) => ({
    text,
    gains: grades.get(`${place + 1}`) ?? new Map(),
  }));
  const asked = await embedAlone(
    encoder,
    questions.map(({ text }) => text),
    'query',
  );
  let [ndcgSum, hits] = [0, 0];
  for (const [place, { gains }] of questions.entries()) {
    const found = await index.search(asked.vectors[place]!, 60);
    const ranked = [...new Set(found.map((hit) => passages[hit.index]!.document))];
    ndcgSum += ndcg(ranked, gains);
    if (ranked.slice(0, DEPTH).some((id) => (gains.get(id) ?? 0) > 0)) hits += 1;
  }
  return {
    passages: passages.length,
    ndcg: ndcgSum / questions.length,
    success: hits / questions.length,
    rate: tokens / seconds,
  };
}

const fp32 = path.join(cacheFolder, 'embedder-fp32');
await buildModel({ checkpoint: await embedderCheckpoint(), out: fp32, precision: 'fp32', force: true });
const models = { 'embedded (w8a8)': path.join(root, 'models/embedded/embedder'), 'original (fp32)': fp32 };
const lines = [
  `| model | passages | nDCG@${DEPTH} | one of the first ${DEPTH} relevant | tokens/s embedded, one thread |`,
  '|---|---|---|---|---|',
];
for (const [name, folder] of Object.entries(models)) {
  const encoder = await loadEncoder(await openRuntime('auto'), folder, 1);
  const result = await evaluate(encoder);
  encoder.release();
  lines.push(
    `| ${name} | ${result.passages} | ${result.ndcg.toFixed(4)} | ${(100 * result.success).toFixed(1)}% | ${result.rate.toFixed(0)} |`,
  );
}
writeFileSync(path.join(import.meta.dirname, 'results.md'), `${lines.join('\n')}\n`);
console.log(lines.join('\n'));
