import type { ModelShape } from '../../../core/shapes';
import type { Checkpoint } from './weights';
import type { RotaryEmbedding } from './rope';

/** How numbers of a token are normalised: by their root mean square, or by mean and variance. */
export interface Norm {
  readonly kind: 'rms' | 'layer';
  readonly epsilon: number;
}

/** Activations of feed-forward networks; `gelu` is the exact one, `gelu-tanh` its usual approximation. */
export type Activation = 'silu' | 'gelu' | 'gelu-tanh' | 'relu';

/** What a layer computes besides attention, as far as architectures differ in it: all that its graphs are built from. */
export interface Architecture {
  readonly shape: ModelShape;
  readonly norm: Norm;
  /** Norms before each half of a layer, on what it reads, or after it, on the residual stream itself (BERT). */
  readonly normPlacement: 'before' | 'after';
  readonly activation: Activation;
}

/** What a model's configuration says. */
export interface ModelConfig extends Architecture {
  /** As `config.json` names it, such as `llama`. */
  readonly modelType: string;
  /** The rotary embedding of each layer; undefined where positions are learned. */
  readonly rotary: readonly RotaryEmbedding[] | undefined;
  /** Tokens that the model has positions for; undefined where nothing limits them. */
  readonly maximumTokens: number | undefined;
  /** Tokens that it was trained with, where the configuration says so. */
  readonly trainedTokens: number | undefined;
  /** What its output head predicts: the next token, a masked one, or nothing, where there is no head. */
  readonly predicts: 'next' | 'masked' | 'nothing';
  readonly checkpoint: Checkpoint;
}
