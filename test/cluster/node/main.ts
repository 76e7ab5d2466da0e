/** Which command is meant? `main.ts up | down | load-images [TARGET...] | enter COMMAND...` */
import { spawnSync } from 'node:child_process';
import { down, loadImages, up } from './commands.ts';
import { layoutOf } from './layout.ts';
import { enter } from './namespaces.ts';

const USAGE = 'usage: main.ts up | down | load-images [TARGET...] | enter COMMAND...';

async function main([command, ...rest]: readonly string[]): Promise<number> {
  switch (command) {
    case 'up':
      await up();
      return 0;
    case 'down':
      await down();
      return 0;
    case 'load-images':
      await loadImages(rest.length > 0 ? rest : undefined);
      return 0;
    case 'enter': {
      const [program, ...parameters] = enter(layoutOf(), rest.length > 0 ? rest : ['bash']);
      return spawnSync(program, parameters, { stdio: 'inherit' }).status ?? 1;
    }
    default:
      throw new Error(USAGE);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
