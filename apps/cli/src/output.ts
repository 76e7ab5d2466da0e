/** How does a command speak: results on stdout (a table, or JSON with --json), progress and failures on stderr? */

export function printJson(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}

/** Columns wide enough for their longest cell; the first row is the heading. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    process.stdout.write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
}

export interface Progress {
  update(done: number, total: number): void;
  end(): void;
}

/** A line that is drawn over while work goes on, on a terminal only. @param of what the total is, for people */
export function progressLine(label: string, of: (total: number) => string = megabytes): Progress {
  if (!process.stderr.isTTY) return { update: () => {}, end: () => {} };
  let shown = -1;
  return {
    update: (done, total) => {
      const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
      if (percent === shown) return;
      shown = percent;
      const bar = '#'.repeat(Math.floor(percent / 4)).padEnd(25, '.');
      process.stderr.write(`\r${label} [${bar}] ${String(percent).padStart(3)}% of ${of(total)}`);
    },
    end: () => process.stderr.write('\r\u001b[2K'),
  };
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** One line for what a person can put right; the stack only for what is our mistake. */
export function reportFailure(error: unknown): void {
  const expected =
    error instanceof Error && error.name !== 'Error' && !(error instanceof TypeError) && !(error instanceof RangeError);
  process.stderr.write(
    `ragscale: ${expected ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = 1;
}
