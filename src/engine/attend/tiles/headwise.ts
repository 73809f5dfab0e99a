import { type AttendedLayer, type LayerAttention, rowsView } from './layer';

/** The attention of heads that share a mask. */
export interface AttendedHeads {
  /** Query heads, 0-based. */
  readonly heads: readonly number[];
  readonly attention: LayerAttention;
}

/** The attention of layers whose heads have masks of their own: that of one kind of head after another, over the same keys and values. */
export function headwiseAttention([first, ...others]: readonly AttendedHeads[]): LayerAttention {
  return {
    async run(layer, step, _heads, scale) {
      let joined = await first.attention.run(layer, step, first.heads, scale);
      for (const { heads, attention } of others) {
        joined = withHeads(joined, await attention.run(layer, step, heads, scale), heads);
      }
      return joined;
    },
  };
}

/** A layer's attention with some heads from another; nothing is copied where both have the same room. */
function withHeads(joined: AttendedLayer, from: AttendedLayer, heads: readonly number[]): AttendedLayer {
  const { tokens } = joined.out;
  for (const head of joined.out.data === from.out.data ? [] : heads) {
    rowsView(joined.out, head, 0, tokens).set(rowsView(from.out, head, 0, tokens));
    joined.logNormaliser.set(from.logNormaliser.subarray(head * tokens, (head + 1) * tokens), head * tokens);
  }
  return { ...joined, rounds: Math.max(joined.rounds, from.rounds) };
}
