/** What can be asked of `ragscale`? Each command has a file of its own; this one puts them together. */
import { Command } from 'commander';
import { embedCommand, generateCommand } from './engine-commands.ts';
import { keysCommand } from './keys-command.ts';
import { modelsCommand } from './models-command.ts';
import { reportFailure } from './output.ts';
import { simulateCommand } from './simulate-command.ts';
import { upCommand } from './up-command.ts';

const program = new Command('ragscale')
  .description('retrieval-augmented answers that hold a latency target')
  .showHelpAfterError()
  .addCommand(upCommand())
  .addCommand(modelsCommand())
  .addCommand(generateCommand())
  .addCommand(embedCommand())
  .addCommand(keysCommand())
  .addCommand(simulateCommand());

try {
  await program.parseAsync();
} catch (error) {
  reportFailure(error);
}
