import { largestProbeScore, probeSink, SeparableHead, type SeparableSums } from '../../../core/math/separable-head';
import { uniform } from '../../../core/math/random';
import { type RoundingBound, roundingBound } from '../../../core/math/rounding';
import { layerParts, type LayerPlan, type Plan } from '../../../core/plan/plan';
import type { LayerStep } from '../../../core/plan/segments';
import type { ProbeFidelity } from '../../../core/report/report';
import type { Range } from '../../../core/scenario/scenario';
import { placeOf, placesOf } from '../../../core/shards/cut';
import { interruptible } from '../../interruptible';
import { type AttendedLayer, type LayerTensors, rowsView } from '../tiles/layer';
import { LargestDifference, worse } from './difference';
import { PlanSight } from './plan-sight';
import { lossOf, type ProductRounding, summedKeys } from './row-bound';

/** Ranges of wrong rows that are named at most. */
const mostRanges = 16;

/** Steps of asking a mask of any form what rows see: a fraction of a second. Where all rows would take more, fewer are checked. */
const stepBudget = 3e7;

/** What a probe is made with. */
interface ProbeOptions extends ProductRounding {
  readonly seed: number;
  /** The rows to check, and the position of the first of them in the prompt; all by default. */
  readonly own?: Range | undefined;
  readonly position?: number | undefined;
  /** Whether the layers have learned sinks: the probe has one too then. */
  readonly sinks?: boolean | undefined;
}

/**
 * Checks every row of a run: one more head goes through the attention of each kind of layer, whose exact state is known for every
 * row in O(N m), whatever the mask (see `SeparableHead`).
 *
 * Where tiles are chosen, it chooses its own, as every head does. It finds what is wrong in the calls, their masks, and the merge of their states, wherever it is in the sequence, and does not
 * know the plan: what a row sees comes from the predicate. What is wrong in some heads only, it cannot see.
 */
export class Probe {
  /** The rows that the latest step holds. */
  private held: { readonly keys: readonly Range[]; readonly head: SeparableHead } | undefined;
  private readonly parts: readonly LayerPlan[];
  /** The last layer of each part. */
  private readonly lastOf: readonly number[];
  private readonly sights: (PlanSight | undefined)[] = [];
  private readonly own: Range;
  private readonly sink: number | undefined;
  private readonly found = new LargestDifference();
  private logNormaliserError = 0;
  /** Of each kind of layer that was compared, its rows. */
  private readonly compared = new Map<number, number>();
  private readonly wrong: { from: number; to: number }[] = [];

  constructor(
    private readonly plan: Plan,
    private readonly options: ProbeOptions,
  ) {
    this.parts = layerParts(plan).map((part) => part.plan);
    this.lastOf = layerParts(plan).map(({ layers }) => layers[layers.length - 1]);
    this.own = options.own ?? { from: 0, to: plan.tokens };
    this.sink = options.sinks === true ? probeSink : undefined;
  }

  /**
   * The parts that the probe is to run through before this layer: it is the last of their kind, when all that the kind shares has been
   * used.
   */
  due(layer: number): readonly number[] {
    return this.lastOf.flatMap((last, part) => (last === layer ? [part] : []));
  }

  /** The probe's queries, keys and values in a step: one head. */
  tensorsOf(step: LayerStep): LayerTensors {
    const { scoreCap, headWidth } = this.plan.model;
    const head = this.headOf(step);
    const first = placeOf(step.keys, step.queries.from) ?? 0;
    const tensor = (data: Float32Array): LayerTensors['query'] => ({ heads: 1, tokens: data.length / headWidth, width: headWidth, data });
    return {
      query: tensor(head.queries.subarray(first * headWidth)),
      key: tensor(head.keys),
      value: tensor(head.values),
      ...(scoreCap !== undefined && { scoreCap }),
      ...(this.sink !== undefined && { sinks: Float32Array.of(this.sink) }),
    };
  }

  /**
   * Compares the probe's attention with its exact state.
   *
   * @param part through whose attention it was due
   * @param attended `[1, rows, m]`
   */
  inspect(part: number, attended: AttendedLayer, step: LayerStep): void {
    const compared = interruptible(() => this.compare(part, attended, step));
    this.compared.set(part, (this.compared.get(part) ?? 0) + compared);
  }

  /** How many kinds of layer, and how many rows of all of them, were compared. */
  get looked(): { readonly probes: number; readonly probeRows: number } {
    return { probes: this.compared.size, probeRows: [...this.compared.values()].reduce((sum, rows) => sum + rows, 0) };
  }

