/** The one way in which building a model refuses: a single line that names the file and the tensor or field at fault. */

const MAX_CHARACTERS = 2_000;

export class BuildError extends Error {
  override readonly name = 'BuildError';

  /** @param message may hold names that come from the file at fault: line breaks and controls are written out, and it has an end */
  constructor(message: string, options?: ErrorOptions) {
    super(message.slice(0, MAX_CHARACTERS).replace(/\p{Cc}/gu, writtenOut), options);
  }
}

function writtenOut(control: string): string {
  return control === '\n' ? '\\n' : `\\u${control.codePointAt(0)!.toString(16).padStart(4, '0')}`;
}
