import { type RoundingUse, isBeyondRounding, roundingBound, roundingUse, worseRounding } from '../../../core/math/rounding';
import { referenceAttention } from '../../../core/math/reference-attention';
import type { Activations, Precision } from '../../../core/options/table';
import { layerParts, partOfLayers, type Plan } from '../../../core/plan/plan';
import type { Fidelity, WrongRow } from '../../../core/report/report';
import { rangesByPredicate } from '../../../core/scenario/by-predicate';
import { type LayerScenario, maskOf, type Range } from '../../../core/scenario/scenario';
import type { SteppedLayer } from '../../attend/tiles/decode-steps';
import { embed } from '../../attend/tiles/embed';
import { type LayerTensors, rowsView } from '../../attend/tiles/layer';
import { LargestDifference, largestOf } from '../../attend/verify/difference';
import { exactNext, exactProducts, exactProjection } from '../../attend/verify/exact-tokenwise';
import { tokenwiseTolerance } from '../../attend/verify/tokenwise-check';
import type { LoadedModel } from '../../read/model/load';

/** Wrong rows that are named at most. */
const mostWrongRows = 16;

/** By how much two projections of the same row may differ, relative to its largest number: a wrong angle moves it by far more. */
const projectionTolerance: Readonly<Record<Precision, number>> = { float32: 1e-4, float16: 2e-2 };

/**
 * Products in float64 that the rows after a layer may take at a step, on average: some 20 ms. Of layers that have more, one is looked
 * at every so many steps.
 */
const productsAtStep = 2 ** 24;

/**
 * Checks every decoding step: in every layer one head in turn against float64 attention, and in one layer in turn the projection and
 * what the layer makes of its attention against float64 from the weights.
 *
 * It keeps keys and values by positions that it counts itself, and what a token sees comes from the predicate: it shares nothing
 * with the caches, and rotates for the length that it counts.
 */
export class DecodingCheck {
  private readonly parts: readonly LayerScenario[];
  private readonly partOf: readonly number[];
  /** Of each layer by position: keys and values `[2, keyValueHeads, m]`. */
  private readonly kept: readonly Map<number, Float32Array>[];
  private ids: number[] = [];
  private seen: readonly (readonly Range[])[] = [];
  private readonly found = new LargestDifference();
  private rounding: RoundingUse | undefined;
  private readonly wrong: WrongRow[] = [];
  private asked = 0;
  private compared = 0;

  /** @param precision of the runs of whole sequences */
  constructor(
    private readonly model: LoadedModel,
    private readonly plan: Plan,
    private readonly precision: Precision,
    private readonly activations: Activations = 'float32',
  ) {
    this.parts = layerParts(plan).map((part) => part.plan.scenario);
    this.partOf = partOfLayers(plan);
    this.kept = model.layers.map(() => new Map());
  }

  /** Takes a whole sequence that is to be run; what was kept of an earlier one is given up. */
  beginWhole(tokens: Int32Array): void {
    this.ids = [...tokens];
    this.kept.forEach((layer) => layer.clear());
    this.look();
  }

  /** Takes a layer of the whole sequence, and checks the rotation of its last row in the first layer. */
  inspectWhole(layer: number, { query, key, value }: LayerTensors): void {
    const { length } = this.ids;
    const mask = maskOf(this.parts[this.partOf[layer]], length);
    // Under a mask of any form, a later token may see what the last one does not.
    const ranges = 'visible' in mask ? this.seen[this.partOf[layer]] : [{ from: 0, to: length }];
    const of = (tensor: LayerTensors['key'], row: number): Float32Array =>
      Float32Array.from(Array.from({ length: tensor.heads }, (_, head) => [...rowsView(tensor, head, row, row + 1)]).flat());
    for (const { from, to } of ranges) {
      for (let row = from; row < to; row += 1) {
        this.kept[layer].set(row, Float32Array.of(...of(key, row), ...of(value, row)));
      }
    }
    if (layer === 0) {
      const last = length - 1;
      const hidden = embed(this.model, Int32Array.of(this.ids[last]), () => last);
      this.project(0, hidden, { query: of(query, last), key: of(key, last) }, this.precision);
    }
  }

  /** Takes the newest token, before its first layer. */
  beginStep(token: number): void {
    this.ids.push(token);
    this.look();
    this.asked += this.model.shape.layers;
  }

  /** Checks what a step made of the newest token. @param next the last residual stream */
  inspectStep(layers: readonly SteppedLayer[], next: Float32Array): void {
    layers.forEach(({ key, value, hidden, query, attended }, layer) => {
      if (hidden !== undefined && query !== undefined && attended !== undefined) {
        this.inspectLayer(layer, { key, value, hidden, query, attended }, layers[layer + 1]?.hidden ?? next);
      }
    });
  }

