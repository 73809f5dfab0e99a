import { mergeRow, type AttentionState } from '../../core/attention/state';
import { dispatchesOf, tilesPerDispatch, type Dispatch, type TileStack } from '../../core/plan/dispatches';
import { blockEnd, blockStart } from '../../core/plan/partition';
import type { Plan } from '../../core/plan/plan';
import { TileMasks } from '../../core/plan/tile-masks';
import { emptyLogNormaliser, hiddenScore, largestLogSum } from '../graphs/attend';
import type { AttentionResult, AttentionRun, KeyStack, Oracle, RunningSums } from '../oracle/oracle';
import type { PhaseClock } from './clock';
import { HeadOperands } from './head-operands';
import { headTensor, rowsView } from './head-tensor';
import { keyHeadOf, type AttendedLayer, type LayerAttention, type LayerTensors, type OnInstances } from './layer';
import { rescaleSample } from './sample';

/** What a layer's attention is written to. */
interface Target extends AttendedLayer {
  readonly logNormaliser: Float64Array;
}

/**
 * The `fused` construction (theorem 3.4 with the mask inside the tile): one call per tile, merged inside the runs that
 * carry them.
 *
 * Made once per plan, run once per layer. Where a score lies so far above the reference of its query's sums that they
 * overflow, the query block is run again tile by tile, each with a reference of its own, and merged as states.
 */
export class FusedAttention implements LayerAttention {
  private readonly dispatches: readonly Dispatch[];
  private readonly masks: TileMasks;
  private readonly maskScores: Float32Array[] = [];
  private readonly operands: HeadOperands;
  /** Written again by every layer: memory that was used before needs no new pages. */
  private readonly target: Target;

  constructor(
    private readonly plan: Plan,
    private readonly oracle: Pick<Oracle, 'attend' | 'attendOn' | 'attendApart' | 'closeRound'>,
    private readonly clock: PhaseClock,
    private readonly onInstances: OnInstances,
  ) {
    this.masks = new TileMasks(plan);
    this.dispatches = dispatchesOf(plan, this.masks, tilesPerDispatch(this.masks.rows, plan.scoreBytes));
    this.operands = new HeadOperands(plan, this.masks.rows);
    const { tokens, model } = plan;
    this.target = { out: headTensor(model.heads, tokens, model.headWidth), logNormaliser: new Float64Array(model.heads * tokens), rounds: 1 };
  }

  async run(layer: LayerTensors): Promise<AttendedLayer> {
    const { target } = this;
    let loaded: number | undefined;
    for (let head = 0; head < layer.query.heads; head += 1) {
      const keyHead = keyHeadOf(layer, head);
      if (keyHead !== loaded) {
        this.clock.timeSync('gather', () => this.operands.load(layer.key, layer.value, keyHead));
        loaded = keyHead;
      }
      await this.attendHead(layer, head, target);
    }
    const { oracle } = this.plan;
    this.oracle.closeRound(oracle.heads * oracle.layers);
    rescaleSample(this.plan, target.logNormaliser);
    return target;
  }

  private async attendHead(layer: LayerTensors, head: number, target: Target): Promise<void> {
    let carried: RunningSums | undefined;
    let begun = 0;
    for (const [index, dispatch] of this.dispatches.entries()) {
      begun = dispatch.continues ? begun : index;
      const run = this.clock.timeSync('gather', () => ({ ...this.runOf(layer, head, dispatch), carried }));
      if (dispatch.continued) {
        carried = await this.clock.time('attend', () => this.oracle.attendOn(run));
      } else {
        const result = await this.clock.time('attend', () => this.oracle.attend(run));
        carried = undefined;
        if (!this.clock.timeSync('merge', () => this.deliver(head, dispatch, result, target))) {
          await this.attendApart(layer, head, this.dispatches.slice(begun, index + 1), target);
        }
      }
      this.onInstances(dispatch.instances);
    }
  }

