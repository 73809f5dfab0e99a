import type { AttentionState } from '../../../core/math/attention-state';
import { tilesPerDispatch } from '../../../core/plan/attention-cost';
import { type Dispatch, dispatchesOf, type TileStack } from '../../../core/plan/dispatches';
import { blockEnd, blockStart } from '../../../core/plan/partition';
import type { LayerPlan } from '../../../core/plan/plan';
import { type LayerStep, wholeStep } from '../../../core/plan/segments';
import { TileMasks } from '../../../core/plan/tile-masks';
import { largestLogSum, maskScores } from '../graphs/attend';
import type { Range } from '../../../core/scenario/scenario';
import type { PhaseClock } from '../runtime/clock';
import { HeadOperands } from './head-operands';
import {
  allHeads,
  type AttendedLayer,
  attendedRoom,
  keyHeadOf,
  type LayerAttention,
  type LayerTensors,
  type OnInstances,
  rowsView,
} from './layer';
import type { AttentionResult, AttentionRun, KeyStack, Oracle, RunningSums } from './oracle';
import { mergeTiles, rescaleSample } from './states';
import { type MassScale, TileMassGatherer, withSink } from './tile-masses';
import { interruptible } from '../../interruptible';

/**
 * The `fused` construction (theorem 3.4 with the mask inside the tile): one call per tile, merged inside the runs that
 * carry them.
 *
 * Created once per plan, run once per layer, or per layer and step where the run is cut into segments. If a score lies so far above its query's reference that the sums overflow, the
 * query block is run again tile by tile, each tile with its own reference, and the tiles are merged as states.
 */
export class FusedAttention implements LayerAttention {
  /** Those of the latest step: layers of a kind have the same, one after another. */
  private latest: { readonly queries: Range; readonly dispatches: readonly Dispatch[] } | undefined;
  private readonly masks: TileMasks;
  /** By the mask's index and its keys, computed at first use. */
  private readonly maskScores = new Map<string, Float32Array>();
  private readonly operands: HeadOperands;
  private readonly whole: LayerStep;

  constructor(
    private readonly plan: LayerPlan,
    private readonly oracle: Pick<Oracle, 'attend' | 'attendOn' | 'attendApart' | 'closeRound'>,
    private readonly clock: PhaseClock,
    private readonly onInstances: OnInstances,
    /** Overwritten by every layer: reused memory needs no new pages. It has rows for the most queries of a step, and may be others' too. */
    private readonly target = attendedRoom(plan.model.heads, plan.tokens, plan.model.headWidth),
  ) {
    this.masks = new TileMasks(plan);
    this.operands = new HeadOperands(plan, this.masks.rows);
    this.whole = wholeStep(plan.tokens);
  }

  async run(layer: LayerTensors, step = this.whole, heads = allHeads(layer), scale?: MassScale): Promise<AttendedLayer> {
    const { target } = this;
    const gathered = scale && { ...scale, tiles: new TileMassGatherer(this.masks.rows) };
    let loaded: number | undefined;
    for (const head of heads) {
      const keyHead = keyHeadOf(layer, head);
      if (keyHead !== loaded) {
        this.clock.timeSync('gather', () => this.operands.load(layer.key, layer.value, keyHead, step));
        loaded = keyHead;
      }
      await this.attendHead(layer, head, step, target, gathered);
    }
    const { oracle } = this.plan;
    this.oracle.closeRound(oracle.heads * oracle.layers);
    rescaleSample(this.plan, target.logNormaliser);
    return target;
  }

  /** The native runs of a step's queries. */
  private dispatchesOf({ queries }: LayerStep): readonly Dispatch[] {
    if (this.latest?.queries.from !== queries.from || this.latest.queries.to !== queries.to) {
      const { plan, masks } = this;
      const blocks = { from: queries.from / masks.rows, to: Math.ceil(queries.to / masks.rows) };
      // A written mask is looked at pair by pair.
      const dispatches = interruptible(() => dispatchesOf(plan, masks.indexOf, tilesPerDispatch(masks.rows, plan.scoreBytes), blocks));
      this.latest = { queries, dispatches };
    }
    return this.latest.dispatches;
  }

