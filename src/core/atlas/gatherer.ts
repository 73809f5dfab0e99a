import { blockEnd, blockStart } from '../plan/partition';
import type { Plan } from '../plan/plan';
import type { Atlas, HeadAtlas, KeptTiles, OracleCurve } from './atlas';
import { type CellGrid, cellGrid, cellRows } from './cells';
import type { CutRequest } from './cut';
import { fewestTiles, keptShares, MassHistogram } from './oracle-curve';

/** What the tiles of one query block hold of the attention of a head. */
export interface TileMasses {
  /** The key blocks that are read, each once, in any order. */
  readonly keyBlocks: readonly number[];
  /** Of each the sum of the weights on its keys, as a mean over the queries of the block: from 0 to 1. */
  readonly masses: readonly number[];
}

/** Sums of a head so far, each over queries. */
interface HeadSums {
  readonly cells: Float64Array;
  /** Of the keys that the scenario shows. */
  readonly shown: Float64Array;
  readonly byDistance: Float64Array;
  readonly fewest: number[];
  tiles: number;
  mass: number;
  entropy: number;
  firstTile: number;
  firstToken: number;
  firstTokenQueries: number;
}

/** Gathers the masses of a run's tiles, a head and query block at a time, in any order. */
export class AtlasGatherer {
  readonly grid: CellGrid;
  private readonly heads: readonly (readonly HeadSums[])[];
  private readonly histograms: readonly MassHistogram[];
  private massError = 0;

  /**
   * @param plan of the run, under the model's own attention
   * @param cut the scenario whose cut is wanted
   * @param sinks whether a layer's heads have learned sinks, by layer
   */
  constructor(
    private readonly plan: Plan,
    private readonly cut: Pick<CutRequest, 'scenario' | 'hides'> | undefined,
    private readonly sinks: readonly boolean[],
  ) {
    const { layers, heads } = plan.model;
    this.grid = cellGrid(plan.blocks, layers * heads);
    const { side } = this.grid;
    const octaves = octaveOf(plan.blocks - 1) + 1;
    this.heads = Array.from({ length: layers }, () =>
      Array.from({ length: heads }, () => ({
        cells: new Float64Array(side ** 2),
        shown: new Float64Array(cut === undefined ? 0 : side ** 2),
        byDistance: new Float64Array(octaves),
        fewest: keptShares.map(() => 0),
        tiles: 0,
        mass: 0,
        entropy: 0,
        firstTile: 0,
        firstToken: 0,
        firstTokenQueries: 0,
      })),
    );
    this.histograms = this.heads.map(() => new MassHistogram());
  }

  /** Takes what the tiles of a query block hold of a head's weights. */
  add(layer: number, head: number, block: number, { keyBlocks, masses }: TileMasses): void {
    const sums = this.heads[layer][head];
    const rows = this.rowsOf(block);
    const total = masses.reduce((sum, mass) => sum + mass, 0);
    const histogram = this.histograms[layer];
    const [logTotal, logShare] = [Math.log(total), Math.log(rows / this.plan.blockSize)];
    // Tiles are many, so that none has a function or more than one logarithm of its own.
    for (let index = 0; index < masses.length; index += 1) {
      const mass = masses[index];
      const keyBlock = keyBlocks[index];
      sums.cells[this.cellOf(block, keyBlock)] += rows * mass;
      sums.byDistance[octaveOf(Math.abs(block - keyBlock))] += rows * mass;
      sums.firstTile += block > 0 && keyBlock === 0 ? rows * mass : 0;
      if (mass > 0) {
        const log = Math.log(mass);
        sums.entropy += rows * (mass / total) * (logTotal - log);
        histogram.add((rows / this.plan.blockSize) * mass, log + logShare);
      }
    }
    fewestTiles(masses).forEach((tiles, index) => (sums.fewest[index] += tiles));
    sums.tiles += masses.length;
    sums.mass += rows * total;
    // A learned sink takes what is missing.
    const error = this.sinks[layer] ? Math.max(0, total - 1) : Math.abs(total - 1);
    // NaN must not vanish in a maximum.
    this.massError = error > this.massError || Number.isNaN(error) ? error : this.massError;
  }

  /** Takes what of these weights the keys have that the scenario shows. */
  addShown(layer: number, head: number, block: number, { keyBlocks, masses }: TileMasses): void {
    const { shown } = this.heads[layer][head];
    const rows = this.rowsOf(block);
    keyBlocks.forEach((keyBlock, index) => (shown[this.cellOf(block, keyBlock)] += rows * masses[index]));
  }

