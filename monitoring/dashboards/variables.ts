/** What can be chosen on a dashboard, and the events that are drawn into it. */
import {
  AnnotationQueryBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { METRICS, type MetricEntry } from '@ragscale/service/metric-catalogue';
import { maxBy } from '../promql.ts';
import { chosen } from './queries.ts';

/** Whichever Prometheus the reader chooses. */
export const DATASOURCE = { type: 'prometheus', uid: '$datasource' } as const;

/** What stands in the box of the objective and of the percentile until somebody, or the chart, writes something else. */
export const DEFAULT_OBJECTIVE_SECONDS = '2';
export const DEFAULT_PERCENTILE = '95';

export function datasourceVariable(): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus');
}

/** Every value that a label has. @param within chosen before, so that only what belongs to it is offered */
function labelVariable(label: string, text: string, entry: MetricEntry, within: string): QueryVariableBuilder {
  const query = `label_values(${entry.name}${within}, ${label})`;
  return (
    new QueryVariableBuilder(label)
      .label(text)
      .datasource(DATASOURCE)
      .query({ query, refId: label })
      .definition(query)
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.AlphabeticalAsc)
      .multi(true)
      .includeAll(true)
      // Otherwise Grafana would begin with the first value that it finds.
      .current({ selected: true, text: ['All'], value: ['$__all'] })
      // Outside Kubernetes there is no namespace, and `.+` would find nothing.
      .allValue('.*')
  );
}

const inNamespace = '{namespace=~"$namespace"}';

export const namespaceVariable = () => labelVariable('namespace', 'Namespace', METRICS.proxyArrivals, '');
export const routeVariable = () => labelVariable('route', 'Route', METRICS.proxyArrivals, inNamespace);
export const variantVariable = () => labelVariable('variant', 'Variant', METRICS.slots, inNamespace);
export const nameVariable = () => labelVariable('name', 'Autoscaler', METRICS.autoscalerReplicas, inNamespace);

export function objectiveVariable(): TextBoxVariableBuilder {
  return new TextBoxVariableBuilder('objective')
    .label('Objective (s)')
    .description('OBJECTIVE of the proxies, in seconds; a bound of their histograms.')
    .defaultValue(DEFAULT_OBJECTIVE_SECONDS);
}

export function percentileVariable(): TextBoxVariableBuilder {
  return new TextBoxVariableBuilder('percentile')
    .label('Percentile')
    .description('How many of a hundred answers must be within the objective.')
    .defaultValue(DEFAULT_PERCENTILE);
}

/** Where the number of replicas that is wanted changed, once for each minute in which it did. */
export function scaleEvents(): AnnotationQueryBuilder[] {
  const desired = chosen(METRICS.autoscalerReplicas, { kind: '="desired"' });
  const now = maxBy(['namespace', 'name'], desired);
  const before = maxBy(['namespace', 'name'], `${desired} offset 1m`);
  // Grafana draws what is over 0, and a target may come down to 0: down is what there was before.
  return [
    scaleEvent('Scaled up', 'green', `${now} > ${before}`, '{{namespace}}/{{name}} scaled up'),
    scaleEvent('Scaled down', 'blue', `${before} > ${now}`, '{{namespace}}/{{name}} scaled down'),
  ];
}

function scaleEvent(name: string, color: string, expr: string, title: string): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor(color)
    .expr(expr)
    .step('60s')
    .titleFormat(title)
    .tagKeys('namespace,name');
}
