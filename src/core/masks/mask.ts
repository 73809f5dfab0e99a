/**
 * What a mask is: a predicate over (query, key), both 0-based token positions.
 *
 * The predicate is the truth. `visible` and `visiblePairs` are shortcuts derived from it by hand, so that a million
 * tokens plan in milliseconds; the tests hold them equal to the predicate.
 */
export interface Mask {
  /** Whether the key at position `key` is visible to the query at position `query`. */
  readonly allows: (query: number, key: number) => boolean;
  /** The keys visible to one query. Every field is non-decreasing in `query`. */
  readonly visible: (query: number) => VisibleKeys;
  /** Number of (query, key) pairs that `allows` admits over the whole sequence. */
  readonly visiblePairs: () => number;
}

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

/** A masking scenario: how it is named, what it takes, and the mask it makes for a sequence of a given length. */
export interface MaskDefinition<S extends { readonly kind: string }> {
  readonly kind: S['kind'];
  readonly title: string;
  /** One sentence: which keys a query sees. */
  readonly description: string;
  readonly parameters: readonly ScenarioParameter<Exclude<keyof S, 'kind'> & string>[];
  /** A mask that lets a query see later keys has no perplexity on a model that predicts the next token. */
  readonly looksAhead: boolean;
  /** Whether keys are sampled (theorem 4.1) rather than read in full: the result is an estimate. */
  readonly sampled: boolean;
  mask(scenario: S, tokens: number): Mask;
  /** What is wrong with this combination of parameters, with the fix, or undefined. */
  complaint?(scenario: S): string | undefined;
}
