/** What does Grafana make of a query before it asks? */
import type { AnnotationQuery, Dashboard, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';

export interface PanelQuery {
  readonly panel: string;
  readonly refId: string;
  readonly expr: string;
  readonly legend: string;
  readonly isInstant: boolean;
}

/** Without rows. */
export function panelsOf(dashboard: Dashboard): Panel[] {
  return (dashboard.panels ?? []).filter((panel): panel is Panel => (panel as RowPanel | Panel).type !== 'row');
}

export function queriesOf(dashboard: Dashboard): PanelQuery[] {
  return panelsOf(dashboard).flatMap(({ title = '', targets = [] }) =>
    (targets as Dataquery[]).map(({ refId = '', expr = '', legendFormat = '', instant }) => ({
      panel: title,
      refId,
      expr,
      legend: legendFormat,
      isInstant: instant === true,
    })),
  );
}

export function annotationsOf(dashboard: Dashboard): AnnotationQuery[] {
  return dashboard.annotations?.list ?? [];
}

/** By name; `__rate_interval` and `__range` are Grafana's own. */
export type VariableValues = Readonly<Record<string, string>>;

export function variablesIn(text: string): string[] {
  return [...text.matchAll(/\$\{?(\w+)\}?/g)].map(([, name = '']) => name);
}

/** @throws Error where a variable has no value */
export function fillInVariables(expr: string, values: VariableValues): string {
  return expr.replaceAll(/\$\{?(\w+)\}?/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no variable ${name} for ${expr}`);
    return value;
  });
}
