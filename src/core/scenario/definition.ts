import type { TileRule } from '../chosen/rule';
import type { Arrangement, BlackBoxRequest } from '../construct/construction';
import type { Mask } from './mask';
import type { StepBudget } from './pairs/budget';
import type { PartName } from './parts';

/**
 * A whole number that a scenario takes, as plain data: its flag, setting, schema, field and CSV column are derived from
 * this.
 */
export interface NumberParameter<Name extends string = string> {
  /** Field of the scenario, name of its setting `twoHeads.<name>`, and with two dashes its flag. */
  readonly name: Name;
  /** The paper's letter for it, or `n`: the placeholder in the command line's help. */
  readonly symbol: string;
  /** What it counts, for a column of a table; absent for plain numbers. */
  readonly unit?: 'tokens';
  /** A few words, in English like every text here; translated when shown. */
  readonly title: string;
  /** A sentence. */
  readonly description: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly default: number;
  /** Range of the form's slider; absent for small or arbitrary numbers, which have only a field. */
  readonly slider?: { readonly minimum: number; readonly maximum: number };
}

/** A text that a scenario takes. */
export interface TextParameter<Name extends string = string> {
  readonly name: Name;
  /** Its flag without the dashes, and its setting `twoHeads.<flag>`. */
  readonly flag: string;
  readonly symbol: string;
  readonly title: string;
  readonly description: string;
  readonly default: string;
  /** @throws InputError that says what is wrong with a text, and how to fix it */
  readonly check: (value: string) => void;
}

/** The colour and the shape of a scenario's kind in every chart; no two kinds have both in common. */
export interface Mark {
  readonly colour: 'blue' | 'orange' | 'purple' | 'green' | 'red' | 'yellow' | 'foreground';
  readonly shape: 'circle' | 'square' | 'triangle' | 'diamond' | 'down' | 'plus' | 'cross' | 'star';
  readonly hollow?: boolean;
}

/** The most tiles of one head that `fused` can need, with the statement that proves it. */
export interface TileBound {
  readonly theorem: string;
  /** In N, M, T and the scenario's own letters. */
  readonly formula: string;
  readonly tiles: number;
}

/** The numeric parameters of a scenario. */
type NumbersOf<S> = { [K in keyof S]: S[K] extends number ? K : never }[keyof S] & string;

/** The text parameters of a scenario. */
type TextsOf<S> = { [K in keyof S]-?: S[K] extends string ? K : never }[Exclude<keyof S, 'kind'>] & string;

/** How far a query sees at most, where that does not grow with the sequence. */
export interface Reach {
  /** Keys before the query, itself not counted. */
  readonly before: number;
  /** Keys after it. */
  readonly after: number;
  /** Keys at the start of the sequence that every later query sees besides. */
  readonly sinks: number;
}

/**
 * A masking scenario: everything specific to it. Menus, plans, drawings and lists of scenarios are derived from this.
 *
 * The mask is the truth; everything else that a definition says about pairs is tested against it.
 */
export interface ScenarioDefinition<S extends { readonly kind: string }> {
  readonly kind: S['kind'];
  /** In English, like every text here; translated when shown. */
  readonly title: string;
  /** One sentence: which keys a query sees. */
  readonly description: string;
  readonly parameters: readonly NumberParameter<NumbersOf<S>>[];
  readonly text?: TextParameter<TextsOf<S>>;
  readonly mark: Mark;
  /**
   * Whether the user wrote the mask: its form is unknown, so it is compared, or planned at other lengths, only on request.
   */
  readonly written?: boolean;
  /** @param budget what a mask without a known form may spend; it throws an InputError once that is spent */
  mask(scenario: S, tokens: number, budget: StepBudget): Mask;
  /** The same mask as an expression, to put it together with others; absent where keys are sampled. */
  expression?(scenario: S): string;
  /** Whether a query may see later keys, among `tokens`: a model that predicts the next token has no perplexity then. */
  looksAhead(scenario: S, tokens: number, budget: StepBudget): boolean;
  /**
   * The seed of the permutation for sampling keys (theorem 4.1): the result is an estimate. Absent if all keys are read.
   */
  sampleSeed?(scenario: S): number;
  /** How its tiles are chosen in the run, by the content of the layer, from those of its mask, the causal one. Absent if all are read. */
  choosesTiles?(scenario: S): TileRule;
  /** Whether the keys visible to earlier queries change as the sequence grows: then their results cannot be cached. */
  dependsOnLength?(scenario: S): boolean;
  /**
   * The simpler scenario that is the same over `tokens` tokens, if the window covers them all; a plan says so in a note.
   */
  sameAs?(scenario: S, tokens: number): 'causal' | 'full' | undefined;
  /** How far a query sees; absent for masks that are not local. */
  reach?(scenario: S): Reach;
  /** The parts of a prompt that it counts: its field `starts` has to say where they begin. */
  counts?(scenario: S): readonly PartName[];
  /** What is wrong with this combination of parameters, with the fix, or undefined. */
  complaint?(scenario: S): string | undefined;
  /** The paper's bound for `blocks` (T) blocks of `blockSize` (M) tokens. */
  bound(scenario: S, blockSize: number, blocks: number): TileBound;
  /**
   * The arrangement of its black-box calls.
   *
   * @throws InputError if the paper has no arrangement for it
   */
  arrangement(scenario: S, request: BlackBoxRequest): Arrangement;
}
