/** Where is a file that somebody named? k6 looks beside the script; people mean the folder that they are in. */

/** @param variable the name of the setting, for the message @throws Error that names every place where it was looked for */
export function readText(variable: string, file: string): string {
  const folder = __ENV.PWD;
  const places = file.startsWith('/') ? [file] : [...(folder === undefined ? [] : [`${folder}/${file}`]), file];
  for (const place of places) {
    try {
      return open(place);
    } catch {
      // The next place.
    }
  }
  throw new Error(`${variable}=${file}: there is no such file (looked for ${places.join(' and ')})`);
}

/** A file of this folder. @param url as `import.meta.resolve` gives it */
export function readOwn(url: string): string {
  return open(url.replace(/^file:\/\//, ''));
}
