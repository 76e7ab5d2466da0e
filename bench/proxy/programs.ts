/** Which of the programs that are not ours are here? */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Where Debian puts servers, which an ordinary user's PATH lacks. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), ...MORE_FOLDERS];
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
