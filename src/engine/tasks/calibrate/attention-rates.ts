import { fitRates } from '../../../core/math/least-squares';
import { uniform } from '../../../core/math/random';
import { tilesPerDispatch } from '../../../core/plan/attention-cost';
import { dispatchesOf } from '../../../core/plan/dispatches';
import { type LayerPlan, planLayers } from '../../../core/plan/plan';
import type { Fit, TileRate } from '../../../core/predict/calibration';
import { countDispatches } from '../../../core/predict/predict';
import type { LayerScenario } from '../../../core/scenario/scenario';
import type { ModelShape } from '../../../core/shapes';
import { PhaseClock } from '../../attend/runtime/clock';
import type { Device } from '../../attend/runtime/provider';
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
  readonly scoreBytes: number | undefined;
}

/** Query heads of a sample, two to a key-value head: more than one, so that operands come from memory as they do in a run. */
const sampleHeads = 4;

/** One score tile, so that every tile is a run of its own: what a run costs shows against the tiles it carries. */
const tileByTile = 1;

/** Times of layers of one tile size, with the counts that made them: runs, first, open and masked tiles of a head. */
export interface TileTimes {
  readonly features: readonly (readonly number[])[];
  readonly times: readonly number[];
}

/** Least time of a tile: its two products at the device's best rate. */
function leastTileMs(rows: number, headWidth: number, limit: number): number {
  return (4 * rows ** 2 * headWidth * 1000) / limit;
}

/** Layers that differ in how many runs, first, open and masked tiles they have: more than there are rates. */
function samplesOf(rows: number, scoreBytes: number): readonly Sample[] {
  // Large tiles take long enough in short sequences.
  const blocks = rows <= 128 ? 12 : rows <= 256 ? 8 : rows <= 512 ? 5 : 3;
  return [
    { scenario: { kind: 'causal' }, blocks, scoreBytes },
    { scenario: { kind: 'causal' }, blocks: blocks / 2, scoreBytes: tileByTile },
    { scenario: { kind: 'sliding-window', window: rows }, blocks, scoreBytes },
    { scenario: { kind: 'sliding-window', window: 2 * rows }, blocks, scoreBytes: tileByTile },
    { scenario: { kind: 'average-case', seed: 1 }, blocks, scoreBytes },
    { scenario: { kind: 'full' }, blocks: blocks / 2, scoreBytes },
    { scenario: { kind: 'causal' }, blocks: (2 * blocks) / 3, scoreBytes },
  ];
}

/** Rates of a tile, of which there are four. */
const tileUnknowns = 4;

/**
 * The rates for tiles of M by M: those that come nearest to the times of their layers, none faster than the device's best product.
 *
 * A time that would need more operations a second than that is a fault of the clock or of the machine, and refused.
 * @param limit floating-point operations a second that no run exceeds
 * @returns the number of refused times, and the rates, undefined where too few times are left to fit them to
 */
export function tileRateOf(
  rows: number,
  headWidth: number,
  { features, times }: TileTimes,
  limit: number,
): { readonly rate: (TileRate & Fit) | undefined; readonly refused: number } {
  const least = leastTileMs(rows, headWidth, limit);
  const possible = times.flatMap((time, index) => {
    const [, first, open, masked] = features[index];
    return time >= (first + open + masked) * least ? [index] : [];
  });
  const refused = times.length - possible.length;
  if (possible.length <= tileUnknowns) {
    return { rate: undefined, refused };
  }
  const { rates, error } = fitRates(
    possible.map((index) => features[index]),
    possible.map((index) => times[index]),
    [0, least, least, least],
  );
  const [runMs, firstMs, openMs, maskedMs] = rates;
  const fit = { samples: possible.length, unknowns: tileUnknowns, error };
  return { rate: { rows, headWidth, runMs, firstMs, openMs, maskedMs, fit }, refused };
}

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

  /**
   * Times the layers of one tile size.
   *
   * @param until time of `performance.now()` after which no more are timed than rates need
   */
  async sample(rows: number, scoreBytes: number, until: number): Promise<TileTimes> {
    const features: number[][] = [];
    const times: number[] = [];
    for (const sample of samplesOf(rows, scoreBytes)) {
      if (times.length > tileUnknowns && performance.now() > until) {
        break;
      }
      const { runs, first, open, masked } = countDispatches(
        dispatchesOf(this.plan(sample, rows), () => 0, tilesPerDispatch(rows, sample.scoreBytes)),
      );
      features.push([runs, first, open, masked]);
      times.push(await this.time(sample, rows));
    }
    return { features, times };
  }

  /** Time of the attention runs of a causal layer whose query blocks read up to `blocks` tiles. */
  causalMs(rows: number, blocks: number, scoreBytes: number): Promise<number> {
    return this.time({ scenario: { kind: 'causal' }, blocks, scoreBytes }, rows);
  }

  /** Nanoseconds that it takes to copy a float of a sampled key or value for the attention calls. */
  async gatherNsPerFloat(tokens: number): Promise<number> {
    const sampled = this.plan({ scenario: { kind: 'average-case', seed: 1 }, blocks: tokens / 64, scoreBytes: undefined }, 64);
    const clock = new PhaseClock();
    const attention = new FusedAttention(sampled, this.oracle, clock, () => undefined);
    const layer = randomLayer(sampled);
    await attention.run(layer);
    const before = clock.phases.gather;
    await attention.run(layer);
    return ((clock.phases.gather - before) * 1e6) / (2 * sampled.model.keyValueHeads * tokens * this.headWidth);
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
