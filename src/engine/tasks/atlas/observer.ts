import type { CutRequest } from '../../../core/atlas/cut';
import { AtlasGatherer } from '../../../core/atlas/gatherer';
import { layerParts, makePlan, partOfLayers, type Plan } from '../../../core/plan/plan';
import type { LayerStep } from '../../../core/plan/segments';
import { type Mask, maskOf } from '../../../core/scenario/scenario';
import { placeOf } from '../../../core/shards/cut';
import { PhaseClock } from '../../attend/runtime/clock';
import type { Device } from '../../attend/runtime/provider';
import { FusedAttention } from '../../attend/tiles/fused-attention';
import { type AttendedLayer, headView, keyHeadOf, type LayerTensors, rowsView } from '../../attend/tiles/layer';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import type { LoadedModel } from '../../read/model/load';
import type { RunObserver } from '../simulate';

/** Queries, about, of which the weight of the first token is looked at: products of a row in JavaScript are not for all of a long prompt. */
const firstTokenQueries = 256;

/**
 * Looks at a run under the model's own attention, and gathers its atlas.
 *
 * What a scenario cuts off is measured on the run's own queries and keys: its tiles are run beside, on an oracle whose calls are not the
 * run's, and their sums are divided by the normaliser over all keys. So it is exact for every pair that a mask of any form hides.
 */
export class AtlasObserver implements RunObserver {
  private readonly gatherer: AtlasGatherer;
  private readonly masks: readonly Mask[];
  private readonly partOf: readonly number[];
  private readonly shown: Shown | undefined;

  constructor(
    private readonly plan: Plan,
    { model, device }: { readonly model: LoadedModel; readonly device: Device },
    private readonly cut: CutRequest | undefined,
  ) {
    const sinks = model.layers.map(({ attend }) => attend.sinks !== undefined);
    this.gatherer = new AtlasGatherer(plan, cut, sinks);
    this.masks = layerParts(plan).map((part) => maskOf(part.plan.scenario, plan.tokens));
    this.partOf = partOfLayers(plan);
    this.shown = cut && new Shown(makePlan({ ...requestOf(plan), scenario: cut.left }), model, device);
  }

  readonly onTileMasses: NonNullable<RunObserver['onTileMasses']> = (...masses) => {
    this.gatherer.add(...masses);
  };

  readonly inspect: NonNullable<RunObserver['inspect']> = async (layer, tensors, attended, _stream, step) => {
    this.addFirstToken(layer, tensors, attended, step);
    if (this.cut?.hides[layer] === true) {
      await this.shown?.attention(layer).run(tensors, step, undefined, {
        onMasses: (...masses) => {
          this.gatherer.addShown(layer, ...masses);
        },
        normaliser: (head, row) => attended.logNormaliser[head * attended.out.tokens + row],
      });
    }
  };

  /** The atlas, once the run has ended. */
  result(): ReturnType<AtlasGatherer['result']> {
    return this.gatherer.result();
  }

  async release(): Promise<void> {
    await this.shown?.release();
  }

  /** The weights of the first token, from the scores of its key alone; nothing of queries that no longer hold it. */
  private addFirstToken(layer: number, tensors: LayerTensors, { out, logNormaliser }: AttendedLayer, { queries, keys }: LayerStep): void {
    const place = placeOf(keys, 0);
    const mask = this.masks[this.partOf[layer]];
    const every = Math.max(1, Math.floor(this.plan.tokens / firstTokenQueries));
    const rows: number[] = [];
    let looked = 0;
    for (let query = every * Math.max(1, Math.ceil(queries.from / every)); query < queries.to; query += every) {
      looked += 1;
      if (place !== undefined && mask.allows(query, 0)) {
        rows.push(query - queries.from);
      }
    }
    const { query, scoreCap } = tensors;
    for (let head = 0; head < query.heads; head += 1) {
      const at = place ?? 0;
      const key = rowsView(tensors.key, keyHeadOf(tensors, head), at, at + 1);
      const data = headView(query, head);
      let weight = 0;
      for (const row of rows) {
        const score = product(data, row * query.width, key);
        weight += Math.exp(
          (scoreCap === undefined ? score : scoreCap * Math.tanh(score / scoreCap)) - logNormaliser[head * out.tokens + row],
        );
      }
      this.gatherer.addFirstToken(layer, head, weight, looked);
    }
  }
}

/** The product of a row, from `first` on, and a key: a function of its own is compiled soon, a loop in a loop is not. */
function product(rows: Float32Array, first: number, key: Float32Array): number {
  let sum = 0;
  for (let column = 0; column < key.length; column += 1) {
    sum += rows[first + column] * key[column];
  }
  return sum;
}

/** Attention over the keys alone that a scenario shows. */
class Shown {
  private readonly oracle: OnnxOracle;
  private readonly partOf: readonly number[];
  private readonly attentions: readonly FusedAttention[];

  constructor(plan: Plan, model: LoadedModel, device: Device) {
    this.oracle = new OnnxOracle(model, plan.oracle.inputLength, device, plan.tokens);
    this.partOf = partOfLayers(plan);
    const clock = new PhaseClock();
    this.attentions = layerParts(plan).map((part) => new FusedAttention(part.plan, this.oracle, clock, () => undefined));
  }

  /** That of a layer. */
  attention(layer: number): FusedAttention {
    return this.attentions[this.partOf[layer]];
  }

  async release(): Promise<void> {
    await this.oracle.release();
  }
}

/** What a plan was made from. */
function requestOf({ tokens, model, scenario, oracle, construction, scoreBytes }: Plan): Parameters<typeof makePlan>[0] {
  return { tokens, model, scenario, oracle, construction, scoreBytes };
}
