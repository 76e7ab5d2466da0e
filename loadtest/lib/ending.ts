/** What is left of a run? A report as JSON and as a page, and its text on the terminal. */
import { pageOf } from './page.ts';
import { type RunParts, reportOf } from './summary.ts';
import { textOf } from './terminal.ts';

/** Contents by file name, as k6 wants them. */
export function filesOf(parts: RunParts): Record<string, string> {
  const report = reportOf(parts);
  const { out } = parts.settings;
  const text = textOf(report);
  if (out === undefined) return { stdout: text };
  return {
    stdout: `${text}report: ${out}.html, ${out}.json\n`,
    [`${out}.json`]: `${JSON.stringify(report, null, 2)}\n`,
    [`${out}.html`]: pageOf(report),
  };
}
