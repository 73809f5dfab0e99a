import { seedOf } from '../../../core/math/random';
import { isBeyondRounding, type RoundingUse, roundingUse, worseRounding } from '../../../core/math/rounding';
import type { Verification } from '../../../core/options/table';
import { layerParts, type LayerPlan, type Plan } from '../../../core/plan/plan';
import { type LayerStep, wholeStep } from '../../../core/plan/segments';
import type { Coverage } from '../../../core/report/coverage';
import type { WrongHalo } from '../../../core/report/around-attention';
import type { Fidelity, WrongRow } from '../../../core/report/report';
import { type Range, tileRuleOf } from '../../../core/scenario/scenario';
import { lengthOf, placesOf, type PromptShard, tokensIn } from '../../../core/shards/cut';
import { wrongHalo } from '../../../core/shards/halo';
import type { ModelShape } from '../../../core/shapes';
import type { LoadedModel } from '../../read/model/load';
import { throwIfCancelled } from '../runtime/clock';
import type { Device } from '../runtime/provider';
import { type AttendedLayer, type LayerTensors, rowsView } from '../tiles/layer';
import { LargestDifference, worse } from './difference';
import { DrawnRows } from './drawn-rows';
import { ExactRows, type HeadRow, type RowSight } from './exact-rows';
import { chosenSight, type PlanSight, sightsOf } from './plan-sight';
import { lostRowsOf, PredictionCheck } from './prediction-check';
import { probedRows, Probe } from './probe';
import { type ProductRounding, rowBound } from './row-bound';
import { TokenwiseCheck, type TokenwiseRun } from './tokenwise-check';

/** How a run is checked. */
export interface FidelityOptions extends ProductRounding {
  /** The rows to compare in every head of every layer, ascending: one drawn of each query block, all, or these. */
  readonly rows: 'drawn' | 'all' | readonly number[];
  /** Of the rows that are drawn, and of the probe's numbers. */
  readonly seed: number;
  /** Threads for float64 attention. */
  readonly threads: number;
  readonly signal: AbortSignal;
  /** The rows to check, and the position of the first in the prompt: those of a shard. All by default. */
  readonly own?: Range | undefined;
  readonly position?: number | undefined;
  /** Whether the layers have learned sinks. */
  readonly sinks?: boolean | undefined;
  /** The shard of a prompt of so many tokens that is run, if it is one. */
  readonly halo?: { readonly shard: PromptShard; readonly tokens: number } | undefined;
  /** What work token by token is checked with, if it is. */
  readonly tokenwise?: TokenwiseRun | undefined;
}

/** A run that is to be checked. */
interface CheckedRun extends Pick<FidelityOptions, 'precision' | 'signal'> {
  /** Token ids of the whole prompt. */
  readonly tokens: Int32Array;
  readonly model: LoadedModel;
  readonly device: Pick<Device, 'threads' | 'provider' | 'float16Sums' | 'activations'>;
}

/** The part of a prompt that a run has, and the rows of the run to check. */
interface CheckedShard {
  readonly shard: PromptShard;
  readonly own: Range;
}

/** Milliseconds after which a check lets others work. */
const restEveryMs = 10;

/** Wrong rows that are named at most. */
const mostWrongRows = 16;

/** Steps of asking a mask of any form what the rows of one layer see: below a second. */
const stepBudget = 6e7;

/**
 * The checks of a run: every row by a probe, and one row at random of every query block, head and layer by float64 attention of the
 * layer's own queries, keys and values under the same mask. Both measure the error of the decomposition alone.
 *
 * What a row sees comes from the scenario's predicate, never from the plan.
 */
export class FidelityCheck {
  /** To be run by the pass that is checked, which calls it. */
  readonly probe: Probe;
  private readonly plans: readonly LayerPlan[];
  private readonly sights: readonly PlanSight[];
  /** The part of each head of each layer. */
  private readonly partOf: readonly (readonly number[])[];
  private readonly drawn: readonly DrawnRows[];
  /** By part and row: heads and layers of a kind see alike. */
  private readonly seen: readonly Map<number, RowSight>[];
  private readonly own: Range;
  private readonly model: ModelShape;
  private readonly exact: ExactRows;
  private readonly tokenwise: TokenwiseCheck | undefined;
  /** To be run by what scores the run's predictions, where anything does. */
  readonly predictions: PredictionCheck | undefined;
  private wrongHalos: readonly WrongHalo[] | undefined;
  private readonly whole: LayerStep;
  /** The step that `seen` is of. */
  private latest: LayerStep | undefined;
  private readonly found = new LargestDifference();
  private logNormaliserError = 0;
  private rounding: RoundingUse | undefined;
  private nextRest = 0;
  private lostRows: number | undefined;
  private readonly wrong: WrongRow[] = [];
  private readonly wrongChoices: { readonly layer: number; readonly reason: string }[] = [];
  /** Of each layer that was looked at, by head how many rows were held against a bound, and the query blocks that have them. */
  private readonly looked = new Map<number, Map<number, { readonly rows: number; readonly blocks: number }>>();

