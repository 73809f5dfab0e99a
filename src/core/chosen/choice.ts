import { uniform } from '../math/random';
import type { Range } from '../scenario/mask';
import { sampleBudget, tileBudget, type TileRule } from './rule';

/** What a query block of a head reads besides its own key block. Key blocks are ascending, none is in both. */
export interface BlockChoice {
  readonly chosen: Int32Array;
  /** A uniform sample of the key blocks before it that are not chosen. */
  readonly sampled: Int32Array;
  /** How many key blocks before it are not chosen: each sampled one stands for `left / sampled.length`. */
  readonly left: number;
}

/** Consecutive keys that count alike. */
export interface WeighedRange extends Range {
  /** Natural logarithm of what their weights are multiplied with. */
  readonly logScale: number;
}

/** By what the weights of sampled tiles are multiplied. */
export function scaleOf({ sampled, left }: BlockChoice): number {
  return left / sampled.length;
}

/** The tiles of a layer that were chosen, by head and query block. */
export class TileChoice {
  /** @param blocksOf by head, in the order in which they were given, and query block */
  constructor(
    readonly rule: TileRule,
    private readonly blocksOf: readonly (readonly BlockChoice[])[],
  ) {}

  get heads(): number {
    return this.blocksOf.length;
  }

  /** T. */
  get blocks(): number {
    return this.blocksOf[0].length;
  }

  of(head: number, queryBlock: number): BlockChoice {
    return this.blocksOf[head][queryBlock];
  }

  /** Tiles of a head that are read, own key blocks included, and how many of them are sampled. */
  tilesOf(head: number): { readonly tiles: number; readonly sampled: number } {
    const sampled = this.blocksOf[head].reduce((sum, block) => sum + block.sampled.length, 0);
    return { tiles: this.blocksOf[head].reduce((sum, { chosen }) => sum + 1 + chosen.length, sampled), sampled };
  }

  /** The keys that a query reads, ascending: of its own block those up to itself. */
  rangesOf(head: number, query: number, blockSize: number): WeighedRange[] {
    const block = Math.floor(query / blockSize);
    const own = this.of(head, block);
    const ranges = [
      ...Array.from(own.chosen, (key) => ({ key, logScale: 0 })),
      ...Array.from(own.sampled, (key) => ({ key, logScale: Math.log(scaleOf(own)) })),
    ].sort((one, other) => one.key - other.key);
    return [
      ...ranges.map(({ key, logScale }) => ({ from: key * blockSize, to: (key + 1) * blockSize, logScale })),
      { from: block * blockSize, to: query + 1, logScale: 0 },
    ];
  }

  /**
   * What is wrong with the choice, whatever the masses were; undefined where nothing is. It is to keep the budget, to read no later key
   * block and none twice, and to sample from those that are left.
   */
  fault(): string | undefined {
    const { blocks, heads, rule } = this;
    const tiles = Array.from({ length: heads }, (_, head) => this.tilesOf(head).tiles).reduce((sum, own) => sum + own, 0);
    if (tiles !== heads * tileBudget(rule, blocks)) {
      return `reads ${tiles} tiles, not the ${heads * tileBudget(rule, blocks)} of its budget`;
    }
    for (const own of this.blocksOf) {
      for (const [block, { chosen, sampled, left }] of own.entries()) {
        const read = Int32Array.from([...chosen, ...sampled]).sort();
        const isOnce = read.every((key, at) => key >= 0 && key < block && (at === 0 || key > read[at - 1]));
        if (!isOnce || left !== block - chosen.length || sampled.length > left) {
          return `has tiles of query block ${block + 1} that are not ones before it, each once`;
        }
      }
    }
    return undefined;
  }
}

/** The place of a tile among those of a head: query blocks in order, each with the key blocks before its own. */
export function massIndex(queryBlock: number, keyBlock: number): number {
  return (queryBlock * (queryBlock - 1)) / 2 + keyBlock;
}

/**
 * Chooses the tiles of a layer: the own key block of every query block, those of most mass among all heads and query blocks, and a sample of
 * the others.
 *
 * @param masses of each head, by `massIndex`: shares of the weights of a query block, as far as they are known
 * @param blocks T
 * @param layer 0-based, by which samples differ
 */
