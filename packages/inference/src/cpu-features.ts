/** Whether this processor's fast int8 products are exact. */
import { readFileSync } from 'node:fs';

/**
 * x86 without VNNI multiplies unsigned by signed bytes in pairs and saturates the sum at 16 bits: large products come out wrong.
 * ONNX Runtime has exact kernels for those processors (`session.x64quantprecision`), but it takes them at its word wherever they
 * are asked for: on a processor with VNNI they cost 1.4 times the step. So they are asked for only where needed.
 *
 * @param cpuInfo as in /proc/cpuinfo; where there is none, x86 is taken to lack VNNI
 */
export function int8Saturates(arch: NodeJS.Architecture = process.arch, cpuInfo: string = readCpuInfo()): boolean {
  if (arch !== 'x64' && arch !== 'ia32') return false;
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuInfo)?.[1]?.trim().split(/\s+/));
  return !flags.has('avx512_vnni') && !flags.has('avx_vnni');
}

function readCpuInfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
