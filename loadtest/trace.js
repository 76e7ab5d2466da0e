/** How does the system answer a load that was recorded? `-e TRACE=file.csv`, in as many minutes as `-e MINUTES=20` says, or as it took. */
import { loadTest } from './lib/load.ts';
import { readText } from './lib/read-text.ts';
import { parseTrace, squeezed } from './lib/trace.ts';

export const { options, setup, ask, handleSummary } = loadTest({
  test: 'trace',
  stages: ({ traceFile, durationMs }) => {
    if (traceFile === undefined) throw new Error('TRACE is missing: -e TRACE=file.csv, a line for each request');
    const recorded = parseTrace(readText('TRACE', traceFile));
    const { timesMs, sizes } = durationMs === undefined ? recorded : squeezed(recorded, durationMs);
    return [{ name: 'trace', arrivalsMs: timesMs, sizes }];
  },
});
