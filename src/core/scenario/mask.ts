/**
 * What a mask is: a predicate over (query, key), both 0-based token positions.
 *
 * The predicate is the truth. What else a mask knows are shortcuts derived from it, so that a million tokens plan in
 * milliseconds; the tests hold them equal to the predicate.
 */
export type Mask = BandedMask | GeneralMask;

interface Predicate {
  /** Whether the key at position `key` is visible to the query at position `query`. */
  readonly allows: (query: number, key: number) => boolean;
  /** Number of (query, key) pairs that `allows` admits over the whole sequence. */
  readonly visiblePairs: () => number;
}

/** A mask of one window, and keys before it that all later queries see. */
export interface BandedMask extends Predicate {
  /** The keys visible to one query. Every field is non-decreasing in `query`. */
  readonly visible: (query: number) => VisibleKeys;
}

/** A mask of any form. Every query sees itself. */
export interface GeneralMask extends Predicate {
  /** The keys visible to one query, ascending, not touching each other. */
  readonly ranges: (query: number) => readonly Range[];
  /** How many pairs of a rectangle are visible; exact. */
  readonly sight: (queries: Range, keys: Range) => Sight;
}

/** Whole numbers from `from` to `to - 1`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Which pairs of a rectangle are visible. */
export type Sight = 'all' | 'none' | 'some';

/**
 * The visible keys of one query: `[0, prefixEnd)` and `[start, end)`, with `prefixEnd <= start <= end`.
 *
 * Where the two ranges touch they are one. Once a gap has opened, `prefixEnd` stays as it is for all later queries.
 */
export interface VisibleKeys {
  readonly prefixEnd: number;
  readonly start: number;
  readonly end: number;
}

/** The keys that a query sees, as ascending ranges; some may be empty. */
export function visibleRanges(mask: Pick<BandedMask, 'visible'> | Pick<GeneralMask, 'ranges'>, query: number): readonly Range[] {
  if ('ranges' in mask) {
    return mask.ranges(query);
  }
  const { prefixEnd, start, end } = mask.visible(query);
  return [
    { from: 0, to: prefixEnd },
    { from: start, to: end },
  ];
}

/** One integer parameter of a scenario, as forms, flags and settings show it. */
export interface ScenarioParameter<Name extends string = string> {
  /** Field of the scenario value, and with two dashes in front the command line's flag. */
  readonly name: Name;
  readonly title: string;
  readonly description: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly default: number;
}

/** The text parameter of a scenario, as forms, flags and settings show it. */
export interface ScenarioText {
  readonly name: 'expression';
  readonly title: string;
  readonly description: string;
  readonly default: string;
}

/** A masking scenario: how it is named, what it takes, and the mask it makes for a sequence of a given length. */
export interface MaskDefinition<S extends { readonly kind: string }> {
  readonly kind: S['kind'];
  /** In the editor's language, as every text here: read it when it is shown. */
  readonly title: string;
  /** One sentence: which keys a query sees. */
  readonly description: string;
  readonly parameters: readonly ScenarioParameter<Exclude<keyof S, 'kind' | 'expression'> & string>[];
  /** What it takes as text, where it takes any: the name is that of the scenario's field. */
  readonly text?: ScenarioText;
  /** Whether it lets a query see later keys, among `tokens`: then a model that predicts the next token has no perplexity. */
  looksAhead(scenario: S, tokens: number): boolean;
  /** Whether keys are sampled (theorem 4.1) rather than read in full: the result is an estimate. */
  readonly sampled: boolean;
  mask(scenario: S, tokens: number): Mask;
  /** What is wrong with this combination of parameters, with the fix, or undefined. */
  complaint?(scenario: S): string | undefined;
}