  constructor(
    plan: Plan,
    private readonly options: FidelityOptions,
  ) {
    const { seed, threads } = options;
    const { parts, partOf } = sightsOf(plan);
    const own = options.own ?? { from: 0, to: plan.tokens };
    this.own = own;
    this.whole = wholeStep(plan.tokens);
    this.model = plan.model;
    this.sights = parts;
    this.partOf = partOf;
    this.plans = layerParts(plan).map((part) => part.plan);
    this.drawn = this.plans.map(
      (part, index) => new DrawnRows(part, part.within?.model.heads ?? part.model.heads, own, seed, rowKinds(part, parts[index])),
    );
    this.seen = parts.map(() => new Map());
    this.probe = new Probe(plan, options);
    this.predictions = options.tokenwise && new PredictionCheck(options.tokenwise.tokens, seed);
    this.tokenwise = options.tokenwise && new TokenwiseCheck(options.tokenwise, own, seed);
    // Few rows are small products, for which a second thread is woken longer than it works. Only the literal formula loses more where
    // scores lie further apart.
    this.exact = new ExactRows(options.rows === 'drawn' ? 1 : threads, plan.construction === 'paper');
  }

  /** The checks of a run of a model, as `verify` has them. @param shard the rows to check, where they are not all */
  static ofRun(
    plan: Plan,
    verify: Verification,
    { tokens, model, device, precision, signal }: CheckedRun,
    checked?: CheckedShard,
  ): FidelityCheck {
    const ranges = checked?.shard.reads ?? [{ from: 0, to: tokens.length }];
    return new FidelityCheck(plan, {
      ...(checked && { own: checked.own, position: checked.shard.rows.from, halo: { shard: checked.shard, tokens: tokens.length } }),
      rows: verify === 'dense' ? 'all' : 'drawn',
      seed: seedOf(tokensIn(tokens, ranges)),
      // Compiled layers leave the residual stream on a device that has memory of its own.
      tokenwise: {
        ...{ model, tokens, activations: device.activations },
        positions: { ranges, tokens: tokens.length, ...(plan.restarts && { restarts: plan.restarts }) },
        streams: device.provider === 'cpu',
      },
      precision,
      accumulation: precision === 'float16' ? device.float16Sums : precision,
      threads: device.threads,
      signal,
      sinks: model.layers.some(({ attend }) => attend.sinks !== undefined),
    });
  }

  /**
   * Compares rows of every head of a layer.
   *
   * @param step whose rows the tensors have; all by default
   * @throws CancelledError between two heads
   */
  async inspect(layer: number, tensors: LayerTensors, attended: AttendedLayer, stream?: Float32Array, step = this.whole): Promise<void> {
    this.tokenwise?.inspect(layer, tensors, attended, stream, step);
    if (this.latest !== step) {
      this.seen.forEach((rows) => rows.clear());
      this.latest = step;
    }
    const fault = attended.choice?.fault();
    if (fault !== undefined && this.wrongChoices.length < mostWrongRows) {
      this.wrongChoices.push({ layer, reason: fault });
    }
    const group = tensors.query.heads / tensors.key.heads;
    const looked = new Map<number, Set<number>>();
    for (let keyHead = 0; keyHead < tensors.key.heads; keyHead += 1) {
      this.exact.load(tensors, keyHead, lengthOf(step.keys));
      const rows = Array.from({ length: group }, (_, index) => keyHead * group + index).flatMap((head) =>
        this.rowsOf(this.partOf[layer][head], layer, head, step.queries).map((row) => ({ head, row })),
      );
      const visible = rows.map(({ head, row }) => {
        const part = this.partOf[layer][head];
        const { choice } = attended;
        return { head, sight: choice === undefined ? this.visible(part, row) : chosenSight(choice, head, row, this.plans[part]) };
      });
      // Heads of a layer are alike in this.
      const sight = this.sights[this.partOf[layer][0]];
      await this.compare(layer, tensors, attended, visible, sight.sampled ? 'estimate' : 'both', looked, step);
      if (sight.sampled) {
        const read = rows.map(({ head, row }) => ({ head, sight: sight.read(row) }));
        await this.compare(layer, tensors, attended, read, 'arithmetic', looked, step);
      }
    }
    const before = this.looked.get(layer) ?? new Map<number, { readonly rows: number; readonly blocks: number }>();
    for (const [head, own] of looked) {
      const { rows, blocks } = before.get(head) ?? { rows: 0, blocks: 0 };
      // Steps have whole query blocks.
      const more = new Set([...own].map((row) => Math.floor(row / this.plans[this.partOf[layer][head]].blockSize))).size;
      before.set(head, { rows: rows + own.size, blocks: blocks + more });
    }
    this.looked.set(layer, before);
  }

