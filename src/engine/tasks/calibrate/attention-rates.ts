import { fitRates } from '../../../core/math/least-squares';
import { uniform } from '../../../core/math/random';
import { tilesPerDispatch } from '../../../core/plan/attention-cost';
import { dispatchesOf } from '../../../core/plan/dispatches';
import { type LayerPlan, planLayers } from '../../../core/plan/plan';
import type { DenseRate, TileRate } from '../../../core/predict/calibration';
import { countDispatches } from '../../../core/predict/predict';
import type { LayerScenario } from '../../../core/scenario/scenario';
import type { ModelShape } from '../../../core/shapes';
import { denseAttentionGraph } from '../../attend/graphs/dense';
import { PhaseClock } from '../../attend/runtime/clock';
import type { Device } from '../../attend/runtime/provider';
import { GraphSession } from '../../attend/runtime/session';
import { FusedAttention } from '../../attend/tiles/fused-attention';
import { headTensor, type HeadTensor, type LayerTensors } from '../../attend/tiles/layer';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import { plainLlama } from '../../read/model/architectures/llama';
import { medianMs } from './timing';

/** A layer on which attention is timed. */
interface Sample {
  readonly scenario: LayerScenario;
  /** N in blocks. */
  readonly blocks: number;
  readonly scoreBytes: number;
}

/** Query heads of a sample, two to a key-value head: more than one, so that operands come from memory as they do in a run. */
const sampleHeads = 4;

/** One score tile, so that every tile is a run of its own: what a run costs shows against the tiles it carries. */
const tileByTile = 1;

/** Measures the attention runs of a head on a device. */
export class AttentionRates {
  private readonly oracle: OnnxOracle;

  /** @param headWidth m */
  constructor(
    private readonly headWidth: number,
    device: Device,
  ) {
    this.oracle = new OnnxOracle(plainLlama(shapeOf(headWidth)), 2, device);
  }

  /** The rates for tiles of M by M: those that come nearest to the times of a few layers. */
  async measure(rows: number, scoreBytes: number): Promise<TileRate> {
    // Large tiles take long enough in short sequences.
    const blocks = rows <= 256 ? 12 : rows <= 512 ? 8 : 5;
    const samples: readonly Sample[] = [
      { scenario: { kind: 'causal' }, blocks, scoreBytes },
      { scenario: { kind: 'causal' }, blocks: blocks / 2, scoreBytes: tileByTile },
      { scenario: { kind: 'sliding-window', window: rows }, blocks, scoreBytes },
      { scenario: { kind: 'average-case', seed: 1 }, blocks, scoreBytes },
    ];
    const features: number[][] = [];
    const times: number[] = [];
    for (const sample of samples) {
      const { runs, first, open, masked } = countDispatches(
        dispatchesOf(this.plan(sample, rows), () => 0, tilesPerDispatch(rows, sample.scoreBytes)),
      );
      features.push([runs, first, open, masked]);
      times.push(await this.time(sample, rows));
    }
    const [runMs, firstMs, openMs, maskedMs] = fitRates(features, times);
    return { rows, headWidth: this.headWidth, runMs, firstMs, openMs, maskedMs };
  }

  /** Time of the attention runs of a causal layer whose query blocks read up to `blocks` tiles. */
  causalMs(rows: number, blocks: number, scoreBytes: number): Promise<number> {
    return this.time({ scenario: { kind: 'causal' }, blocks, scoreBytes }, rows);
  }

  /** Nanoseconds that it takes to copy a key's float for the attention calls. */
  async gatherNsPerFloat(tokens: number): Promise<number> {
    const plan = this.plan({ scenario: { kind: 'average-case', seed: 1 }, blocks: tokens / 64, scoreBytes: tileByTile }, 64);
    const causal = planLayers({ ...plan, scenario: { kind: 'causal' }, scoreBytes: undefined });
    const clock = new PhaseClock();
    const attention = new FusedAttention(causal, this.oracle, clock, () => undefined);
    const layer = randomLayer(causal);
    await attention.run(layer);
    const before = clock.phases.gather;
    await attention.run(layer);
    return ((clock.phases.gather - before) * 1e6) / (causal.model.keyValueHeads * tokens * this.headWidth);
  }

  async release(): Promise<void> {
    await this.oracle.release();
  }

  private async time(sample: Sample, rows: number): Promise<number> {
    const plan = this.plan(sample, rows);
    const clock = new PhaseClock();
    const attention = new FusedAttention(plan, this.oracle, clock, () => undefined);
    const layer = randomLayer(plan);
    // The copies are measured apart; what is left of the merge belongs to the runs.
    let gathered = 0;
    const whole = await medianMs(async () => {
      const before = clock.phases.gather;
      await attention.run(layer);
      gathered = clock.phases.gather - before;
    });
    return Math.max(1e-3, whole - gathered) / sampleHeads;
  }

  private plan({ scenario, blocks, scoreBytes }: Sample, rows: number): LayerPlan {
    return planLayers({
      tokens: Math.ceil(blocks) * rows,
      model: shapeOf(this.headWidth),
      scenario,
      construction: 'fused',
      oracle: { inputLength: rows, layers: 1, heads: sampleHeads, causal: false },
      scoreBytes,
    });
  }
}

function shapeOf(headWidth: number): ModelShape {
  return {
    layers: 1,
    heads: sampleHeads,
    keyValueHeads: sampleHeads / 2,
    headWidth,
    width: headWidth,
    feedForwardWidth: headWidth,
    vocabulary: 2,
  };
}

function randomLayer({ tokens, model }: LayerPlan): LayerTensors {
  const next = uniform(1);
  const tensor = (heads: number): HeadTensor => {
    const made = headTensor(heads, tokens, model.headWidth);
    for (let index = 0; index < made.data.length; index += 1) {
      made.data[index] = 2 * next() - 1;
    }
    return made;
  };
  return { query: tensor(model.heads), key: tensor(model.keyValueHeads), value: tensor(model.keyValueHeads) };
}

/** N at which dense attention is timed: its time per pair hardly changes beyond the larger, which a slow device is spared. */
const lengths = { short: 512, long: 2048 } as const;
const slowMs = 50;

/** What the plain dense graph takes per pair of one head, causal: the mask hides half of the pairs and saves none. */
export async function denseRate(headWidth: number, device: Device): Promise<DenseRate> {
  const short = await denseMs(lengths.short, headWidth, device);
  const [tokens, took] = short > slowMs ? [lengths.short, short] : [lengths.long, await denseMs(lengths.long, headWidth, device)];
  return { headWidth, nsPerPair: (took * 1e6) / tokens ** 2 };
}

async function denseMs(tokens: number, headWidth: number, device: Device): Promise<number> {
  const session = await GraphSession.create(denseAttentionGraph(tokens, headWidth), device);
  const operand = { data: new Float32Array(tokens * headWidth).fill(0.1), shape: [1, tokens, headWidth] };
  try {
    return await medianMs(() => session.run({ query: operand, key: operand, value: operand }));
  } finally {
    await session.release();
  }
}
