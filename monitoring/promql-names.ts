/** Which metrics, labels and label values does a query name? */

export interface NamedSeries {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

export interface QueryNames {
  readonly series: readonly NamedSeries[];
  /** In `by`, `on` and the like. */
  readonly groupLabels: readonly string[];
  /** Everything else that is not a number: functions, keywords, and what should not be there. */
  readonly words: readonly string[];
}

const STRING = /"(?:\\.|[^"\\])*"/;
const MATCHER = new RegExp(`([a-zA-Z_]\\w*)\\s*(=~|!~|!=|=)\\s*(${STRING.source})`, 'g');
const SELECTOR = new RegExp(`([a-zA-Z_:][\\w:]*)\\{((?:${STRING.source}|[^{}"])*)\\}`, 'g');
const GROUPING = /\b(by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)/g;
const RANGE_OR_OFFSET = /\[[^\]]*\]|\boffset\s+\w+/g;

/** @param query with every variable filled in; `promtool` says whether it is PromQL at all */
export function namesIn(query: string): QueryNames {
  const series: NamedSeries[] = [];
  const groupLabels: string[] = [];
  const rest = query
    .replaceAll(SELECTOR, (_, metric: string, inside: string) => {
      series.push({ metric, matchers: matchersIn(inside) });
      return ' ';
    })
    .replaceAll(RANGE_OR_OFFSET, ' ')
    .replaceAll(GROUPING, (_, _keyword, inside: string) => {
      groupLabels.push(...inside.split(',').map((label) => label.trim()));
      return ' ';
    });
  const words = rest.match(/[a-zA-Z_:][\w:]*/g) ?? [];
  const bare = words.filter((word) => word.startsWith('ragscale') || word.includes(':'));
  return {
    series: [...series, ...bare.map((metric) => ({ metric, matchers: [] }))],
    groupLabels: groupLabels.filter((label) => label !== ''),
    words: words.filter((word) => !bare.includes(word)),
  };
}

function matchersIn(inside: string): NamedSeries['matchers'] {
  return [...inside.matchAll(MATCHER)].map(([, label = '', operator = '', value = '""']) => ({
    label,
    operator,
    value: JSON.parse(value) as string,
  }));
}