  private async attendHead(
    layer: LayerTensors,
    head: number,
    step: LayerStep,
    target: AttendedLayer,
    gathered: GatheredMasses | undefined,
  ): Promise<void> {
    /** Sums of the last run that began query blocks, and of the last run of any kind. */
    let begun: CarriedSums | undefined;
    let latest: CarriedSums | undefined;
    /** Query blocks with an unreliable sum. */
    const failed = new Set<number>();
    for (const dispatch of this.dispatchesOf(step)) {
      const { firstBlock, blocks, continues, continued, instances } = dispatch;
      const from = latest?.firstBlock === firstBlock && latest.blocks === blocks ? latest : begun;
      const run = this.clock.timeSync('gather', () => ({
        ...this.runOf(layer, head, dispatch),
        carried: continues && from ? sumsOf(from, firstBlock, blocks, this.masks.rows) : undefined,
        apart: gathered !== undefined,
      }));
      if (continued) {
        latest = { firstBlock, blocks, sums: await this.clock.time('attend', () => this.oracle.attendOn(run)) };
        begun = continues ? begun : latest;
        gathered?.tiles.add(dispatch, latest.sums.tileSums);
      } else {
        const result = await this.clock.time('attend', () => this.oracle.attend(run));
        this.clock.timeSync('merge', () => {
          this.deliver(head, dispatch, result, step, target, failed);
          if (gathered !== undefined) {
            gathered.tiles.add(dispatch, result.tileSums);
            this.deliverMasses(layer, head, dispatch, result, step, failed, gathered);
          }
        });
      }
      this.onInstances(instances);
    }
    for (const block of failed) {
      await this.attendApart(layer, head, block, step, target, gathered);
    }
  }

  private runOf(
    layer: LayerTensors,
    head: number,
    { firstBlock, blocks, stacks, further, instances }: Omit<Dispatch, 'continues' | 'continued'>,
  ): AttentionRun {
    return {
      rows: this.masks.rows,
      blocks,
      query: this.operands.queries(layer.query, head, firstBlock, blocks),
      stacks: stacks.map((stack) => this.stackOf(stack)),
      further: further.map((stack) => stack && this.stackOf(stack)),
      instances,
    };
  }

  private stackOf({ from, tiles, mask }: TileStack): KeyStack {
    const { key, value } = this.operands.tiles(from, tiles);
    if (mask === undefined) {
      return { tiles, key, value };
    }
    // Of a single tile, such as that of the sinks, only the keys that its mask shows.
    const keys = tiles === 1 ? this.masks.shown(mask) : { from: 0, to: this.masks.rows };
    const name = `${mask} ${keys.from} ${keys.to}`;
    const scores = this.maskScores.get(name) ?? maskScores(this.masks, mask, keys);
    this.maskScores.set(name, scores);
    const shown = (rows: Float32Array): Float32Array => {
      const width = rows.length / this.masks.rows;
      return tiles === 1 ? rows.subarray(keys.from * width, keys.to * width) : rows;
    };
    return { tiles, key: shown(key), value: shown(value), mask: scores };
  }

  /** Writes a run's rows to the layer's attention, and collects the query blocks with an unreliable sum. */
  private deliver(
    head: number,
    { firstBlock, blocks }: Dispatch,
    { out, logNormaliser, logSum }: AttentionResult,
    { queries }: LayerStep,
    target: AttendedLayer,
    failed: Set<number>,
  ): void {
    const { rows } = this.masks;
    const first = firstBlock * rows - queries.from;
    const count = Math.min(queries.to - firstBlock * rows, blocks * rows);
    const base = head * target.out.tokens + first;
    for (let row = 0; row < count; row += 1) {
      target.logNormaliser[base + row] = logNormaliser[row];
      if (!(logSum[row] < largestLogSum)) {
        failed.add(firstBlock + Math.floor(row / rows));
      }
    }
    rowsView(target.out, head, first, first + count).set(out.subarray(0, count * target.out.width));
  }

