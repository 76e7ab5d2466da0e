/** The one way in which building a model refuses: a single line that names the file and the tensor or field at fault. */
export class BuildError extends Error {
  override readonly name = 'BuildError';
}
