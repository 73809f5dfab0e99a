import type { HeadTensors } from '../../../core/math/reference-attention';
import { headView, type HeadTensor } from '../../run/head-tensor';

/** Queries (scaled), keys and values of one layer. Key-value heads may be fewer than query heads. */
export interface LayerTensors {
  readonly query: HeadTensor;
  readonly key: HeadTensor;
  readonly value: HeadTensor;
}

/** The key-value head of a query head: consecutive query heads share one. */
export function keyHeadOf({ query, key }: LayerTensors, head: number): number {
  return Math.floor((head * key.heads) / query.heads);
}

/** Views of one query head's tensors, its key-value head's keys and values among them. */
export function headTensors(layer: LayerTensors, head: number): HeadTensors {
  const keyHead = keyHeadOf(layer, head);
  return {
    width: layer.query.width,
    queries: headView(layer.query, head),
    keys: headView(layer.key, keyHead),
    values: headView(layer.value, keyHead),
  };
}

/** Attention of one layer: `out` `[H, N, m]` and `logNormaliser` `[H, N]`, natural logarithm. */
export interface AttendedLayer {
  readonly out: HeadTensor;
  readonly logNormaliser: Float64Array;
  /** Dependent rounds of calls that it took: 1, and 2 more where synthetic tokens underflowed. */
  readonly rounds: number;
}

/** Attends one layer after another by the calls of a plan; its buffers are shared by all layers. */
export interface LayerAttention {
  /** Attention of one layer. What it returns may be written over by the next layer. */
  run(layer: LayerTensors): Promise<AttendedLayer>;
}

/** Is told how many single-head instances were finished, after every batch; it may throw to stop the run. */
export type OnInstances = (instances: number) => void;