export function chooseTiles(masses: readonly Float32Array[], blocks: number, rule: TileRule, layer = 0): TileChoice {
  const samples = masses.length * sampleBudget(rule, blocks);
  const gains = masses.map((own) => gainsOf(own, blocks));
  const isChosen = heaviest(gains, masses.length * (tileBudget(rule, blocks) - blocks) - samples);
  const found: OpenChoice[][] = masses.map((own, head) =>
    Array.from({ length: blocks }, (_, block): OpenChoice => {
      const chosen: number[] = [];
      const others: number[] = [];
      let left = 0;
      for (let key = 0; key < block; key += 1) {
        const at = massIndex(block, key);
        (isChosen[head][at] === 1 ? chosen : others).push(key);
        left += isChosen[head][at] === 1 ? 0 : own[at];
      }
      return { chosen, others, left, size: 0 };
    }),
  );
  shareSample(found.flat(), samples);
  return new TileChoice(
    rule,
    found.map((own, head) =>
      own.map(({ chosen, others, size }, block) => ({
        chosen: Int32Array.from(chosen),
        sampled: sampleOf(others, size, uniform(rule.seed + stride * (1 + (layer * found.length + head) * blocks + block))),
        left: others.length,
      })),
    ),
  );
}

/** What a query block of a head reads, while it is decided. */
interface OpenChoice {
  readonly chosen: readonly number[];
  /** Key blocks that are not chosen, and their mass. */
  readonly others: readonly number[];
  readonly left: number;
  /** How many of the others are sampled. */
  size: number;
}

/** Distance of the seeds of query blocks: an odd number, so that all of 2^32 are reached. */
const stride = 0x9e3779b9;

/**
 * By how much each tile makes the square of the mass less that its query block has not read, if those of more mass are read before it. So
 * tiles of a query block come in the order of their masses, and the largest gains of all together leave the least sum of squares: a query block
 * that has lost half of its weights is worse than two that have lost a quarter each.
 */
function gainsOf(masses: Float32Array, blocks: number): Float32Array {
  const gains = new Float32Array(masses.length);
  for (let block = 1; block < blocks; block += 1) {
    const first = massIndex(block, 0);
    const own = masses.subarray(first, first + block);
    let left = own.reduce((sum, mass) => sum + mass, 0);
    for (const key of Array.from(own.keys()).sort((one, other) => own[other] - own[one])) {
      gains[first + key] = own[key] * Math.max(0, 2 * left - own[key]);
      left -= own[key];
    }
  }
  return gains;
}

/** Marks the `count` largest numbers with 1; of equal ones those of earlier heads and tiles. */
function heaviest(masses: readonly Float32Array[], count: number): Uint8Array[] {
  const marks = masses.map((own) => new Uint8Array(own.length));
  const ascending = new Float32Array(masses.reduce((sum, own) => sum + own.length, 0));
  let at = 0;
  for (const own of masses) {
    ascending.set(own, at);
    at += own.length;
  }
  if (count === 0) {
    return marks;
  }
  ascending.sort();
  const least = ascending[ascending.length - count];
  let above = 0;
  masses.forEach((own) => own.forEach((mass) => (above += mass > least ? 1 : 0)));
  let equal = count - above;
  masses.forEach((own, head) =>
    own.forEach((mass, tile) => {
      const isEqual = mass === least && equal > 0;
      equal -= isEqual ? 1 : 0;
      marks[head][tile] = mass > least || isEqual ? 1 : 0;
    }),
  );
  return marks;
}

/**
 * Shares a sample among query blocks, in proportion to the mass that each has left: that makes the sum of the errors' squares least where
 * the masses left are alike. Two tiles at least, whose spread tells the error, as long as there are any.
 */
function shareSample(all: readonly OpenChoice[], total: number): void {
  const byMass = all.filter(({ others }) => others.length > 0).sort((one, other) => other.left - one.left);
  let rest = total;
  let mass = byMass.reduce((sum, { left }) => sum + left, 0);
  for (const each of byMass) {
    const wanted = mass > 0 ? Math.round((rest * each.left) / mass) : 0;
    each.size = Math.min(each.others.length, rest, Math.max(2, wanted));
    rest -= each.size;
    mass -= each.left;
  }
  // Where a block has fewer tiles left than its part, others get more.
  for (const each of byMass) {
    const more = Math.min(rest, each.others.length - each.size);
    each.size += more;
    rest -= more;
  }
}

/** Some of the tiles, each set of so many as likely as any other (the first steps of a Fisher-Yates shuffle), ascending. */
function sampleOf(tiles: readonly number[], size: number, next: () => number): Int32Array {
  const order = Int32Array.from(tiles);
  for (let place = 0; place < size; place += 1) {
    const drawn = place + Math.floor(next() * (order.length - place));
    [order[place], order[drawn]] = [order[drawn], order[place]];
  }
  return order.slice(0, size).sort();
}
