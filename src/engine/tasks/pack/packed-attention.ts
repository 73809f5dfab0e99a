import { separationStrength } from '../../../core/construct/separation';
import { headTensor, rowsView, type HeadTensor } from '../../run/head-tensor';
import type { LayerTensors } from '../../attend/tiles/layer';
import type { AttentionKernel } from '../../pack/kernel';
import type { PackLayout, PromptPlace } from '../../pack/layout';

/** Attention of one layer over a packed sequence. */
export interface PackedLayer {
  /** `[H, N, m]`. */
  readonly out: HeadTensor;
  /** The largest weight that a query gave to another prompt's keys, as far as one separation column shows it. */
  readonly leak: number;
}

/**
 * Attends all prompts of a layer in one call (theorem 4.2): rows are copied and separation vectors appended, nothing else.
 *
 * Queries get `u_c`, keys `v_c`. Values get `v_c` too, as a fused kernel has one width for all three, and that makes the
 * call tell on itself: where `v_c` is 0 a query of prompt c reads only what leaked, `B` times the weight of the others
 * whose vector is B there, and every other prompt has such a column.
 */
export async function attendPacked({ query, key, value }: LayerTensors, layout: PackLayout, kernel: AttentionKernel): Promise<PackedLayer> {
  const wide = await kernel.attend({
    query: extend(query, layout, ({ separation }) => separation.query),
    key: extend(key, layout, ({ separation }) => separation.key),
    value: extend(value, layout, ({ separation }) => separation.key),
  });
  return { out: withoutSeparation(wide, layout, query.width), leak: leakOf(wide, layout, query.width) };
}

/** A copy of `tensor` with its prompt's vector after each row. */
function extend(tensor: HeadTensor, layout: PackLayout, vectorOf: (place: PromptPlace) => Float32Array): HeadTensor {
  if (layout.separationWidth === 0) {
    return tensor;
  }
  const wide = headTensor(tensor.heads, tensor.tokens, tensor.width + layout.separationWidth);
  forEachRow(wide, layout, (row, place, head, token) => {
    row.set(rowsView(tensor, head, token, token + 1));
    row.set(vectorOf(place), tensor.width);
  });
  return wide;
}

/** A copy of the first `width` columns. */
function withoutSeparation(wide: HeadTensor, layout: PackLayout, width: number): HeadTensor {
  if (layout.separationWidth === 0) {
    return wide;
  }
  const out = headTensor(wide.heads, wide.tokens, width);
  forEachRow(wide, layout, (row, _place, head, token) => rowsView(out, head, token, token + 1).set(row.subarray(0, width)));
  return out;
}

/** The largest entry, over B, of the columns that a row's own prompt leaves at 0; NaN counts as everything leaked. */
function leakOf(wide: HeadTensor, layout: PackLayout, width: number): number {
  let leak = 0;
  forEachRow(wide, layout, (row, { separation }) => {
    for (let column = 0; column < layout.separationWidth; column += 1) {
      if (separation.key[column] === 0) {
        const weight = row[width + column] / separationStrength;
        leak = Math.max(leak, Number.isNaN(weight) ? Infinity : Math.abs(weight));
      }
    }
  });
  return leak;
}

function forEachRow(
  tensor: HeadTensor,
  layout: PackLayout,
  visit: (row: Float32Array, place: PromptPlace, head: number, token: number) => void,
): void {
  for (let head = 0; head < tensor.heads; head += 1) {
    for (const place of layout.prompts) {
      for (let token = place.from; token < place.to; token += 1) {
        visit(rowsView(tensor, head, token, token + 1), place, head, token);
      }
    }
  }
}
