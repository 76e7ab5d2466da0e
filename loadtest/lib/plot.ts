/** How are lines and bars drawn without a browser, a library or a network? As SVG that takes its ink from the page around it. */
import { type Axis, linearAxis, logAxis, tickText } from './axis.ts';
import { escaped } from './escape.ts';

export interface Line {
  readonly name: string;
  readonly color: string;
  /** A null ordinate is a gap. */
  readonly points: readonly (readonly [x: number, y: number | null])[];
  readonly dashed?: boolean;
}

export interface Stack {
  readonly name: string;
  readonly color: string;
  /** Heights, one for each bar. */
  readonly heights: readonly number[];
}

export interface LinePlot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly logX?: boolean;
  readonly logY?: boolean;
  readonly lines: readonly Line[];
}

export interface BarPlot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** Where each bar begins, ascending and equally far apart. */
  readonly starts: readonly number[];
  readonly width: number;
  /** From the bottom up. */
  readonly stacks: readonly Stack[];
}

const SIZE = { width: 460, height: 300 };
const FRAME = { left: 52, right: 24, top: 14, bottom: 42 };

export function lineFigure({ title, x, y, logX = false, logY = false, lines }: LinePlot): string {
  const drawn = lines.map(({ points, ...line }) => ({
    ...line,
    points: points.map(([at, value]) => [at, value === null || (logY && value <= 0) ? null : value] as const),
  }));
  const known = drawn.flatMap(({ points }) =>
    points.flatMap(([at, value]) => (value === null ? [] : [[at, value] as const])),
  );
  const across = (logX ? logAxis : linearAxis)(
    x,
    known.map(([at]) => at),
  );
  const up = (logY ? logAxis : linearAxis)(
    y,
    known.map(([, value]) => value),
  );
  const marks = drawn.map(({ points, color, dashed = false }) => {
    // A point between two gaps is a line too short to be seen.
    const alone = points.filter(
      ([at, value], index) =>
        visible(at, logX) &&
        value !== null &&
        (points[index - 1]?.[1] ?? null) === null &&
        (points[index + 1]?.[1] ?? null) === null,
    );
    const dots = alone.map(
      ([at, value]) => `<circle cx="${left(across, at)}" cy="${top(up, value!)}" r="2.5" fill="${color}"/>`,
    );
    const dash = dashed ? ' stroke-dasharray="5 4"' : '';
    return `<path d="${pathOf(
      points.filter(([at]) => visible(at, logX)),
      across,
      up,
    )}" fill="none" stroke="${color}" stroke-width="1.8"${dash}/>${dots.join('')}`;
  });
  return figure(title, across, up, lines, marks.join(''));
}

export function barFigure({ title, x, y, starts, width, stacks }: BarPlot): string {
  const across = linearAxis(
    x,
    starts.map((start) => start + width),
  );
  const sums = starts.map((_, index) => stacks.reduce((sum, { heights }) => sum + heights[index]!, 0));
  const up = linearAxis(y, sums);
  const bars = starts.flatMap((start, index) => {
    let below = 0;
    return stacks.flatMap(({ color, heights }) => {
      const height = heights[index]!;
      if (height === 0) return [];
      const [from, to] = [top(up, below), top(up, below + height)];
      below += height;
      const wide = (left(across, start + width) - left(across, start)) * 0.9;
      return [
        `<rect x="${left(across, start)}" y="${to}" width="${rounded(wide)}" height="${rounded(from - to)}" fill="${color}"/>`,
      ];
    });
  });
  return figure(title, across, up, stacks, bars.join(''));
}

function figure(
  title: string,
  across: Axis,
  up: Axis,
  legend: readonly { name: string; color: string }[],
  marks: string,
): string {
  const bottom = SIZE.height - FRAME.bottom;
  const right = SIZE.width - FRAME.right;
  const upTicks = up.ticks.map((tick) => {
    const at = top(up, tick);
    return `<line x1="${FRAME.left}" x2="${right}" y1="${at}" y2="${at}" class="grid"/><text x="${FRAME.left - 6}" y="${at + 4}" text-anchor="end">${tickText(tick)}</text>`;
  });
  const acrossTicks = across.ticks.map((tick) => {
    const at = left(across, tick);
    return `<line x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 4}" stroke="currentColor"/><text x="${at}" y="${bottom + 17}" text-anchor="middle">${tickText(tick)}</text>`;
  });
  const names = legend.map(({ name, color }) => `<span><i style="background:${color}"></i>${escaped(name)}</span>`);
  return [
    `<figure><figcaption>${escaped(title)}</figcaption>`,
    `<svg viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${escaped(title)}">`,
    ...upTicks,
    ...acrossTicks,
    `<line x1="${FRAME.left}" x2="${right}" y1="${bottom}" y2="${bottom}" stroke="currentColor"/>`,
    `<text x="${(FRAME.left + right) / 2}" y="${SIZE.height - 6}" text-anchor="middle">${escaped(across.label)}</text>`,
    `<text transform="translate(12 ${(FRAME.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(up.label)}</text>`,
    marks,
    `</svg><p class="legend">${names.join('')}</p></figure>`,
  ].join('');
}

function pathOf(points: readonly (readonly [number, number | null])[], across: Axis, up: Axis): string {
  let pen = 'M';
  return points
    .flatMap(([at, value]) => {
      if (value === null) {
        pen = 'M';
        return [];
      }
      const command = `${pen}${left(across, at)} ${top(up, value)}`;
      pen = 'L';
      return [command];
    })
    .join('');
}

function visible(at: number, log: boolean): boolean {
  return !log || at > 0;
}

function left(axis: Axis, value: number): number {
  return rounded(FRAME.left + axis.place(value) * (SIZE.width - FRAME.left - FRAME.right));
}

function top(axis: Axis, value: number): number {
  return rounded(SIZE.height - FRAME.bottom - axis.place(value) * (SIZE.height - FRAME.top - FRAME.bottom));
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
