/** What does a panel of ours look like? */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  LineStyleBuilder,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type Panel as PanelModel,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  PanelBuilder as HeatmapBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { DATASOURCE } from './variables.ts';

/** Columns of Grafana's grid. */
export const GRID_COLUMNS = 24;
const HEIGHT = 8;
const STAT_HEIGHT = 4;

export interface Query {
  readonly expr: string;
  /** With labels in double braces. */
  readonly legend: string;
}

export interface PanelText {
  readonly title: string;
  /** What is seen, and what it means when it is high. */
  readonly description: string;
  /** One of Grafana's: `s`, `reqps`, `percentunit`. */
  readonly unit: string;
}

export interface GraphOptions extends PanelText {
  readonly queries: readonly Query[];
  /** Of the grid's 24 columns. */
  readonly span?: number;
  readonly max?: number;
  /** The series add up to something. */
  readonly isStacked?: boolean;
  /** Legend of the line that the others are held against: drawn dashed. */
  readonly limit?: string;
}

export type AnyPanel = Builder<PanelModel>;

export function graph({ title, description, unit, queries, span = 12, max, isStacked, limit }: GraphOptions): AnyPanel {
  const panel = new TimeseriesBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .min(0)
    .height(HEIGHT)
    .span(span)
    .targets(queries.map((query, index) => overTime(query, index)))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(1)
    .fillOpacity(isStacked ? 30 : 8);
  if (max !== undefined) panel.max(max);
  if (isStacked) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  if (limit !== undefined) {
    const dashed = new LineStyleBuilder().fill('dash').dash([8, 8]).build();
    panel.overrideByName(limit, [
      { id: 'custom.lineStyle', value: dashed },
      { id: 'custom.fillOpacity', value: 0 },
      { id: 'color', value: { mode: 'fixed', fixedColor: 'red' } },
    ]);
  }
  return panel;
}

export interface StatOptions extends PanelText {
  readonly query: Query;
  readonly span?: number;
  readonly decimals?: number;
  /** Colours from which value on; the first has none. */
  readonly thresholds?: readonly Threshold[];
}

/** One number for the time that is shown, for each series. */
export function stat({ title, description, unit, query, span = 4, decimals, thresholds }: StatOptions): AnyPanel {
  const panel = new StatBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .height(STAT_HEIGHT)
    .span(span)
    .targets([atTheEnd(query)])
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Value);
  if (decimals !== undefined) panel.decimals(decimals);
  if (thresholds !== undefined)
    panel.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...thresholds]));
  return panel;
}

/** How often what, over time. @param query of buckets, by `le` alone */
export function heatmap({
  title,
  description,
  unit,
  query,
  span = 12,
}: Omit<StatOptions, 'thresholds' | 'decimals'>): AnyPanel {
  return new HeatmapBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .height(HEIGHT)
    .span(span)
    .targets([overTime(query, 0).format(PromQueryFormat.Heatmap)])
    .color(
      new HeatmapColorOptionsBuilder()
        .mode(HeatmapColorMode.Scheme)
        .scheme('Blues')
        .fill('blue')
        .exponent(0.5)
        .steps(64)
        .reverse(false),
    );
}

/** One row for each series. @param columns its labels, by what stands above them */
export function table({
  title,
  description,
  unit,
  query,
  columns,
  span = 12,
}: Omit<StatOptions, 'thresholds' | 'decimals'> & { readonly columns: Readonly<Record<string, string>> }): AnyPanel {
  return new TableBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .height(2 * HEIGHT)
    .span(span)
    .targets([atTheEnd(query).format(PromQueryFormat.Table)])
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(Object.keys(columns).map((label, index) => [label, index])),
        renameByName: columns,
      },
    });
}

function overTime({ expr, legend }: Query, index: number): DataqueryBuilder {
  return query(expr, legend, index).range();
}

function atTheEnd({ expr, legend }: Query): DataqueryBuilder {
  return query(expr, legend, 0).instant();
}

function query(expr: string, legend: string, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(DATASOURCE)
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
    .expr(expr)
    .legendFormat(legend);
}
