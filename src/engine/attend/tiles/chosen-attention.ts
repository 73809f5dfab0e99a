import { chooseTiles, scaleOf, type TileChoice } from '../../../core/chosen/choice';
import type { TileRule } from '../../../core/chosen/rule';
import { tilesPerDispatch } from '../../../core/plan/attention-cost';
import { blockEnd, blockStart } from '../../../core/plan/partition';
import type { LayerPlan } from '../../../core/plan/plan';
import { wholeStep } from '../../../core/plan/segments';
import { TileMasks } from '../../../core/plan/tile-masks';
import { interruptible } from '../../interruptible';
import { largestLogSum, maskScores } from '../graphs/attend';
import type { PhaseClock } from '../runtime/clock';
import { estimatedMasses } from './estimated-masses';
import { HeadOperands } from './head-operands';
import { type AttendedLayer, attendedRoom, keyHeadOf, type LayerAttention, type LayerTensors, type OnInstances, rowsView } from './layer';
import type { AttentionRun, KeyStack, Oracle, RunningSums } from './oracle';
import { mergeTiles } from './states';

/** The sums of a head over the own tiles of consecutive query blocks, to which those of their chosen tiles are added. */
interface BlockSums {
  readonly firstBlock: number;
  readonly blocks: number;
  readonly sums: RunningSums;
}

/** A tile that a query block was given. */
interface ChosenTile {
  readonly block: number;
  readonly key: number;
  readonly scale: number;
}

/** Query blocks of one run of chosen tiles, as a part of M: adding up their sums is a product that takes this part of half of the tiles' own. */
const mostBlocksShare = 1 / 4;

/**
 * The `fused` construction over tiles that are chosen by content: the own tiles of many query blocks are a native run, and so are others of a
 * head, in whatever order they come.
 *
 * All tiles of a query share the reference of its own tile. Where a score lies so far above it that sums overflow, the query block is run again
 * tile by tile, and the tiles are merged as states.
 */
export class ChosenAttention implements LayerAttention {
  private readonly masks: TileMasks;
  private readonly operands: HeadOperands;
  private readonly ownMasks = new Map<number, Float32Array>();
  private readonly limit: number;

  constructor(
    private readonly plan: LayerPlan,
    private readonly rule: TileRule,
    private readonly oracle: Pick<Oracle, 'attendOn' | 'attendApart' | 'attendChosen' | 'tileMasses' | 'closeRound'>,
    private readonly clock: PhaseClock,
    private readonly onInstances: OnInstances,
    /** Overwritten by every layer. */
    private readonly target = attendedRoom(plan.model.heads, plan.tokens, plan.model.headWidth),
  ) {
    this.masks = new TileMasks(plan);
    this.operands = new HeadOperands(plan, this.masks.rows);
    this.limit = tilesPerDispatch(this.masks.rows, plan.scoreBytes);
  }

  async run(layer: LayerTensors): Promise<AttendedLayer> {
    const { plan, rule, limit, oracle, target } = this;
    const { rows } = this.masks;
    const step = wholeStep(plan.tokens);
    const choice = await this.clock.time('gather', async () => {
      const estimate = { plan, rows, queries: rule.queries, mostScores: limit * rows * rows, oracle };
      const masses = await estimatedMasses(layer, estimate);
      return interruptible(() => chooseTiles(masses, plan.blocks, rule, layer.layer));
    });
    let loaded: number | undefined;
    for (let head = 0; head < layer.query.heads; head += 1) {
      const keyHead = keyHeadOf(layer, head);
      if (keyHead !== loaded) {
        this.operands.load(layer.key, layer.value, keyHead, step);
        loaded = keyHead;
      }
      await this.attendHead(layer, head, choice);
    }
    oracle.closeRound(plan.oracle.heads * plan.oracle.layers);
    return { ...target, choice };
  }

