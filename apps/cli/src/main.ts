/** What can be asked of `ragscale`? Each command has a file of its own; this one puts them together. */
import { Command } from 'commander';
import { embedCommand, generateCommand } from './engine-commands.ts';
import { keysCommand } from './keys-command.ts';
import { modelsCommand } from './models-command.ts';
import { reportFailure } from './output.ts';

const program = new Command('ragscale')
  .description('retrieval-augmented answers that hold a latency target')
  .showHelpAfterError()
  .addCommand(modelsCommand())
  .addCommand(generateCommand())
  .addCommand(embedCommand())
  .addCommand(keysCommand());

try {
  await program.parseAsync();
} catch (error) {
  reportFailure(error);
}
