import type { ModelShape } from '../../../core/shapes';
import type { Checkpoint } from './weights';
import type { RotaryEmbedding } from './rope';

/** How a token's vector is normalised: by root mean square, or by mean and variance. */
export interface Norm {
  readonly kind: 'rms' | 'layer';
  readonly epsilon: number;
}

/** Activations of feed-forward networks; `gelu` is the exact one, `gelu-tanh` its usual approximation. */
export type Activation = 'silu' | 'gelu' | 'gelu-tanh' | 'relu';

/** How architectures differ in what a layer computes besides attention: the input of graph builders. */
export interface Architecture {
  readonly shape: ModelShape;
  readonly norm: Norm;
  /** Norms before each half of a layer, on its input, or after it, on the residual stream itself (BERT). */
  readonly normPlacement: 'before' | 'after';
  readonly activation: Activation;
}

/** The content of a model's configuration. */
export interface ModelConfig extends Architecture {
  /** As in `config.json`, such as `llama`. */
  readonly modelType: string;
  /** The rotary embedding of each layer; undefined if positions are learned. */
  readonly rotary: readonly RotaryEmbedding[] | undefined;
  /** What its output head predicts: the next token, a masked token, or nothing if there is no head. */
  readonly predicts: 'next' | 'masked' | 'nothing';
  readonly checkpoint: Checkpoint;
}