  /** Takes the weight of the first token, a sum over some queries that come after it. */
  addFirstToken(layer: number, head: number, weight: number, queries: number): void {
    const sums = this.heads[layer][head];
    sums.firstToken += weight;
    sums.firstTokenQueries += queries;
  }

  /** The atlas of what was gathered. */
  result(): Atlas {
    const heads = this.heads.flatMap((ofLayer, layer) => ofLayer.map((_, head) => this.headAtlas(layer, head)));
    const whole = new MassHistogram();
    this.histograms.forEach((histogram) => whole.addAll(histogram));
    const layers = this.heads.map((_, layer) => ({ layer, ...this.layerOracle(layer) }));
    const total = (of: (curve: OracleCurve) => number): number => layers.reduce((sum, curve) => sum + of(curve), 0);
    return {
      cells: this.grid,
      heads,
      layers,
      oracle: {
        tiles: total(({ tiles }) => tiles),
        calls: total(({ calls }) => calls),
        kept: whole.fewest().map((together, index): KeptTiles => ({
          share: keptShares[index],
          eachBlock: total(({ kept }) => kept[index].eachBlock),
          calls: total(({ kept }) => kept[index].calls),
          together,
        })),
      },
      cut:
        this.cut === undefined
          ? null
          : { scenario: this.cut.scenario, share: heads.reduce((sum, { cut }) => sum + (cut?.share ?? 0), 0) / heads.length },
      massError: this.massError,
    };
  }

  private headAtlas(layer: number, head: number): HeadAtlas {
    const { tokens } = this.plan;
    const sums = this.heads[layer][head];
    const later = tokens - blockEnd(this.plan, 0);
    const rows = cellRows(this.grid, this.plan);
    const meansOf = (cells: Float64Array): number[] =>
      Array.from(cells, (sum, at) => Math.round((1e6 * sum) / rows[Math.floor(at / this.grid.side)]) / 1e6);
    return {
      layer,
      head,
      mass: meansOf(sums.cells),
      entropy: sums.entropy / tokens,
      firstTile: later === 0 ? null : sums.firstTile / later,
      firstToken: sums.firstTokenQueries === 0 ? null : sums.firstToken / sums.firstTokenQueries,
      learnedSink: this.sinks[layer] ? Math.max(0, 1 - sums.mass / tokens) : null,
      byDistance: Array.from(sums.byDistance, (sum) => sum / tokens),
      tiles: sums.tiles,
      fewest: sums.fewest,
      cut: this.cutOf(layer, sums, meansOf),
    };
  }

  /** What is hidden is what is not shown; what is hidden nowhere in a layer is exactly nothing. */
  private cutOf(layer: number, { cells, shown }: HeadSums, meansOf: (cells: Float64Array) => number[]): HeadAtlas['cut'] {
    if (this.cut === undefined) {
      return null;
    }
    const hidden = cells.map((sum, at) => (this.cut?.hides[layer] === true && sum - shown[at] > rounding * sum ? sum - shown[at] : 0));
    return { share: hidden.reduce((sum, one) => sum + one, 0) / this.plan.tokens, mass: meansOf(hidden) };
  }

  private layerOracle(layer: number): OracleCurve {
    const { oracle } = this.plan;
    const callsOf = (tiles: number): number => Math.ceil(tiles / (oracle.heads * oracle.layers));
    const total = (of: (sums: HeadSums) => number): number => this.heads[layer].reduce((sum, sums) => sum + of(sums), 0);
    const tiles = total((sums) => sums.tiles);
    return {
      tiles,
      calls: callsOf(tiles),
      kept: this.histograms[layer].fewest().map((together, index): KeptTiles => {
        const eachBlock = total(({ fewest }) => fewest[index]);
        return { share: keptShares[index], eachBlock, calls: callsOf(eachBlock), together };
      }),
    };
  }

  private rowsOf(block: number): number {
    return blockEnd(this.plan, block) - blockStart(this.plan, block);
  }

  private cellOf(block: number, keyBlock: number): number {
    const { side, blocks } = this.grid;
    return Math.floor(block / blocks) * side + Math.floor(keyBlock / blocks);
  }
}

/** Share of a mass that two float32 computations of it may differ by: what is cut off by less is not. */
const rounding = 3e-5;

/** 0 for no distance, 1 for 1, 2 for 2 and 3, 3 for 4 to 7, ... */
function octaveOf(distance: number): number {
  return 32 - Math.clz32(distance);
}
