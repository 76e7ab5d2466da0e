/** How does a report look as a page? One file with everything in it: no script, and nothing is loaded. */
import { escaped } from './escape.ts';
import { figuresOf } from './figures.ts';
import { OUTCOMES } from './outcome.ts';
import { type Report, type StageResult, sumOf } from './report.ts';
import { milliseconds, spanOf } from './terminal.ts';

export function pageOf(report: Report): string {
  const title = `${report.test}: ${report.name}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p class="verdict ${report.passed ? 'good' : 'bad'}">${escaped(verdictOf(report))}</p>
<p>${escaped(summaryOf(report))}</p>
<div class="figures">
${figuresOf(report).join('\n')}
</div>
<h2>Stages</h2>
${table(STAGE_HEAD, report.stages.map(stageRow))}
${reasonsOf(report)}
<h2>Where the time went</h2>
${serverTimes(report)}
<h2>Was the load the one that was planned?</h2>
${generatorOf(report)}
<h2>Settings</h2>
<p><code>${escaped(settingsOf(report))}</code></p>
</body>
</html>
`;
}

function verdictOf({ passed, thresholds, total }: Report): string {
  if (passed) return 'Passed';
  const missed = thresholds.filter(({ holds }) => !holds).map(({ metric, condition }) => `${metric} ${condition}`);
  return `Failed: ${missed.length > 0 ? missed.join('; ') : `${total.planned - total.sent} requests were not sent`}`;
}

function summaryOf({ total, target, endedAt, ranS, settings }: Report): string {
  const { outcomes, good, latency, firstToken, sent } = total;
  const first = settings.streams ? `, first token p99 ${milliseconds(firstToken.p99)} ms` : '';
  const share = sent > 0 ? ` (${((100 * good) / sent).toFixed(2)}%)` : '';
  return (
    `${sent} requests to ${target} in ${spanOf(1000 * ranS)} until ${endedAt}: ${good}${share} were good (within ${settings.objectiveMs} ms), ` +
    `${OUTCOMES.map((outcome) => `${outcomes[outcome]} ${outcome}`).join(', ')}. ` +
    `Latency of answers: mean ${milliseconds(latency.mean)}, p99 ${milliseconds(latency.p99)} ms${first}.`
  );
}

const STAGE_HEAD = ['stage', 'planned', 'sent', 'good', ...OUTCOMES, 'answers/s', 'mean', 'p50', 'p95', 'p99', 'max'];

function stageRow({ name, planned, outcomes, good, throughput, latency }: StageResult): string[] {
  const counts = [planned, sumOf(outcomes), good, ...OUTCOMES.map((outcome) => outcomes[outcome])].map(String);
  const { mean, p50, p95, p99, max } = latency;
  return [name, ...counts, throughput.toFixed(1), ...[mean, p50, p95, p99, max].map(milliseconds)];
}

function reasonsOf({ reasons, statuses }: Report): string {
  const rows = reasons.map(({ outcome, reason, count }) => [`${outcome}: ${reason}`, String(count)]);
  const counted = statuses.map(({ status, count }) => [
    status === 0 ? 'no response' : `status ${status}`,
    String(count),
  ]);
  return table(['what came', 'requests'], [...counted, ...rows]);
}

function serverTimes({ stages, total }: Report): string {
  const parts = Object.keys(total.serverTimeMs) as (keyof typeof total.serverTimeMs)[];
  if (parts.length === 0) return '<p>The server told nothing (no Server-Timing header).</p>';
  const rows = stages.map(({ name, serverTimeMs }) => [name, ...parts.map((part) => milliseconds(serverTimeMs[part]))]);
  return `<p>Means by the server's own account, in milliseconds.</p>${table(['stage', ...parts], rows)}`;
}

function generatorOf({ generator, total }: Report): string {
  const { virtualUsers, mostInFlight, late, dropped, lagMs, variation } = generator;
  return table(
    ['of k6', ''],
    [
      ['requests planned, sent, not sent', `${total.planned}, ${total.sent}, ${dropped}`],
      ['virtual users', String(virtualUsers)],
      ['most of them busy at once', String(mostInFlight)],
      ['requests that found none free', String(late)],
      [
        'how late requests left: p50, p99, latest',
        `${milliseconds(lagMs.p50)}, ${milliseconds(lagMs.p99)}, ${milliseconds(lagMs.max)} ms`,
      ],
      [
        'deviation of the gaps by their mean (a Poisson process has 1, even arrivals 0)',
        Number.isFinite(variation) ? variation.toFixed(3) : '-',
      ],
    ],
  );
}

function settingsOf({ settings }: Report): string {
  return Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : String(value)}`)
    .join(' ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]) =>
    row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('');
  const body = rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('');
  return `<div class="wide"><table><thead><tr>${cells('th', head)}</tr></thead><tbody>${body}</tbody></table></div>`;
}

const STYLE = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1000px; padding: 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin-top: 2rem; }
p { overflow-wrap: anywhere; }
.verdict { font-weight: 600; } .good { color: #228833; } .bad { color: #cc3311; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { font-weight: 600; }
svg { width: 100%; height: auto; display: block; } svg text { font-size: 12px; fill: currentColor; }
svg .grid { stroke: currentColor; opacity: 0.15; }
.legend { margin: 0; font-size: 13px; display: flex; flex-wrap: wrap; gap: 0 1rem; }
.legend i { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.35em; border-radius: 2px; }
.wide { overflow-x: auto; margin-top: 0.5rem; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.15rem 0.6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; white-space: normal; }
`;
