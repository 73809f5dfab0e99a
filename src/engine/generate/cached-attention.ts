import { emptyState } from '../../core/math/attention-state';
import { hiddenScore, largestLogSum } from '../attend/graphs/attend';
import type { AttentionRun, KeyStack, Oracle } from '../attend/tiles/oracle';
import { mergeTiles } from '../attend/tiles/states';
import type { LayerCache } from '../tasks/generate/cached-attention';

/**
 * Attention of the newest token over the keys in its layer's cache: a call for each tile of M slots, for each key-value head.
 *
 * The query heads that share a key-value head are the queries of one call.
 * @param query `[H, m]`, scaled by 1/sqrt(m)
 * @param headWidth m
 * @returns `[H, m]`
 */
export async function attendCached(
  oracle: Pick<Oracle, 'attend' | 'attendApart'>,
  cache: LayerCache,
  query: Float32Array,
  headWidth: number,
): Promise<Float32Array> {
  const out = new Float32Array(query.length);
  const size = query.length / cache.keys.length;
  for (let head = 0; head < cache.keys.length; head += 1) {
    const part = query.subarray(head * size, (head + 1) * size);
    out.set(await attendHead(oracle, cache, head, part, headWidth), head * size);
  }
  return out;
}

/** The query heads of one key-value head: `[queries, m]` to `[queries, m]`. */
async function attendHead(
  oracle: Pick<Oracle, 'attend' | 'attendApart'>,
  cache: LayerCache,
  head: number,
  query: Float32Array,
  headWidth: number,
): Promise<Float32Array> {
  const queries = query.length / headWidth;
  const runOf = (stacks: readonly KeyStack[]): AttentionRun => ({
    rows: cache.rows,
    queries,
    blocks: 1,
    plainKeys: false,
    query,
    stacks,
    instances: stacks.reduce((tiles, stack) => tiles + stack.tiles, 0),
  });
  const stacks = stacksOf(cache, head, queries, headWidth);
  const { out, logSum } = await oracle.attend(runOf(stacks));
  if (logSum.every((value) => value < largestLogSum)) {
    return out;
  }
  // A score lies far above the reference of its sum: each tile again, with a reference of its own.
  const state = emptyState(queries, headWidth);
  for (const stack of stacks) {
    mergeTiles(state, await oracle.attendApart(runOf([stack])), stack.tiles, queries);
  }
  return Float32Array.from(state.out);
}

/** The tiles of a cache: the last one first and by itself, since it may be part-filled and the first stack gives the reference. */
function stacksOf({ keys, values, length, rows }: LayerCache, head: number, queries: number, headWidth: number): KeyStack[] {
  const full = Math.ceil(length / rows) - 1;
  const filled = length - full * rows;
  const view = (from: number, tiles: number): Pick<KeyStack, 'tiles' | 'key' | 'value'> => ({
    tiles,
    key: keys[head].subarray(from * rows * (headWidth + 1), (from + tiles) * rows * (headWidth + 1)),
    value: values[head].subarray(from * rows * headWidth, (from + tiles) * rows * headWidth),
  });
  const mask =
    filled === rows ? undefined : Float32Array.from({ length: queries * rows }, (_, index) => (index % rows < filled ? 0 : hiddenScore));
  return [{ ...view(full, 1), mask }, ...(full > 0 ? [view(0, full)] : [])];
}
