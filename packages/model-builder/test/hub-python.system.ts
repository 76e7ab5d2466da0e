/** Do this pull and `huggingface_hub` share one cache: what one has fetched the other finds, and neither disturbs the other? */
import { mkdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { pullModel } from '../src/hub/pull.ts';
import { hubSettings } from '../src/hub/settings.ts';
import { bytesOf, HubServer } from './hub-server.ts';
import { hasReference, REFERENCE, runPython, startPython } from './python.ts';
import { scratchFolder } from './scratch-folder.ts';

// Python with its libraries takes ten seconds to start on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

const NAME = 'org/model';
const json = (value: unknown) => ({ content: Buffer.from(JSON.stringify(value)) });
const FILES = {
  'config.json': json({ model_type: 'opt', hidden_size: 32 }),
  'tokenizer.json': json({}),
  '1_Pooling/config.json': json({ pooling_mode: 'mean' }),
  'model.safetensors': { content: bytesOf(2_000_000), lfs: true },
};

let server: HubServer;
let home: string;
let commit: string;
beforeEach(async () => {
  server = await HubServer.start();
  home = scratchFolder();
  commit = server.add(NAME, FILES, 'main');
});
afterEach(() => server.stop());

const environment = (more: Record<string, string> = {}) => ({
  HF_ENDPOINT: server.endpoint,
  HF_HOME: home,
  HF_HUB_DISABLE_XET: '1',
  ...more,
});
const pull = (more: Record<string, string> = {}) =>
  pullModel({ model: NAME, settings: hubSettings(environment(more)) });

it.skipIf(!hasReference)(
  `Python finds offline what was pulled here, and writes nothing again (needs ${REFERENCE})`,
  async () => {
    const { folder } = await pull();
    server.forget();
    const code = `
from huggingface_hub import snapshot_download, hf_hub_download, scan_cache_dir
from transformers import AutoConfig
print(snapshot_download("${NAME}", local_files_only=True))
print(hf_hub_download("${NAME}", "1_Pooling/config.json", revision="${commit}"))
print(AutoConfig.from_pretrained("${NAME}").hidden_size)
found = scan_cache_dir()
print(len(found.warnings), [(r.repo_id, r.nb_files, sorted(r.refs)) for r in found.repos])
`;
    const lines = (await runPython(code, environment({ HF_HUB_OFFLINE: '1' }))).split('\n');
    expect(lines).toEqual([folder, path.join(folder, '1_Pooling/config.json'), '32', `0 [('${NAME}', 4, ['main'])]`]);
    await runPython(`from huggingface_hub import snapshot_download; snapshot_download("${NAME}")`, environment());
    expect(server.sentBytes).toBe(0);
  },
);

it.skipIf(!hasReference)(
  `what Python pulled is found here, offline, and not fetched again (needs ${REFERENCE})`,
  async () => {
    await runPython(`from huggingface_hub import snapshot_download; snapshot_download("${NAME}")`, environment());
    server.forget();
    const { files, folder } = await pull({ HF_HUB_OFFLINE: '1' });
    expect(server.log).toEqual([]);
    expect(files.map((file) => file.path).toSorted()).toEqual(Object.keys(FILES).toSorted());
    expect(readFileSync(path.join(folder, 'model.safetensors')).equals(FILES['model.safetensors'].content)).toBe(true);
    expect((await pull()).commit).toBe(commit);
    expect(server.sentBytes).toBe(0);
  },
);

it.skipIf(!hasReference)(`a snapshot that Python left unfinished is finished (needs ${REFERENCE})`, async () => {
  const code = `from huggingface_hub import snapshot_download; snapshot_download("${NAME}", ignore_patterns="tokenizer.json")`;
  await runPython(code, environment());
  await expect(pull({ HF_HUB_OFFLINE: '1' })).rejects.toThrow('lacks tokenizer.json of org/model@main');
  server.forget();
  await pull();
  expect(server.sentBytes).toBe(FILES['tokenizer.json'].content.length);
});

it.skipIf(!hasReference)(`a blob that Python has locked is waited for (needs ${REFERENCE})`, async () => {
  const { folder } = await pull();
  const blob = path.basename(realpathSync(path.join(folder, 'model.safetensors')));
  const elsewhere = scratchFolder();
  const locks = path.join(elsewhere, 'hub/.locks/models--org--model');
  mkdirSync(locks, { recursive: true });
  const holder = startPython(
    `
import sys
from huggingface_hub.utils import WeakFileLock
with WeakFileLock("${path.join(locks, `${blob}.lock`)}"):
    print("held", flush=True)
    sys.stdin.read()
`,
    environment(),
  );
  await new Promise((done) => holder.stdout!.once('data', done));
  server.forget();
  let waits = 0;
  const released = new Promise((done) => holder.on('close', done));
  const { files } = await pullModel({
    model: NAME,
    settings: hubSettings(environment({ HF_HOME: elsewhere })),
    sleep: async () => {
      expect(server.requestsFor('model.safetensors')).toEqual([]);
      if (++waits < 3) return;
      holder.stdin!.end();
      await released;
    },
  });
  expect(waits).toBe(3);
  expect(files.reduce((sum, { fetchedBytes }) => sum + fetchedBytes, 0)).toBe(server.sentBytes);
});