  private async attendHead(layer: LayerTensors, head: number, choice: TileChoice): Promise<void> {
    const failed: number[] = [];
    for (const part of this.ownParts()) {
      const { firstBlock, blocks } = part;
      const run = this.clock.timeSync('gather', () => this.ownRun(layer, head, firstBlock, blocks));
      const own = { ...part, sums: await this.clock.time('attend', () => this.oracle.attendOn(run)) };
      this.onInstances(blocks);
      for (const tiles of this.tileRuns(tilesIn(choice, head, firstBlock, firstBlock + blocks))) {
        const first = tiles[0].block;
        const gathered = this.clock.timeSync('gather', () => this.chosenRun(run.query, own, tiles));
        const sums = await this.clock.time('attend', () => this.oracle.attendChosen(gathered));
        this.clock.timeSync('merge', () => addSums(own, first, sums));
        this.onInstances(tiles.length);
      }
      this.clock.timeSync('merge', () => this.deliver(head, own, failed));
    }
    for (const block of failed) {
      await this.attendApart(layer, head, block, choice);
    }
  }

  /** Query blocks whose own tiles are one run: a short last one is separate in memory. */
  private *ownParts(): Generator<Omit<BlockSums, 'sums'>> {
    const { tokens, blocks } = this.plan;
    const whole = Math.floor(tokens / this.masks.rows);
    for (let firstBlock = 0; firstBlock < whole; firstBlock += this.limit) {
      yield { firstBlock, blocks: Math.min(this.limit, whole - firstBlock) };
    }
    if (whole < blocks) {
      yield { firstBlock: whole, blocks: 1 };
    }
  }

  private ownRun(layer: LayerTensors, head: number, firstBlock: number, blocks: number): AttentionRun {
    const { masks, operands } = this;
    const query = operands.queries(layer.query, head, firstBlock, blocks);
    // Own tiles have one mask, but for that of a short block.
    const mask = masks.indexOf(firstBlock, firstBlock, true);
    const scores = this.ownMasks.get(mask) ?? maskScores(masks, mask);
    this.ownMasks.set(mask, scores);
    const stack: KeyStack = { tiles: blocks, ...operands.tiles(firstBlock, blocks), mask: scores };
    return { rows: masks.rows, blocks, query, stacks: [stack], instances: blocks };
  }

  /** Tiles in runs of so many that their scores fit, of query blocks near each other. */
  private *tileRuns(tiles: readonly ChosenTile[]): Generator<readonly ChosenTile[]> {
    const mostBlocks = Math.max(1, Math.floor(mostBlocksShare * this.masks.rows));
    for (let from = 0; from < tiles.length;) {
      let to = from + 1;
      while (to < tiles.length && to - from < this.limit && tiles[to].block - tiles[from].block < mostBlocks) {
        to += 1;
      }
      yield tiles.slice(from, to);
      from = to;
    }
  }

  private chosenRun(
    query: Float32Array,
    { firstBlock, sums }: BlockSums,
    tiles: readonly ChosenTile[],
  ): Parameters<Oracle['attendChosen']>[0] {
    const { rows } = this.masks;
    const first = tiles[0].block;
    const blocks = tiles[tiles.length - 1].block - first + 1;
    const [from, to] = [(first - firstBlock) * rows, (first + blocks - firstBlock) * rows];
    const width = query.length / sums.sum.length;
    const scales = new Float32Array(blocks * tiles.length);
    tiles.forEach(({ block, scale }, at) => (scales[(block - first) * tiles.length + at] = scale));
    return {
      rows,
      blocks,
      query: query.subarray(from * width, to * width),
      reference: sums.reference.subarray(from, to),
      ...this.gathered(tiles),
      of: Int32Array.from(tiles, ({ block }) => block - first),
      scales,
    };
  }

