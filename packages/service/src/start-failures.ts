/** What does an operator do about a port that cannot be opened? */

/**
 * @param ports names of the variables for ports; @param hosts and for addresses
 * @returns undefined where the error is about something else
 */
export function explainListening(error: unknown, ports: string, hosts: string): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error ? error.code : undefined;
  const port = 'port' in error ? `port ${String(error.port)}` : 'port';
  if (code === 'EADDRINUSE') return `the ${port} is taken by another process: set ${ports} to a free one`;
  if (code === 'EACCES') return `the ${port} may not be opened by this user: set ${ports} over 1023`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${hosts} is not an address of this machine`;
  return undefined;
}
