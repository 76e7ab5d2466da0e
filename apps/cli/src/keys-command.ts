/** `ragscale keys`: how does a client get an API key, and the proxy the hash of it? */
import { KEY_NAME, newApiKey, renderKeyLine } from '@ragscale/service/api-keys';
import { Command, InvalidArgumentError } from 'commander';
import { printJson } from './output.ts';

export function keysCommand(): Command {
  return new Command('keys').description('make API keys for the proxy').addCommand(create());
}

interface NewFlags {
  rate?: number;
  burst?: number;
  json?: true;
}

function create(): Command {
  return new Command('new')
    .description('print a new key, which is kept nowhere, and the line with its hash for the file of keys')
    .argument('<name>', 'whose key it is; a second key of the same name is valid beside the first', keyName)
    .option('--rate <n>', 'requests a second, of all proxies together (default: no limit)', rate)
    .option('--burst <n>', 'requests at once after a rest, with --rate (default: one second of the rate)', burst)
    .option('--json', 'print JSON')
    .action((name: string, flags: NewFlags, command: Command) => {
      if (flags.burst !== undefined && flags.rate === undefined)
        command.error("error: option '--burst <n>' needs --rate");
      const { key, hash } = newApiKey();
      const holder = {
        name,
        ...(flags.rate === undefined ? {} : { ratePerSecond: flags.rate }),
        ...(flags.burst === undefined ? {} : { burst: flags.burst }),
      };
      const line = renderKeyLine(holder, hash);
      if (flags.json) return printJson({ name, key, line });
      process.stdout.write(
        `key, for the client; it is not shown again:\n${key}\nline, for the file of keys:\n${line}\n`,
      );
    });
}

function keyName(text: string): string {
  if (!KEY_NAME.test(text))
    throw new InvalidArgumentError('at most 64 letters, digits, dots, dashes or underscores are expected');
  return text;
}

// The forms that the file takes, so that no line is printed that the proxy refuses.
function rate(text: string): number {
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('a number over 0 is expected');
  return Number(text);
}

function burst(text: string): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('a whole number from 1 is expected');
  return Number(text);
}
