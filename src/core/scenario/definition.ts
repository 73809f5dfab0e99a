import type { Arrangement, BlackBoxRequest } from '../construct/construction';
import type { Mask } from './mask';

/** A whole number that a scenario takes, as plain data: every flag, setting, schema, field and CSV column of it comes from here. */
export interface NumberParameter<Name extends string = string> {
  /** Field of the scenario value, name of its setting `twoHeads.<name>`, and with two dashes in front its flag. */
  readonly name: Name;
  /** The paper's letter for it, or `n`: what help shows in place of the number. */
  readonly symbol: string;
  /** What it counts, for a column of a table; absent for plain numbers. */
  readonly unit?: 'tokens';
  /** A few words, in English, as every text here; it is translated where it is shown. */
  readonly title: string;
  /** A sentence. */
  readonly description: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly default: number;
  /** Ends of the form's slider; absent for small or arbitrary numbers, which have a field alone. */
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
  /** @throws InputError that says what is wrong with a text, and how to write it */
  readonly check: (value: string) => void;
}

/** The colour and the shape that stand for a scenario in every chart. */
export interface Mark {
  readonly colour: 'blue' | 'orange' | 'purple' | 'green' | 'red' | 'yellow' | 'foreground';
  readonly shape: 'circle' | 'square' | 'triangle' | 'diamond' | 'cross' | 'star' | 'ring';
}

/** Tiles of one head that `fused` can need at most, with the statement that says so. */
export interface TileBound {
  readonly theorem: string;
  /** In N, M, T and the scenario's own letters. */
  readonly formula: string;
  readonly tiles: number;
}

/** The part of a scenario's parameters that are numbers. */
type NumbersOf<S> = { [K in keyof S]: S[K] extends number ? K : never }[keyof S] & string;

/**
 * A masking scenario: all that is peculiar to it. Everything that offers, plans, draws or lists scenarios asks here.
 *
 * The mask is the truth; what else a definition says about pairs is tested against it.
 */
export interface ScenarioDefinition<S extends { readonly kind: string }> {
  readonly kind: S['kind'];
  /** In English, as every text here: translated where it is shown. */
  readonly title: string;
  /** One sentence: which keys a query sees. */
  readonly description: string;
  readonly parameters: readonly NumberParameter<NumbersOf<S>>[];
  readonly text?: TextParameter<Exclude<keyof S, 'kind' | NumbersOf<S>> & string>;
  readonly mark: Mark;
  /** Whether the user wrote the mask: nothing is known of its form, so it is neither compared nor planned at other lengths unasked. */
  readonly written?: boolean;
  mask(scenario: S, tokens: number): Mask;
  /** Whether it lets a query see later keys, among `tokens`: then a model that predicts the next token has no perplexity. */
  looksAhead(scenario: S, tokens: number): boolean;
  /** The seed of the permutation by which keys are sampled (theorem 4.1): the result is an estimate. Absent where all are read. */
  sampleSeed?(scenario: S): number;
  /** Whether what earlier queries see changes as the sequence grows: then nothing of them can be kept. */
  dependsOnLength?(scenario: S): boolean;
  /** The plainer scenario that it is over `tokens` tokens, where its window covers them all; a plan says so in a note. */
  sameAs?(scenario: S, tokens: number): 'causal' | 'full' | undefined;
  /** What is wrong with this combination of parameters, with the fix, or undefined. */
  complaint?(scenario: S): string | undefined;
  /** What the paper allows of `blocks` (T) blocks of `blockSize` (M) tokens. */
  bound(scenario: S, blockSize: number, blocks: number): TileBound;
  /**
   * How its calls of a black box are laid out.
   *
   * @throws InputError where the paper has no arrangement for it
   */
  arrangement(scenario: S, request: BlackBoxRequest): Arrangement;
}