  private runOf(layer: LayerTensors, head: number, { firstBlock, blocks, stacks, instances }: Omit<Dispatch, 'continues' | 'continued'>): AttentionRun {
    return {
      rows: this.masks.rows,
      blocks,
      query: this.operands.queries(layer.query, head, firstBlock, blocks),
      stacks: stacks.map((stack) => this.stackOf(stack)),
      instances,
    };
  }

  private stackOf({ from, tiles, mask }: TileStack): KeyStack {
    return { tiles, key: this.operands.keys(from, tiles), value: this.operands.valuesOf(from, tiles), mask: mask === undefined ? undefined : this.scoresOf(mask) };
  }

  /** Scores to add, `[M, M]`: 0 on visible pairs, `hiddenScore` on hidden and padded ones; made once per distinct mask. */
  private scoresOf(mask: number): Float32Array {
    const { rows } = this.masks;
    return (this.maskScores[mask] ??= ((): Float32Array => {
      const spans = this.masks.spans(mask);
      const scores = new Float32Array(rows * rows).fill(hiddenScore);
      for (let row = 0; row < rows; row += 1) {
        const line = scores.subarray(row * rows, (row + 1) * rows);
        line.fill(0, 0, spans[3 * row]);
        line.fill(0, spans[3 * row + 1], spans[3 * row + 2]);
      }
      return scores;
    })());
  }

  /** Writes a run's rows to the layer's attention. Returns false where a sum is not to be trusted: nothing is kept then. */
  private deliver(head: number, { firstBlock, blocks }: Dispatch, { out, logNormaliser, logSum }: AttentionResult, target: Target): boolean {
    const { tokens } = this.plan;
    const first = blockStart(this.plan, firstBlock);
    const count = Math.min(tokens, first + blocks * this.masks.rows) - first;
    for (let row = 0; row < count; row += 1) {
      if (!(logSum[row] < largestLogSum)) {
        return false;
      }
      target.logNormaliser[head * tokens + first + row] = logNormaliser[row];
    }
    rowsView(target.out, head, first, first + count).set(out.subarray(0, count * target.out.width));
    return true;
  }

  /** Runs query blocks again, each of their tiles with a reference of its own, and merges the tiles as states. */
  private async attendApart(layer: LayerTensors, head: number, dispatches: readonly Dispatch[], target: Target): Promise<void> {
    const [{ firstBlock, blocks }] = dispatches;
    const { tokens } = this.plan;
    const { width } = target.out;
    for (let block = firstBlock; block < firstBlock + blocks; block += 1) {
      const first = blockStart(this.plan, block);
      const end = blockEnd(this.plan, block);
      const state: AttentionState = { rows: end - first, width, out: rowsView(target.out, head, first, end), logNormaliser: target.logNormaliser.subarray(head * tokens + first, head * tokens + end).fill(-Infinity) };
      for (const { from, tiles, mask } of dispatches.flatMap(({ stacks }) => stacks)) {
        const wide = blocks > 1 && tiles > 1;
        const stack: TileStack = wide ? { from: from + block - firstBlock, tiles: 1, mask } : { from, tiles, mask };
        const run = this.runOf(layer, head, { firstBlock: block, blocks: 1, stacks: [stack], instances: stack.tiles });
        const result = await this.clock.time('attend', () => this.oracle.attendApart(run));
        this.clock.timeSync('merge', () => mergeTiles(state, result, stack.tiles, this.masks.rows));
      }
    }
  }
}

/** Merges the states of tiles `[tiles, M]` into a query block's; a row whose keys were all hidden is the empty state. */
function mergeTiles(state: AttentionState, { out, logNormaliser }: AttentionResult, tiles: number, rows: number): void {
  const normalisers = logNormaliser.map((value) => (value <= emptyLogNormaliser ? -Infinity : value));
  const part: AttentionState = { rows: normalisers.length, width: state.width, out, logNormaliser: normalisers };
  for (let tile = 0; tile < tiles; tile += 1) {
    for (let row = 0; row < state.rows; row += 1) {
      mergeRow(state, row, part, tile * rows + row);
    }
  }
}
