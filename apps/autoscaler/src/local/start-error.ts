/** Why could a local system not be started? */
export class StartError extends Error {
  override readonly name = 'StartError';
}
