/**
 * How does a simple Node server on transformers.js answer? One question at a time, first come, first served.
 *
 *     TRANSFORMERS_JS=INSTALLATION MODELS=FOLDER DOCUMENTS=FILE THREADS=2 PORT=8000 node server.ts
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { openLibrary } from './library.ts';
import { type Question, RagModels } from './rag-models.ts';

const { TRANSFORMERS_JS, MODELS, DOCUMENTS, THREADS = '2', PORT = '8000' } = process.env;
if (TRANSFORMERS_JS === undefined || MODELS === undefined || DOCUMENTS === undefined) {
  throw new Error('set TRANSFORMERS_JS, MODELS and DOCUMENTS');
}
const library = await openLibrary(TRANSFORMERS_JS);
library.env.allowRemoteModels = false;
library.env.localModelPath = MODELS;
const models = await RagModels.load(library, DOCUMENTS, Number(THREADS));

let last: Promise<unknown> = Promise.resolve();

function answerInTurn(question: Question): Promise<object> {
  const answer = last.then(() => models.answer(question));
  last = answer.catch(() => undefined);
  return answer;
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const send = (status: number, body: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (request.url === '/readyz') return void send(200, { status: 'ready' });
  if (request.method !== 'POST' || request.url !== '/rag') return void send(404, { error: 'not found' });
  try {
    send(200, await answerInTurn(JSON.parse(await text(request)) as Question));
  } catch (error) {
    send(500, { error: String(error) });
  }
}

const server = createServer((request, response) => void handle(request, response));
server.listen(Number(PORT), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
