/** Which pods does a label selector mean? As `status.selector` of a scale writes it: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels */

interface Requirement {
  readonly key: string;
  /** Undefined: that the label is there is enough, or too much. */
  readonly values: ReadonlySet<string> | undefined;
  readonly negated: boolean;
}

export type LabelSelector = readonly Requirement[];

const KEY = '[A-Za-z0-9][-A-Za-z0-9_./]*';
const VALUE = '[-A-Za-z0-9_.]*';
const EQUALITY = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*(${VALUE})$`);
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const PRESENCE = new RegExp(`^(!?)\\s*(${KEY})$`);
/** Not those between the parentheses of a set. */
const COMMA = /,(?![^()]*\))/;

/** @returns no requirements for an empty text, which means every pod; @throws Error when it is no selector */
export function parseSelector(text: string): LabelSelector {
  if (text.trim() === '') return [];
  return text.split(COMMA).map((part) => parseRequirement(part.trim(), text));
}

function parseRequirement(part: string, whole: string): Requirement {
  const [, equalKey, sign, value] = EQUALITY.exec(part) ?? [];
  if (equalKey !== undefined) return { key: equalKey, values: new Set([value ?? '']), negated: sign === '!=' };
  const [, setKey, word, list = ''] = SET.exec(part) ?? [];
  if (setKey !== undefined) {
    const values = new Set(list.split(',').map((one) => one.trim()));
    return { key: setKey, values, negated: word === 'notin' };
  }
  const [, not, key] = PRESENCE.exec(part) ?? [];
  if (key !== undefined) return { key, values: undefined, negated: not === '!' };
  throw new Error(
    `${JSON.stringify(part.slice(0, 100))} in the selector ${JSON.stringify(whole.slice(0, 200))} is no requirement`,
  );
}

export function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  return selector.every(({ key, values, negated }) => {
    const label = Object.hasOwn(labels, key) ? labels[key] : undefined;
    const holds = values === undefined ? label !== undefined : label !== undefined && values.has(label);
    return holds !== negated;
  });
}
