/** Are the images small, is nothing in them that is not needed, and are they the same wherever they are built? */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildah, inspect, missingImages, nameOf, TARGETS, Unpacked } from './image.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const ON_CPUS = ['rag', 'proxy', 'autoscaler'] as const;
/** On GPUs it is as large as CUDA. */
const MEGABYTES = { rag: 450, proxy: 250, autoscaler: 250 } as const;
const MINUTES = 60_000;

/** All that a build looks at. */
const SOURCES = ['Dockerfile', '.dockerignore', 'LICENSE', 'package.json', 'package-lock.json', 'tsconfig.base.json'];
const FOLDERS = ['apps', 'packages', 'scripts', 'models/embedded', 'test/cluster/images'];

/** As build.sh names its base by. */
function nodeVersion(): string {
  const { devDependencies } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    devDependencies: { node: string };
  };
  return devDependencies.node;
}

const find = (...args: string[]) => spawnSync('find', args, { encoding: 'utf8' }).stdout.trim();

describe.skipIf(missingImages)(`the images${missingImages ? ` (${missingImages})` : ''}`, () => {
  it.each(ON_CPUS)('%s is small', (target) => {
    const { megabytes } = inspect(nameOf(target));
    // Node alone has more than 100: it is the image that was weighed.
    expect(megabytes).toBeGreaterThan(100);
    expect(megabytes).toBeLessThanOrEqual(MEGABYTES[target]);
  });

  it.each(TARGETS)('%s has a user by number, labels, and a command that needs no shell', (target) => {
    const { config } = inspect(nameOf(target));
    expect(config.User).toMatch(/^[1-9][0-9]*:[1-9][0-9]*$/);
    expect(config.Entrypoint[0]).toBe('node');
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': `ragscale ${target}`,
      'org.opencontainers.image.description': expect.stringMatching(/./),
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': nameOf(target).split(':')[1],
    });
  });

  it.each(ON_CPUS)('%s holds what runs and nothing that builds', (target) => {
    using unpacked = new Unpacked(nameOf(target));
    const at = (...parts: string[]) => path.join(unpacked.folder, ...parts);
    expect(readdirSync(at('usr/local/bin'))).toEqual(['node']);
    for (const none of ['bin', 'sbin', 'usr/bin', 'usr/sbin', 'root', 'run'])
      expect(existsSync(at(none)), none).toBe(false);
    const modules = readdirSync(at('app/node_modules'));
    expect(modules).toContain('@ragscale');
    for (const none of ['typescript', 'vitest', 'node', '@biomejs', '.bin', '.package-lock.json'])
      expect(modules).not.toContain(none);
    expect(find(at('app'), '-name', '*.ts', '-path', '*/@ragscale/*')).toBe('');
    expect(modules.includes('onnxruntime-node')).toBe(target === 'rag');
    expect(existsSync(at('app/models/embedded'))).toBe(target === 'rag');
    expect(existsSync(at('app/LICENSE'))).toBe(true);
  });

  it('of ONNX Runtime there is the library of this system alone', () => {
    using unpacked = new Unpacked(nameOf('rag'));
    const runtime = path.join(unpacked.folder, 'app/node_modules/onnxruntime-node/bin/napi-v6');
    expect(readdirSync(runtime)).toEqual(['linux']);
    expect(readdirSync(path.join(runtime, 'linux'))).toEqual([process.arch]);
  });

  it.each(ON_CPUS)('%s does not say where it was built, nor whom npm asked', (target) => {
    using unpacked = new Unpacked(nameOf(target));
    const { stdout } = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8', cwd: ROOT });
    const registry = new URL(stdout.trim()).host;
    // The public one is in the documents of many packages.
    const traces = [ROOT, '_authToken=', ...(registry === 'registry.npmjs.org' ? [] : [registry])];
    const grep = ['-r', '--files-with-matches', '--fixed-strings', ...traces.flatMap((trace) => ['-e', trace])];
    const found = spawnSync('grep', [...grep, unpacked.folder], { encoding: 'utf8' });
    expect(found).toMatchObject({ status: 1, stdout: '' });
    expect(find(unpacked.folder, '-name', '.npmrc', '-o', '-name', 'npm-ca*')).toBe('');
  });

  it(
    'are the same from another checkout, built anew',
    () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'ragscale-again-'));
      const again = path.join(folder, 'checkout');
      const storage = path.join(folder, 'storage');
      try {
        const filter = (file: string) => !/\/(node_modules|dist)$/.test(file);
        for (const part of [...SOURCES, ...FOLDERS])
          cpSync(path.join(ROOT, part), path.join(again, part), { recursive: true, filter });
        // As with another umask; the times of all files are others anyhow.
        for (const file of ['LICENSE', 'apps/proxy/package.json']) chmodSync(path.join(again, file), 0o660);

        // Of earlier versions of Node there may be others.
        const base = `localhost/ragscale-base:bookworm-node${nodeVersion()}`;
        buildah(['push', '--quiet', base, `oci-archive:${folder}/base.tar:${base}`]);
        buildah(['pull', '--quiet', `oci-archive:${folder}/base.tar`], storage);

        const { id } = inspect(nameOf('proxy'));
        const { stdout, stderr } = spawnSync('bash', [path.join(again, 'test/cluster/images/build.sh'), 'proxy'], {
          encoding: 'utf8',
          env: {
            ...process.env,
            RAGSCALE_IMAGE_STORAGE: storage,
          },
        });
        expect({ stdout, stderr }).toEqual({ stdout: `${nameOf('proxy')} ${id}\n`, stderr: '' });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    15 * MINUTES,
  );
});