  /** What was found so far, over all kinds of layer. Rows are of the whole prompt; those of the kind of layer with the fewest. */
  result(): ProbeFidelity {
    return {
      rows: this.compared.size === 0 ? 0 : Math.min(...this.compared.values()),
      ...this.found.result(),
      logNormaliserError: this.logNormaliserError,
      wrongRows: this.wrong.slice(0, mostRanges),
    };
  }

  /** The head at the rows that a step holds: kinds of layer mostly hold the same. */
  private headOf({ keys }: LayerStep): SeparableHead {
    if (this.held === undefined || !isSame(this.held.keys, keys)) {
      const { tokens, model } = this.plan;
      this.held = undefined;
      this.held = { keys, head: new SeparableHead(tokens, model.headWidth, this.options.seed, model.scoreCap, keys) };
    }
    return this.held.head;
  }

  /** @returns how many rows */
  private compare(part: number, { out, logNormaliser, choice }: AttendedLayer, step: LayerStep): number {
    const { own, options } = this;
    const plan = this.parts[part];
    const head = this.headOf(step);
    const sight = (this.sights[part] ??= new PlanSight(plan));
    const sums: SeparableSums = head.sums(sight.read(own.from).order);
    const exact = new Float64Array(head.width + 1);
    const rows = rowsToCheck(own, sight, options.seed, step.queries);
    const position = (options.position ?? own.from) - own.from;
    // Only the literal formula rounds by what a row sees.
    const ofAll = plan.construction === 'paper' ? undefined : probeBound(plan, [], options);
    for (const row of rows) {
      const ranges = choice?.rangesOf(0, row, plan.blockSize) ?? sight.read(row).ranges;
      // Where tiles are chosen, all keys are held.
      const places = choice === undefined ? placesOf(step.keys, ranges) : ranges;
      const [place, held] = [row - step.queries.from, placeOf(step.keys, row)];
      if (places === undefined || held === undefined) {
        this.addWrong(row + position);
        continue;
      }
      const exactNormaliser = head.state(sums, held, places, this.sink, exact) + sight.scaleUp(row);
      const difference = this.found.addRow(rowsView(out, 0, place, place + 1), exact.subarray(0, head.width));
      const ofNormaliser = worse(0, logNormaliser[place] - exactNormaliser);
      this.logNormaliserError = Math.max(this.logNormaliserError, ofNormaliser);
      const bound = ofAll ?? probeBound(plan, ranges, options);
      if (difference > bound.relative || ofNormaliser > bound.logNormaliser) {
        this.addWrong(row + position);
      }
    }
    return rows.length;
  }

  /** Adds a wrong row to its range; rows come in ascending order for each kind of layer. */
  private addWrong(row: number): void {
    const near = this.wrong.find(({ from, to }) => from <= row + 1 && row <= to);
    if (near !== undefined) {
      near.from = Math.min(near.from, row);
      near.to = Math.max(near.to, row + 1);
    } else if (this.wrong.length < mostRanges) {
      this.wrong.push({ from: row, to: row + 1 });
    }
  }
}

/** How far a row of a probe may be off by rounding; its values are at most 1 in size. */
export function probeBound(plan: LayerPlan, ranges: readonly Range[], { precision, accumulation }: ProductRounding): RoundingBound {
  return roundingBound({
    width: 3,
    products: largestProbeScore,
    isProbe: true,
    callKeys: summedKeys(plan, { precision }),
    calls: plan.blocks,
    precision,
    accumulation,
    // Weights of the probe differ by e^2 at most.
    loss: lossOf(plan, ranges, largestProbeScore),
  });
}

/** How many rows of a kind of layer a probe is to compare: all, unless asking a mask about them costs too much. */
export function probedRows({ from, to }: Range, sight: PlanSight): number {
  return Math.min(to - from, Math.max(1, Math.floor(stepBudget / sight.stepsOfRow)));
}

/** All rows of a step, or where asking a mask about them costs too much those of them that are one at random of each of equal stretches. */
function rowsToCheck({ from, to }: Range, sight: PlanSight, seed: number, step: Range): number[] {
  const count = probedRows({ from, to }, sight);
  if (count === to - from) {
    const first = Math.max(from, step.from);
    return Array.from({ length: Math.max(0, Math.min(to, step.to) - first) }, (_, index) => first + index);
  }
  const next = uniform(seed);
  const rows = Array.from({ length: count }, (_, index) => from + Math.floor(((index + next()) * (to - from)) / count));
  return rows.filter((row) => row >= step.from && row < step.to);
}

function isSame(one: readonly Range[], other: readonly Range[]): boolean {
  return one.length === other.length && one.every(({ from, to }, index) => from === other[index].from && to === other[index].to);
}