  /** Looks for rows that overflowed in the last residual stream, and at what a shard read. @param from the first of the rows `[rows, d]` */
  inspectStream(hidden: Float32Array, from = 0): void {
    const { width } = this.model;
    const to = from + hidden.length / width;
    this.tokenwise?.end(hidden, { from, to });
    const { halo, seed } = this.options;
    if (halo !== undefined && this.wrongHalos === undefined) {
      const scenarios = this.partOf.map(([part]) => this.plans[part].scenario);
      const wrong = wrongHalo(halo.shard, scenarios, halo.tokens, seed);
      this.wrongHalos = wrong === undefined ? [] : [wrong];
    }
    const [first, end] = [Math.max(from, this.own.from), Math.min(to, this.own.to)];
    const lost = first < end ? lostRowsOf(hidden.subarray((first - from) * width, (end - from) * width), width) : 0;
    this.lostRows = (this.lostRows ?? 0) + lost;
  }

  /** The largest difference over all inspected layers. */
  result(): Fidelity {
    const run: Fidelity = {
      reference: this.plans.some(({ scenario }) => tileRuleOf(scenario) !== undefined)
        ? 'float64 attention of the same queries, keys and values over the same chosen tiles, with their weights'
        : 'float64 attention of the same queries, keys and values under the same mask',
      rows: Math.max(0, ...[...this.looked.values()].flatMap((heads) => [...heads.values()].map(({ rows }) => rows))),
      ...this.found.result(),
      logNormaliserError: this.logNormaliserError,
      rounding: this.rounding,
      seed: this.options.seed,
      wrongRows: this.wrong,
      probe: this.probe.result(),
      ...(this.lostRows !== undefined && { lostRows: this.lostRows }),
      ...(this.wrongHalos && { wrongHalos: this.wrongHalos }),
      ...(this.wrongChoices.length > 0 && { wrongChoices: this.wrongChoices }),
      ...(this.tokenwise && { tokenwise: this.tokenwise.result() }),
      coverage: this.coverage(),
    };
    return this.predictions?.joinedTo(run) ?? run;
  }

  /** What the plan asks for, which is not counted from what was drawn, and what was compared. */
  private coverage(): Coverage {
    const { heads } = this.model;
    const { rows } = this.options;
    const { from, to } = this.own;
    const layers = this.partOf.length;
    const blockOf = (part: number, row: number): number => Math.floor(row / this.plans[part].blockSize);
    let [blocks, askedRows] = [0, 0];
    for (const part of this.partOf.flat()) {
      const ofOwn = blockOf(part, to - 1) - blockOf(part, from) + 1;
      blocks += typeof rows === 'string' ? ofOwn : new Set(rows.map((row) => blockOf(part, row))).size;
      askedRows += rows === 'drawn' ? ofOwn : rows === 'all' ? to - from : rows.length;
    }
    const found = [...this.looked.values()].flatMap((ofHeads) => [...ofHeads.values()]);
    const { probes, probeRows } = this.probe.looked;
    const total = (count: (each: (typeof found)[number]) => number): number => found.reduce((sum, each) => sum + count(each), 0);
    return {
      layers: { asked: layers, compared: this.looked.size },
      heads: { asked: layers * heads, compared: found.length },
      blocks: { asked: blocks, compared: total((each) => each.blocks) },
      rows: { asked: askedRows, compared: total((each) => each.rows) },
      probes: { asked: this.sights.length, compared: probes },
      probeRows: { asked: this.sights.reduce((sum, sight) => sum + probedRows(this.own, sight), 0), compared: probeRows },
      ...(this.tokenwise && { tokenwise: this.tokenwise.coverage }),
      ...(this.options.halo && { halos: { asked: 1, compared: this.wrongHalos === undefined ? 0 : 1 } }),
    };
  }

