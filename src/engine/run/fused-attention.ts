import { mergeRow, type AttentionState } from '../../core/attention/state';
import { maskOf, type Mask } from '../../core/masks';
import { callsPerDispatch } from '../../core/plan/attention-cost';
import { blockEnd, blockStart, type Partition } from '../../core/plan/partition';
import type { Plan } from '../../core/plan/plan';
import type { TileKind } from '../../core/plan/tiles';
import { emptyLogNormaliser, hiddenScore } from '../graphs/attend';
import type { AttentionResult, Oracle } from '../oracle/oracle';
import type { PhaseClock } from './clock';
import { headTensor, rowsView } from './head-tensor';
import { keyBlocksOf, type KeyBlocks } from './key-blocks';
import { keyHeadOf, type AttendedLayer, type LayerAttention, type LayerTensors, type OnInstances } from './layer';
import { rescaleSample } from './sample';
import { TileLane, type LaneShape, type SlotTarget } from './tile-lane';

/**
 * The `fused` construction (theorem 3.4 with the mask inside the tile): one call per tile, results merged as states.
 *
 * Made once per plan, run once per layer; the batch buffers are shared by all layers.
 */
export class FusedAttention implements LayerAttention {
  private readonly cut: Partition;
  private readonly mask: Mask;
  private readonly keyBlocks: KeyBlocks;
  private readonly lanes: { readonly open: TileLane; readonly masked: TileLane };
  private readonly rows: number;
  private target: AttentionState | undefined;

  constructor(
    private readonly plan: Plan,
    oracle: Oracle,
    private readonly clock: PhaseClock,
    private readonly onInstances: OnInstances,
  ) {
    const { tokens, blocks, oracle: small, model, scenario } = plan;
    this.cut = { tokens, blocks, blockSize: small.inputLength };
    this.rows = Math.min(tokens, small.inputLength);
    this.mask = maskOf(scenario, tokens);
    this.keyBlocks = keyBlocksOf(plan);

    const instances = small.heads * small.layers;
    const wholeTiles = model.heads % instances === 0;
    const layerCalls = plan.calls.attention / model.layers;
    const shape = { calls: callsPerDispatch(plan, layerCalls), instances, rows: this.rows, width: model.headWidth };
    const lane = (masks: LaneShape['masks']): TileLane =>
      new TileLane({ ...shape, masks }, (batch) => clock.time('attend', () => oracle.attend(batch)), (targets, result) => this.merge(targets, result));
    // A call that mixes tiles needs a mask for each instance, and one lane, lest two half-filled calls count as two.
    const masked = lane(wholeTiles ? 'shared' : 'each');
    this.lanes = { open: wholeTiles ? lane('none') : masked, masked };
  }

  /** Attention of one layer. */
  async run(layer: LayerTensors): Promise<AttendedLayer> {
    const { heads, tokens, width } = layer.query;
    const out = headTensor(heads, tokens, width);
    const logNormaliser = new Float64Array(heads * tokens).fill(-Infinity);
    this.target = { rows: heads * tokens, width, out: out.data, logNormaliser };
    for (let queryBlock = 0; queryBlock < this.plan.blocks; queryBlock += 1) {
      for (const { from, to, kind } of this.plan.queryBlocks[queryBlock].runs) {
        for (let keyBlock = from; keyBlock < to; keyBlock += 1) {
          await this.addTile(layer, queryBlock, keyBlock, kind);
        }
      }
    }
    await this.lanes.open.flush();
    await this.lanes.masked.flush();
    rescaleSample(this.plan, logNormaliser);
    return { out, logNormaliser, rounds: 1 };
  }

  private async addTile(layer: LayerTensors, queryBlock: number, keyBlock: number, kind: TileKind): Promise<void> {
    const keys = this.keyBlocks.count(keyBlock);
    const open = kind !== 'partial' && keys === this.rows;
    const lane = open ? this.lanes.open : this.lanes.masked;
    for (let head = 0; head < layer.query.heads; head += 1) {
      const start = performance.now();
      const full = lane.add({ head, queryBlock }, (query, key, value, mask) => {
        query.set(rowsView(layer.query, head, blockStart(this.cut, queryBlock), blockEnd(this.cut, queryBlock)));
        const keyHead = keyHeadOf(layer, head);
        this.keyBlocks.copy(layer.key, keyHead, keyBlock, key);
        this.keyBlocks.copy(layer.value, keyHead, keyBlock, value);
        if (mask !== undefined) {
          this.fillMask(mask, queryBlock, keyBlock, kind);
        }
      });
      this.clock.add('attend', start);
      if (full) {
        await lane.flush();
      }
    }
  }

  /** Scores to add, `[M, M]`: 0 on visible pairs, `hiddenScore` on hidden and padded ones. */
  private fillMask(mask: Float32Array, queryBlock: number, keyBlock: number, kind: TileKind): void {
    const firstQuery = blockStart(this.cut, queryBlock);
    const firstKey = blockStart(this.cut, keyBlock);
    const keys = this.keyBlocks.count(keyBlock);
    mask.fill(hiddenScore);
    for (let row = 0; row < this.rows; row += 1) {
      const line = mask.subarray(row * this.rows, (row + 1) * this.rows);
      if (kind !== 'partial') {
        line.fill(0, 0, keys);
      } else if (firstQuery + row < this.plan.tokens) {
        const { prefixEnd, start, end } = this.mask.visible(firstQuery + row);
        const column = (key: number): number => Math.min(keys, Math.max(0, key - firstKey));
        line.fill(0, 0, column(prefixEnd));
        line.fill(0, column(start), column(end));
      }
    }
  }

  /** Merges a batch's states into the layer's; a row whose keys were all hidden is the empty state. */
  private merge(targets: readonly SlotTarget[], { out, logNormaliser }: AttentionResult): void {
    const target = this.target;
    if (target === undefined) {
      throw new Error('A batch came back before the layer began.');
    }
    this.clock.timeSync('merge', () => {
      for (let index = 0; index < logNormaliser.length; index += 1) {
        if (logNormaliser[index] <= emptyLogNormaliser) {
          logNormaliser[index] = -Infinity;
        }
      }
      const part: AttentionState = { rows: logNormaliser.length, width: target.width, out, logNormaliser };
      targets.forEach(({ head, queryBlock }, slot) => {
        const first = blockStart(this.cut, queryBlock);
        const count = blockEnd(this.cut, queryBlock) - first;
        for (let row = 0; row < count; row += 1) {
          mergeRow(target, head * this.plan.tokens + first + row, part, slot * this.rows + row);
        }
      });
    });
    this.onInstances(targets.length);
  }
}
