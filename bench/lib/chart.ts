/** Draws a Vega-Lite specification as SVG, without a browser. */
import { writeFile } from 'node:fs/promises';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

export async function writeChart(file: string, spec: TopLevelSpec): Promise<void> {
  const { spec: vega } = compile({ background: 'white', config: { font: 'sans-serif' }, ...spec } as TopLevelSpec);
  await writeFile(file, `${await new View(parse(vega), { renderer: 'none' }).toSVG()}\n`);
}
