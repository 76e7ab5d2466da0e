/** What can this machine do at best? Its memory bandwidth and its rates of matrix products, measured in the same run. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { cacheFolder } from '../lib/synthetic-model.ts';
import { root } from './assets.ts';

export interface Limits {
  /** Bytes a second that all threads together read from memory. */
  readonly bandwidth: number;
  /** Operations a second of oneDNN's matrix products, and of PyTorch's ordinary one in float32. */
  readonly fp32: number;
  readonly int8: number;
  readonly pytorch: number;
}

export function measureLimits(python: string, threads: number): Limits {
  const program = path.join(cacheFolder, 'decode-peer');
  const source = path.join(root, 'bench/decode/peer.c');
  execFileSync(process.env.CC ?? 'cc', ['-O2', '-march=native', '-o', program, source, '-ldl', '-lpthread']);
  const bandwidth = Number(execFileSync(program, ['bandwidth', `${threads}`], { encoding: 'utf8' }));
  const script = path.join(root, 'bench/peers/matmul_rate.py');
  const rates = execFileSync(python, ['-B', '-W', 'ignore', script, `${threads}`], { encoding: 'utf8' });
  return { bandwidth, ...(JSON.parse(rates) as Omit<Limits, 'bandwidth'>) };
}
