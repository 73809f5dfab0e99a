import { formatCount } from '../format';
import { english } from '../l10n';
import { coverageWords, verdictWords } from './verdict-words';

/** What the checks of a run look at: `probes` are kinds of layer, `blocks` and `rows` those of all heads and layers. */
const coverageParts = ['layers', 'heads', 'blocks', 'rows', 'probes', 'probeRows'] as const;

/** How many the plan asks for, and how many were compared. */
interface Count {
  readonly asked: number;
  readonly compared: number;
}

/** Parts that only some runs have: layers by rows token by token, halos of shards, positions of quality, and layers of decoding steps, in continuations. */
const someParts = ['tokenwise', 'halos', 'predictions', 'steps'] as const;

/** Of each part, how many the plan asks for and how many were compared. */
export type Coverage = Readonly<Record<(typeof coverageParts)[number], Count>> &
  Readonly<Partial<Record<(typeof someParts)[number], Count | undefined>>>;

/** The coverage of several runs together. */
export function joinCoverage(one: Coverage, other: Coverage): Coverage {
  const joined = [...coverageParts, ...someParts].flatMap((part) => {
    const [a, b] = [one[part], other[part]];
    const sum = { asked: (a?.asked ?? 0) + (b?.asked ?? 0), compared: (a?.compared ?? 0) + (b?.compared ?? 0) };
    return a === undefined && b === undefined ? [] : [[part, sum] as const];
  });
  return Object.fromEntries(joined) as Coverage;
}

/** What the checks were to look at and did not, in a sentence; undefined where there is nothing. */
export function missingOf(coverage: Coverage): string | undefined {
  const missed = [...coverageParts, ...someParts].find((part) => isShort(coverage[part]));
  const { asked, compared } = (missed && coverage[missed]) ?? { asked: 0, compared: 0 };
  if (missed === undefined) {
    return undefined;
  }
  return english(verdictWords.missed, formatCount(asked - compared), formatCount(asked), coverageWords[missed]);
}

function isShort(count: Count | undefined): boolean {
  return count !== undefined && count.compared < count.asked;
}
