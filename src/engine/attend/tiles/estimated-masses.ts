import { massIndex } from '../../../core/chosen/choice';
import { causalTiles } from '../../../core/chosen/rule';
import { blockEnd, blockStart } from '../../../core/plan/partition';
import type { LayerPlan } from '../../../core/plan/plan';
import { headView, type LayerTensors, rowsView } from './layer';
import type { Oracle } from './oracle';

/** What masses are estimated with. */
interface Estimate {
  readonly plan: Pick<LayerPlan, 'tokens' | 'blocks' | 'blockSize'>;
  /** M, or N where a block is longer. */
  readonly rows: number;
  /** Of each block, evenly apart; all of it where it has no more. */
  readonly queries: number;
  /** Scores of one run, at most, unless a single query block has more. */
  readonly mostScores: number;
  readonly oracle: Pick<Oracle, 'tileMasses'>;
}

/**
 * Which share of its weights each query block of a head has in the key blocks before its own, as some of its queries say it, exactly.
 *
 * Masses are comparable between heads, which scores are not; a learned sink has its part of the whole.
 * @returns of each query head, by `massIndex`
 */
export async function estimatedMasses(layer: LayerTensors, { plan, rows, queries, mostScores, oracle }: Estimate): Promise<Float32Array[]> {
  const { query, key } = layer;
  const { width } = query;
  const { tokens, blocks } = plan;
  const group = query.heads / key.heads;
  const asked = Math.min(queries, rows);
  const found = Array.from({ length: query.heads }, () => new Float32Array(causalTiles(blocks - 1)));
  const padded = new Float32Array(tokens < blocks * rows ? blocks * rows * width : 0);
  // The first query block has no choice.
  for (let first = 1; first < blocks;) {
    let end = first + 1;
    while (end < blocks && group * (end + 1 - first) * asked * (end + 1) * rows <= mostScores) {
      end += 1;
    }
    const count = end - first;
    const places = placesIn(plan, first, end, asked);
    for (let keyHead = 0; keyHead < key.heads; keyHead += 1) {
      const own = new Float32Array(group * count * asked * width);
      for (let head = 0; head < group; head += 1) {
        const from = headView(query, keyHead * group + head);
        places.forEach((row, at) => own.set(from.subarray(row * width, (row + 1) * width), (head * count * asked + at) * width));
      }
      if (end * rows > tokens) {
        padded.set(headView(key, keyHead));
      }
      const masses = await oracle.tileMasses({
        rows,
        heads: group,
        blocks: count,
        query: own,
        positions: places,
        key: end * rows > tokens ? padded : rowsView(key, keyHead, 0, end * rows),
        sinks: layer.sinks?.subarray(keyHead * group, (keyHead + 1) * group),
      });
      for (let head = 0; head < group; head += 1) {
        for (let block = first; block < end; block += 1) {
          const at = (head * count + block - first) * end;
          found[keyHead * group + head].set(masses.subarray(at, at + block), massIndex(block, 0));
        }
      }
    }
    first = end;
  }
  return found;
}

/** So many rows of each block, evenly apart, in float32, which has them exactly; of a short block some twice. */
function placesIn(plan: Estimate['plan'], first: number, end: number, asked: number): Float32Array {
  const places = new Float32Array((end - first) * asked);
  for (let block = first; block < end; block += 1) {
    const start = blockStart(plan, block);
    const size = blockEnd(plan, block) - start;
    for (let index = 0; index < asked; index += 1) {
      places[(block - first) * asked + index] = start + Math.floor(((index + 0.5) * size) / asked);
    }
  }
  return places;
}
