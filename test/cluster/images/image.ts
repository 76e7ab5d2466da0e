/** What is in an image that build.sh has made? */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

export const TARGETS = ['rag', 'rag-cuda', 'proxy', 'autoscaler'] as const;
export type Target = (typeof TARGETS)[number];

const ROOT = path.join(import.meta.dirname, '../../..');

/** `npm run test:images` builds them, minutes where nothing is cached: in words for the name of a test that is skipped without. */
export const missingImages =
  process.env.RAGSCALE_IMAGE_TESTS === '1' ? undefined : 'not among the system tests: npm run test:images';

/** As build.sh names it. */
export function nameOf(target: Target): string {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return `docker.io/ragscale/${target}:${version}`;
}

/** @param storage another than the usual @throws Error with what it wrote to standard error */
export function buildah(args: readonly string[], storage?: string): string {
  const { status, stdout, stderr, error } = spawnSync('bash', [path.join(import.meta.dirname, 'buildah.sh'), ...args], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, ...(storage && { RAGSCALE_IMAGE_STORAGE: storage }) },
  });
  if (status !== 0) throw new Error(`buildah ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout.trim();
}

/** As the image says; the names are OCI's. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
}

export interface Image {
  readonly id: string;
  readonly config: ImageConfig;
  /** Of its layers, unpacked. */
  readonly megabytes: number;
}

export function inspect(name: string): Image {
  const { FromImageID, Manifest, OCIv1 } = JSON.parse(buildah(['inspect', '--type', 'image', name])) as {
    FromImageID: string;
    Manifest: string;
    OCIv1: { config: ImageConfig };
  };
  const { layers } = JSON.parse(Manifest) as { layers: { mediaType: string; size: number }[] };
  // What is in the local storage is not compressed.
  if (layers.some(({ mediaType }) => !mediaType.endsWith('.tar'))) throw new Error(`${name} has compressed layers`);
  return {
    id: FromImageID,
    config: OCIv1.config,
    megabytes: layers.reduce((sum, { size }) => sum + size, 0) / 1e6,
  };
}

/** The files of an image in a folder of this machine. */
export class Unpacked implements Disposable {
  readonly folder: string;
  readonly #container: string;

  constructor(name: string) {
    this.#container = buildah(['from', '--pull-never', name]);
    this.folder = buildah(['mount', this.#container]);
  }

  [Symbol.dispose](): void {
    buildah(['rm', this.#container]);
  }
}