  /** Keys and values of tiles, side by side `[tiles, M, m]`. */
  private gathered(tiles: readonly ChosenTile[]): Record<'key' | 'value', Float32Array> {
    const size = this.masks.rows * this.plan.model.headWidth;
    const [key, value] = [new Float32Array(tiles.length * size), new Float32Array(tiles.length * size)];
    tiles.forEach((tile, at) => {
      const own = this.operands.tiles(tile.key, 1);
      key.set(own.key, at * size);
      value.set(own.value, at * size);
    });
    return { key, value };
  }

  /** Writes the attention of query blocks, and collects those with an unreliable sum. */
  private deliver(head: number, { firstBlock, blocks, sums: { reference, weighted, sum } }: BlockSums, failed: number[]): void {
    const { target, plan } = this;
    const { rows } = this.masks;
    const first = firstBlock * rows;
    const count = Math.min(plan.tokens - first, blocks * rows);
    const out = rowsView(target.out, head, first, first + count);
    for (let row = 0; row < count; row += 1) {
      const logSum = Math.log(sum[row]);
      target.logNormaliser[head * target.out.tokens + first + row] = reference[row] + logSum;
      const block = firstBlock + Math.floor(row / rows);
      if (!(logSum < largestLogSum) && failed.at(-1) !== block) {
        failed.push(block);
      }
    }
    divideRows(weighted, sum, out, count);
  }

  /** Runs a query block again, each tile with its own reference, and merges the tiles as states. */
  private async attendApart(layer: LayerTensors, head: number, block: number, choice: TileChoice): Promise<void> {
    const { plan, target } = this;
    const { rows } = this.masks;
    const [first, end] = [blockStart(plan, block), blockEnd(plan, block)];
    const { tokens, width } = target.out;
    const state = {
      rows: end - first,
      width,
      out: rowsView(target.out, head, first, end).fill(0),
      logNormaliser: target.logNormaliser.subarray(head * tokens + first, head * tokens + end).fill(-Infinity),
    };
    const own = this.ownRun(layer, head, block, 1);
    mergeTiles(state, await this.oracle.attendApart(own), 1, rows);
    for (const tiles of this.tileRuns(tilesIn(choice, head, block, block + 1))) {
      const stack = { tiles: tiles.length, ...this.gathered(tiles) };
      const { out, logNormaliser, ...rest } = await this.oracle.attendApart({ ...own, stacks: [stack], instances: tiles.length });
      const scaled = logNormaliser.map((value, at) => value + Math.log(tiles[Math.floor(at / rows)].scale));
      mergeTiles(state, { ...rest, out, logNormaliser: scaled }, tiles.length, rows);
    }
  }
}

/** What the query blocks `[from, to)` of a head read besides their own key blocks, by query block. */
function tilesIn(choice: TileChoice, head: number, from: number, to: number): ChosenTile[] {
  const tiles: ChosenTile[] = [];
  for (let block = from; block < to; block += 1) {
    const own = choice.of(head, block);
    own.chosen.forEach((key) => tiles.push({ block, key, scale: 1 }));
    own.sampled.forEach((key) => tiles.push({ block, key, scale: scaleOf(own) }));
  }
  return tiles;
}

/** Adds the sums of chosen tiles of query blocks from `first` on, in place. */
function addSums({ firstBlock, blocks, sums }: BlockSums, first: number, more: Pick<RunningSums, 'weighted' | 'sum'>): void {
  for (const name of ['weighted', 'sum'] as const) {
    const [into, added] = [sums[name], more[name]];
    const from = ((first - firstBlock) * into.length) / blocks;
    for (let at = 0; at < added.length; at += 1) {
      into[from + at] += added[at];
    }
  }
}

/** Means of values `[rows, m]` from their sums. */
function divideRows(weighted: Float32Array, sum: Float32Array, out: Float32Array, rows: number): void {
  const width = out.length / rows;
  for (let row = 0; row < rows; row += 1) {
    const total = sum[row];
    for (let at = row * width; at < (row + 1) * width; at += 1) {
      out[at] = weighted[at] / total;
    }
  }
}