  /** Hands out the masses of a run's query blocks, which are complete, but for those that are run again. */
  private deliverMasses(
    layer: LayerTensors,
    head: number,
    { firstBlock, blocks }: Dispatch,
    { logNormaliser, logSum }: AttentionResult,
    { queries }: LayerStep,
    failed: ReadonlySet<number>,
    { tiles, onMasses, normaliser }: GatheredMasses,
  ): void {
    const { rows } = this.masks;
    for (let block = firstBlock; block < firstBlock + blocks; block += 1) {
      if (failed.has(block)) {
        tiles.discard(block);
        continue;
      }
      const first = blockStart(this.plan, block) - queries.from;
      const scales = new Float64Array(blockEnd(this.plan, block) - blockStart(this.plan, block));
      const from = (block - firstBlock) * rows;
      const isPlain = normaliser === undefined && layer.sinks === undefined;
      for (let row = 0; row < scales.length; row += 1) {
        const own = logNormaliser[from + row];
        // The reference is what the normaliser is without the sum. Rows are many: the usual ones ask nobody.
        scales[row] = isPlain
          ? Math.exp(-logSum[from + row])
          : Math.exp(own - logSum[from + row] - (normaliser?.(head, first + row) ?? withSink(own, layer.sinks?.[head])));
      }
      onMasses(head, block, tiles.take(block, scales));
    }
  }

  /** Runs a query block again, each tile with its own reference, and merges the tiles as states. */
  private async attendApart(
    layer: LayerTensors,
    head: number,
    block: number,
    step: LayerStep,
    target: AttendedLayer,
    gathered: GatheredMasses | undefined,
  ): Promise<void> {
    const { tokens } = target.out;
    const first = blockStart(this.plan, block) - step.queries.from;
    const end = blockEnd(this.plan, block) - step.queries.from;
    const logNormaliser = target.logNormaliser.subarray(head * tokens + first, head * tokens + end).fill(-Infinity);
    const state: AttentionState = {
      rows: end - first,
      width: target.out.width,
      out: rowsView(target.out, head, first, end),
      logNormaliser,
    };
    const apart: { readonly stack: TileStack; readonly logNormaliser: Float32Array }[] = [];
    for (const stack of this.stacksOf(block, step)) {
      const run = this.runOf(layer, head, { firstBlock: block, blocks: 1, stacks: [stack], further: [], instances: stack.tiles });
      const result = await this.clock.time('attend', () => this.oracle.attendApart(run));
      this.clock.timeSync('merge', () => mergeTiles(state, result, stack.tiles, this.masks.rows));
      apart.push({ stack, logNormaliser: result.logNormaliser });
    }
    if (gathered !== undefined) {
      const { tiles, onMasses, normaliser } = gathered;
      apart.forEach((each) => tiles.addApart(block, each.stack, each.logNormaliser, logNormaliser));
      const scales = logNormaliser.map((own, row) =>
        Math.exp(own - (normaliser?.(head, first + row) ?? withSink(own, layer.sinks?.[head]))),
      );
      onMasses(head, block, tiles.take(block, scales));
    }
  }

  /** The stacks that one query block reads. */
  private stacksOf(block: number, step: LayerStep): TileStack[] {
    return this.dispatchesOf(step)
      .filter(({ firstBlock, blocks }) => firstBlock <= block && block < firstBlock + blocks)
      .flatMap(({ firstBlock, blocks, stacks, further }) => [
        ...stacks.map((stack) => (blocks > 1 && stack.tiles > 1 ? { ...stack, from: stack.from + block - firstBlock, tiles: 1 } : stack)),
        ...further.slice(block - firstBlock, block - firstBlock + 1).filter((stack) => stack !== undefined),
      ]);
  }
}

/** Who wants the masses of tiles, and what was gathered of a head so far. */
interface GatheredMasses extends MassScale {
  readonly tiles: TileMassGatherer;
}

/** Sums that a run returned for its query blocks. */
interface CarriedSums {
  readonly firstBlock: number;
  readonly blocks: number;
  readonly sums: RunningSums;
}

/** Views of the sums of some of the query blocks. @param rows M */
function sumsOf({ firstBlock, sums: { reference, weighted, sum } }: CarriedSums, from: number, blocks: number, rows: number): RunningSums {
  const width = weighted.length / sum.length;
  const start = (from - firstBlock) * rows;
  const end = start + blocks * rows;
  return {
    reference: reference.subarray(start, end),
    weighted: weighted.subarray(start * width, end * width),
    sum: sum.subarray(start, end),
  };
}
