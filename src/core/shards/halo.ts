import { uniform } from '../math/random';
import type { WrongHalo } from '../report/around-attention';
import { rangesByPredicate } from '../scenario/by-predicate';
import { type LayerScenario, maskOf, type Range } from '../scenario/scenario';
import { lengthOf, placeOf, type PromptShard, unionOf } from './cut';

/** Rows of each layer that are followed at most: what tokens see of a local mask is two ranges. */
const mostRows = 24;

/**
 * Follows the first, the last and a drawn row of a shard down the layers: whether each row that they depend on is one that the shard
 * reads, and sees the same keys there as in the whole prompt. By the predicate alone, which knows nothing of reach and halo.
 *
 * Of what a row sees, the ends of each range and a key in it are followed.
 *
 * @param layers the scenario of each layer, the first layer first
 * @param tokens N of the whole prompt
 */
export function wrongHalo(
  { rows, reads }: PromptShard,
  layers: readonly LayerScenario[],
  tokens: number,
  seed: number,
): WrongHalo | undefined {
  const next = uniform(seed ^ 0x68616c6f);
  const count = lengthOf(reads);
  const some = ({ from, to }: Range): number[] => [from, to - 1, from + Math.floor(next() * (to - from))];
  let followed = some(rows);
  for (let layer = layers.length - 1; layer >= 0; layer -= 1) {
    const [whole, own] = [maskOf(layers[layer], tokens), maskOf(layers[layer], count)];
    const seen: Range[] = [];
    for (const row of followed) {
      const ranges = unionOf(rangesByPredicate(whole, row, tokens));
      const place = placeOf(reads, row);
      if (place === undefined || !isSame(ranges, inPrompt(reads, rangesByPredicate(own, place, count)))) {
        return { layer, row };
      }
      seen.push(...ranges);
    }
    followed = [...new Set(unionOf(seen).flatMap(some))].slice(0, mostRows);
  }
  const outside = followed.find((row) => placeOf(reads, row) === undefined);
  return outside === undefined ? undefined : { layer: 0, row: outside };
}

/** Where rows of a run lie in the prompt. */
function inPrompt(reads: readonly Range[], ofRun: readonly Range[]): Range[] {
  const found: Range[] = [];
  let first = 0;
  for (const { from, to } of reads) {
    const end = first + to - from;
    for (const range of ofRun) {
      found.push({ from: from + Math.max(first, range.from) - first, to: from + Math.min(end, range.to) - first });
    }
    first = end;
  }
  return unionOf(found);
}

function isSame(one: readonly Range[], other: readonly Range[]): boolean {
  return one.length === other.length && one.every(({ from, to }, at) => from === other[at].from && to === other[at].to);
}
