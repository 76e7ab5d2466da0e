/** What does promtool say? */
import { execFile } from 'node:child_process';
import { once } from 'node:events';

export interface Said {
  readonly code: number;
  readonly said: string;
}

export async function promtool(...args: string[]): Promise<Said> {
  const child = execFile('promtool', args, { timeout: 300_000 });
  let said = '';
  for (const output of [child.stdout, child.stderr])
    output?.on('data', (part: string) => {
      said += part;
    });
  const [code] = await once(child, 'close');
  return { code, said };
}