  async release(): Promise<void> {
    await this.exact.release();
  }

  private rowsOf(part: number, layer: number, head: number, step: Range): readonly number[] {
    const [from, to] = [Math.max(this.own.from, step.from), Math.min(this.own.to, step.to)];
    const { rows } = this.options;
    switch (rows) {
      case 'drawn':
        return this.drawn[part].of(layer, head, step);
      case 'all':
        return Array.from({ length: Math.max(0, to - from) }, (_, row) => from + row);
      default:
        return rows.filter((row) => row >= step.from && row < step.to);
    }
  }

  /**
   * Compares rows with attention over the keys that the mask shows, which measures the error, or over those that the construction
   * is to read, which tells a wrong row. They are the same keys unless the plan samples.
   */
  private async compare(
    layer: number,
    tensors: LayerTensors,
    { out, logNormaliser }: AttendedLayer,
    rows: readonly HeadRow[],
    of: 'both' | 'estimate' | 'arithmetic',
    looked: Map<number, Set<number>>,
    { keys, queries }: LayerStep,
  ): Promise<void> {
    const partOf = this.partOf[layer];
    const place = (row: number): number => row - queries.from;
    const held: HeadRow[] = [];
    for (const { head, sight } of rows) {
      const ranges = placesOf(keys, sight.ranges);
      if (ranges === undefined) {
        looked.set(head, (looked.get(head) ?? new Set()).add(sight.row));
        this.addWrong(layer, head, sight.row);
      } else {
        held.push({ head, sight: { ...sight, row: place(sight.row), ranges } });
      }
    }
    for await (const group of this.exact.of(tensors, held)) {
      for (const exact of group) {
        const { head } = exact;
        const row = exact.sight.row + queries.from;
        const expected = exact.logNormaliser + (of === 'arithmetic' ? this.sights[partOf[head]].scaleUp(row) : 0);
        const ofNormaliser = worse(0, logNormaliser[head * out.tokens + place(row)] - expected);
        const single = new LargestDifference();
        const difference = single.addRow(rowsView(out, head, place(row), place(row) + 1), exact.out);
        if (of !== 'arithmetic') {
          this.found.add(single.result());
          this.logNormaliserError = Math.max(this.logNormaliserError, ofNormaliser);
        }
        if (of !== 'estimate') {
          looked.set(head, (looked.get(head) ?? new Set()).add(row));
          const bound = rowBound(this.plans[partOf[head]], exact, this.options);
          const use = roundingUse(difference === 0 ? 0 : difference / exact.largest, ofNormaliser, bound);
          this.rounding = this.rounding === undefined ? use : worseRounding(this.rounding, use);
          if (isBeyondRounding(use)) {
            this.addWrong(layer, head, row);
          }
        }
      }
      await this.rest();
    }
  }

  private addWrong(layer: number, head: number, row: number): void {
    if (this.wrong.length < mostWrongRows) {
      this.wrong.push({ layer, head, row: row - this.own.from + (this.options.position ?? this.own.from) });
    }
  }

  /** Lets others work now and then: a turn of the event loop costs as much as a small call. @throws CancelledError */
  private async rest(): Promise<void> {
    if (performance.now() >= this.nextRest) {
      await new Promise((resolve) => setImmediate(resolve));
      throwIfCancelled(this.options.signal);
      this.nextRest = performance.now() + restEveryMs;
    }
  }

  private visible(part: number, row: number): RowSight {
    const known = this.seen[part].get(row) ?? this.sights[part].visible(row);
    this.seen[part].set(row, known);
    return known;
  }
}

/** How many rows of a block are ever drawn: all of them, unless the mask has to be asked about every pair. */
function rowKinds({ blocks, blockSize }: LayerPlan, sight: PlanSight): number {
  const affordable = Math.max(1, Math.floor(stepBudget / (blocks * sight.stepsOfRow)));
  return affordable < blockSize ? affordable : Infinity;
}
