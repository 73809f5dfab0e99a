import type { Scenario } from '../scenario/scenario';
import type { CellGrid } from './cells';
import type { keptShares } from './oracle-curve';

/**
 * Where the attention of a run goes: what each tile of every head holds of its weights, means over queries, and what follows from that.
 *
 * Masses are exact to float32, from the sums that are merged anyway. What is made of tiles is of the mean over a query block.
 */
export interface Atlas {
  /** The grid of `HeadAtlas.mass`. */
  readonly cells: CellGrid;
  readonly heads: readonly HeadAtlas[];
  readonly layers: readonly LayerOracle[];
  /** Over all layers. */
  readonly oracle: OracleCurve;
  /** What a scenario would cut off; null where none was asked about. */
  readonly cut: AtlasCut | null;
  /** By how much the masses of a query block miss 1, at most. */
  readonly massError: number;
}

/** One head; means are over queries. */
export interface HeadAtlas {
  /** 0-based. */
  readonly layer: number;
  readonly head: number;
  /** `[side, side]` by query and key: mean weight that the queries of a cell give to its keys, to six decimals. */
  readonly mass: readonly number[];
  /** Entropy in nats of a query block's masses over its tiles: e to it is the number of tiles that it is spread over. */
  readonly entropy: number;
  /** Mass of the first tile, over the queries of later blocks; null where there are none. */
  readonly firstTile: number | null;
  /** Mass of the first token, over later queries: all of them, or some 256 evenly apart; null where there are none. */
  readonly firstToken: number | null;
  /** Mass that a learned sink takes from the keys; null where the model has none. */
  readonly learnedSink: number | null;
  /** Mass by the distance between query block and key block: the same, 1, 2 to 3, 4 to 7, ... blocks. */
  readonly byDistance: readonly number[];
  /** Tiles that exact attention reads. */
  readonly tiles: number;
  /** Of those the fewest that keep each of `keptShares` of the mass of every query block. */
  readonly fewest: readonly number[];
  /** Mass that the scenario cuts off, and the same by cells; null where no scenario was asked about. */
  readonly cut: { readonly share: number; readonly mass: readonly number[] } | null;
}

/** The fewest tiles that keep shares of the mass: for this prompt and model, what no choice of tiles can go below. */
export interface OracleCurve {
  /** Single-head tiles that exact attention reads, and calls that carry them. */
  readonly tiles: number;
  readonly calls: number;
  readonly kept: readonly KeptTiles[];
}

/** The fewest tiles for one share of the mass. */
export interface KeptTiles {
  readonly share: (typeof keptShares)[number];
  /** Where every query block of every head keeps the share. */
  readonly eachBlock: number;
  /** Calls that carry those tiles. */
  readonly calls: number;
  /** Where heads and query blocks keep it together, on average. */
  readonly together: number;
}

/** The oracle curve of one layer. */
export interface LayerOracle extends OracleCurve {
  readonly layer: number;
}

/** What a scenario hides of the model's own attention. */
export interface AtlasCut {
  readonly scenario: Scenario;
  /** Mean over all heads, layers and queries. */
  readonly share: number;
}

/** Names of distances between query and key block, for so many octaves. */
export function distanceLabels(count: number): string[] {
  return Array.from({ length: count }, (_, octave) => {
    const [from, to] = [2 ** (octave - 1), 2 ** octave - 1];
    return octave === 0 ? 'own' : from === to ? String(from) : `${from}-${to}`;
  });
}

/** Means over the heads of a layer. */
export interface LayerMeans extends Pick<HeadAtlas, 'layer' | 'firstTile' | 'firstToken' | 'learnedSink' | 'byDistance'> {
  /** Tiles over which a query block is spread: e to the mean entropy. */
  readonly spread: number;
  /** Share that the scenario cuts off. */
  readonly cut: number | null;
}

/** The means of each layer. */
export function layerMeans({ heads, layers }: Pick<Atlas, 'heads' | 'layers'>): LayerMeans[] {
  return layers.map(({ layer }) => {
    const own = heads.filter((head) => head.layer === layer);
    const mean = (of: (head: HeadAtlas) => number): number => own.reduce((sum, head) => sum + of(head), 0) / own.length;
    // What one head of a layer lacks, they all lack.
    const known = (of: (head: HeadAtlas) => number | null): number | null =>
      own.some((head) => of(head) === null) ? null : mean((head) => of(head) ?? 0);
    return {
      layer,
      firstTile: known(({ firstTile }) => firstTile),
      firstToken: known(({ firstToken }) => firstToken),
      learnedSink: known(({ learnedSink }) => learnedSink),
      byDistance: own[0].byDistance.map((_, octave) => mean(({ byDistance }) => byDistance[octave])),
      spread: Math.exp(mean(({ entropy }) => entropy)),
      cut: known(({ cut }) => cut?.share ?? null),
    };
  });
}
