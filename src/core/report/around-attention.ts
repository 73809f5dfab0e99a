import type { RoundingUse } from '../math/rounding';
import type { Activations } from '../options/table';

/** A row of a layer at its position in the prompt, both counted from 0, that a shard lacks or shows other keys. */
export interface WrongHalo {
  readonly layer: number;
  readonly row: number;
}

/** Projections, and what layers make of their attention, at one row at random of some layers, against float64 from the weights. */
export interface TokenwiseFidelity {
  /** Layers that were looked at. */
  readonly layers: number;
  /** Largest error of a row, relative to its largest number, or to the largest that the layer adds to it. */
  readonly maxRelError: number;
  readonly bound: number;
  /** What packed weights were multiplied with, whose rounding the bound allows for; absent where in float32. */
  readonly activations?: Activations | undefined;
  /** Rows that are off by more, at most 16 of them, counted from 0. */
  readonly wrongRows: readonly { readonly layer: number; readonly row: number }[];
}

/** Losses and divergence of one position at random, in nats, against float64 from its logits: the one nearest to its bound. */
export interface PredictionFidelity extends RoundingUse {
  /** Counted from 0; of the last shard, where there are several. */
  readonly position: number;
}