  /** Checks a layer of a step. @param after the residual stream after it */
  private inspectLayer(layer: number, row: Required<SteppedLayer>, after: Float32Array): void {
    const { headWidth: width, heads, keyValueHeads, scoreCap, layers } = this.model.shape;
    const position = this.ids.length - 1;
    const kept = this.kept[layer];
    kept.set(position, Float32Array.of(...row.key, ...row.value));
    const ranges = this.seen[this.partOf[layer]];
    if (layer === 0) {
      const embedded = embed(this.model, Int32Array.of(this.ids[position]), () => position);
      if (embedded.some((x, column) => x !== row.hidden[column])) {
        this.addWrong({ layer, head: 0, row: position });
      }
    }
    if (layer === position % layers) {
      this.project(layer, row.hidden, row, 'float32');
    }
    this.outputAndMlp(layer, row, after);
    const head = (position + layer) % heads;
    const keyHead = Math.floor(head / (heads / keyValueHeads));
    const found = ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, index) => kept.get(from + index)));
    const known = found.filter((each) => each !== undefined);
    const gathered = (first: number): Float32Array => {
      const all = new Float32Array(known.length * width);
      known.forEach((each, index) => all.set(each.subarray((first + keyHead) * width, (first + keyHead + 1) * width), index * width));
      return all;
    };
    const queries = row.query.subarray(head * width, (head + 1) * width);
    const [keys, values] = [gathered(0), gathered(keyValueHeads)];
    const sinks = this.model.layers[layer].attend.sinks?.data;
    const tensors = { width, queries, keys, values, ...(scoreCap !== undefined && { scoreCap }), ...(sinks && { sink: sinks[head] }) };
    const exact = referenceAttention(tensors, { ranges: () => [{ from: 0, to: known.length }] }, 1, [0]);
    const difference = this.found.addRow(row.attended.subarray(head * width, (head + 1) * width), exact.out);
    const { inputLength } = this.plan.oracle;
    const bound = roundingBound({
      width,
      products: largestOf(keys) * queries.reduce((sum, x) => sum + Math.abs(x), 0),
      callKeys: Math.min(inputLength, known.length),
      calls: 1 + Math.ceil(known.length / inputLength),
      precision: 'float32',
    });
    const use = roundingUse(difference === 0 ? 0 : difference / largestOf(values), 0, bound);
    this.rounding = this.rounding === undefined ? use : worseRounding(this.rounding, use);
    if (isBeyondRounding(use) || known.length < found.length) {
      this.addWrong({ layer, head, row: position });
    }
    this.compared += 1;
    this.giveUp(layer, ranges);
  }

  /** The fidelity of the whole sequences, with that of the steps. */
  joinedTo(whole: Fidelity): Fidelity {
    const { maxAbsError, maxRelError } = this.found.result();
    const { asked, compared, wrong, rounding } = this;
    const { coverage } = whole;
    return {
      ...whole,
      maxAbsError: Math.max(whole.maxAbsError, maxAbsError),
      maxRelError: Math.max(whole.maxRelError, maxRelError),
      rounding: whole.rounding && rounding ? worseRounding(whole.rounding, rounding) : (whole.rounding ?? rounding),
      wrongRows: [...(whole.wrongRows ?? []), ...wrong].slice(0, mostWrongRows),
      ...(coverage && { coverage: { ...coverage, steps: { asked, compared } } }),
    };
  }

  /** What the newest token sees in each kind of layer, by the predicate. */
  private look(): void {
    const { length } = this.ids;
    this.seen = this.parts.map((scenario) => rangesByPredicate(maskOf(scenario, length), length - 1, length));
  }

  /** Gives up keys that no later token sees. */
  private giveUp(layer: number, ranges: readonly Range[]): void {
    const part = this.parts[this.partOf[layer]];
    if ('visible' in maskOf(part, 1)) {
      for (const position of this.kept[layer].keys()) {
        if (!ranges.some(({ from, to }) => position >= from && position < to)) {
          this.kept[layer].delete(position);
        }
      }
    }
  }

  private project(layer: number, hidden: Float32Array, given: Pick<Required<SteppedLayer>, 'query' | 'key'>, precision: Precision): void {
    const { length } = this.ids;
    const exact = exactProjection(this.model, this.model.layers[layer], hidden, { position: length - 1, tokens: length });
    const allowed = this.activations === 'int8' ? tokenwiseTolerance.int8 : projectionTolerance[precision];
    this.compare(layer, given.query, exact.query, allowed * largestOf(exact.query));
    this.compare(layer, given.key, exact.key, allowed * largestOf(exact.key));
  }

  /** Checks what one layer in turn made of its attention. */
  private outputAndMlp(layer: number, { hidden, attended }: Required<SteppedLayer>, after: Float32Array): void {
    const weights = this.model.layers[layer];
    const every = Math.ceil(exactProducts(weights) / productsAtStep);
    const step = this.asked / this.model.shape.layers - 1;
    if (step % every === 0 && layer === Math.floor(step / every) % this.model.shape.layers) {
      const exact = exactNext(this.model, weights, hidden, attended);
      if (exact !== undefined) {
        // What a layer adds may be small beside the stream, whose own rounding then counts.
        const added = largestOf(exact.map((x, column) => x - hidden[column]));
        this.compare(layer, after, exact, Math.max(tokenwiseTolerance[this.activations] * added, 1e-6 * largestOf(exact)));
      }
    }
  }

  private compare(layer: number, found: Float32Array, exact: Float64Array, allowed: number): void {
    if (exact.some((x, index) => !(Math.abs(x - found[index]) <= allowed))) {
      this.addWrong({ layer, head: 0, row: this.ids.length - 1 });
    }
  }

  private addWrong(row: WrongRow): void {
    if (this.wrong.length < mostWrongRows) {
      this.wrong.push(row);
    }
  }
}
