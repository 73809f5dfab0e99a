import { emptyState, mergeRow, subtractState, type AttentionState } from '../../../core/math/attention-state';
import type { Arrangement } from '../../../core/construct/construction';
import { noToken, referenceTokens } from '../../../core/construct/arrangement';
import { readingsOf, type Reading } from '../../../core/construct/slice';
import { callsPerDispatch, type BlackBoxLayout } from '../../../core/plan/attention-cost';
import type { LayerPlan } from '../../../core/plan/plan';
import type { PhaseClock } from '../runtime/clock';
import type { AttendedLayer, LayerAttention, LayerTensors, OnInstances } from '../tiles/layer';
import { rescaleSample } from '../tiles/states';
import type { Oracle } from '../tiles/oracle';
import type { BlackBox } from './black-box';
import { type Instance, type OutputRow, PatternLane, SliceWriter } from './slices';

/** An instance some of whose rows have no log-normaliser yet, with the means from its first call. */
interface RetriedInstance extends Instance {
  readonly rows: readonly { readonly row: number; readonly mean: Float32Array }[];
}

/** A lane for instances and the lane for their retries, for one kind of oracle. */
interface Lanes {
  readonly first: PatternLane<Instance>;
  readonly retry: PatternLane<RetriedInstance>;
}

/**
 * Attention through a black box (`tight` and `paper`): patterns are copied into calls, their states merged.
 *
 * The synthetic token's score depends on the query: at first it is the score of one key that the query sees, so it never
 * exceeds the log-normaliser. If it is so far below that its own share underflows, one retry uses the score of the mean key
 * under attention instead, which by Jensen's inequality lies within log M of the log-normaliser.
 */
export class BlackBoxAttention implements LayerAttention {
  private readonly arrangement: Arrangement;
  private readonly readings: readonly [Reading, ...Reading[]];
  private readonly blackBox: BlackBox;
  private readonly lanes: Readonly<Record<'causal' | 'open', Lanes>>;
  private added: AttentionState = emptyState(0, 0);
  private removed: AttentionState | undefined;
  /** Dependent rounds of calls in the current layer so far. */
  private rounds = 1;

  constructor(
    private readonly plan: LayerPlan,
    layout: BlackBoxLayout,
    oracle: Pick<Oracle, 'blackBox'>,
    private readonly clock: PhaseClock,
    private readonly onInstances: OnInstances,
  ) {
    const { construction, arrangement, shape } = layout;
    this.arrangement = arrangement;
    this.readings = readingsOf[construction];
    this.blackBox = oracle.blackBox(shape);
    const writer = new SliceWriter(shape, arrangement.chunks);
    const calls = callsPerDispatch(layout, plan.calls.attention / plan.model.layers);
    const lanes = (causal: boolean): Lanes => ({
      first: new PatternLane(this.blackBox, writer, causal, false, calls),
      retry: new PatternLane(this.blackBox, writer, causal, true, calls),
    });
    this.lanes = { causal: lanes(true), open: lanes(false) };
  }

  async run(layer: LayerTensors): Promise<AttendedLayer> {
    const { heads, tokens, width } = layer.query;
    this.added = emptyState(heads * tokens, width);
    this.removed = undefined;
    this.rounds = 1;
    for (let block = 0; block < this.plan.blocks; block += 1) {
      for (const pattern of this.arrangement.patternsOf(block)) {
        const lanes = pattern.causal ? this.lanes.causal : this.lanes.open;
        const references = referenceTokens(pattern);
        for (let head = 0; head < heads; head += 1) {
          if (this.clock.timeSync('attend', () => lanes.first.add({ pattern, references, head }, layer))) {
            await this.readStates(lanes, layer);
          }
        }
      }
    }
    for (const lanes of Object.values(this.lanes)) {
      await this.readStates(lanes, layer);
      await this.readRetries(lanes.retry);
    }
    this.subtractRemoved();
    const logNormaliser = Float64Array.from(this.added.logNormaliser);
    rescaleSample(this.plan, logNormaliser);
    return { out: { heads, tokens, width, data: Float32Array.from(this.added.out) }, logNormaliser, rounds: this.rounds };
  }

  /** Reads the waiting instances, merges the states, and queues rows whose synthetic token underflowed for a retry. */
  private async readStates({ first, retry }: Lanes, layer: LayerTensors): Promise<void> {
    if (first.waiting.length === 0) {
      return;
    }
    const { headWidth } = this.blackBox.shape;
    const { readings } = this;
    const outputs: OutputRow[] = [];
    for (const reading of readings) {
      outputs.push(await this.clock.time('attend', () => first.read(reading)));
    }
    // `state` returns means and log-normaliser side by side; `paper` reads them separately.
    const meanOf: OutputRow = (slot, row) => outputs[outputs.length - 1](slot, row).subarray(0, headWidth);
    const logNormaliserOf = (slot: number, row: number): number => outputs[0](slot, row)[outputs.length === 1 ? headWidth : 0];
    const finished = first.waiting.splice(0);
    for (const [slot, instance] of finished.entries()) {
      const failed: RetriedInstance['rows'][number][] = [];
      this.clock.timeSync('merge', () => {
        forEachQuery(instance, (row) => {
          const logNormaliser = logNormaliserOf(slot, row);
          // Infinite if the synthetic token's share is 0; NaN if rounding made the literal formula's 1 - a negative.
          if (!(logNormaliser < Infinity)) {
            failed.push({ row, mean: meanOf(slot, row).slice() });
          } else {
            this.merge(instance, row, meanOf(slot, row), logNormaliser);
          }
        });
      });
      if (failed.length > 0 && retry.add({ ...instance, rows: failed }, layer)) {
        await this.readRetries(retry);
      }
    }
    this.onInstances(readings.length * finished.length);
  }

  /** Repeats calls for the log-normalisers that underflowed: once for the mean keys, once with these as references. */
  private async readRetries(retry: PatternLane<RetriedInstance>): Promise<void> {
    if (retry.waiting.length === 0) {
      return;
    }
    // The calls for mean keys depend on the first calls, and the repeated calls on the mean keys.
    this.rounds = 3;
    const [reading] = this.readings;
    const meanKey = await this.clock.time('attend', () => retry.read('mean-key'));
    retry.waiting.forEach(({ rows }, slot) => rows.forEach(({ row }) => retry.setReference(slot, row, meanKey(slot, row))));
    const output = await this.clock.time('attend', () => retry.read(reading));
    const finished = retry.waiting.splice(0);
    this.clock.timeSync('merge', () =>
      finished.forEach((instance, slot) =>
        instance.rows.forEach(({ row, mean }) => {
          const last = output(slot, row).length - 1;
          this.merge(instance, row, mean, output(slot, row)[last]);
        }),
      ),
    );
  }

  private subtractRemoved(): void {
    const { added, removed } = this;
    if (removed !== undefined) {
      this.clock.timeSync('merge', () => subtractState(added, removed));
    }
  }

  private merge({ pattern, head }: Instance, row: number, out: Float32Array, logNormaliser: number): void {
    const target = pattern.sign === 1 ? this.added : (this.removed ??= emptyState(this.added.rows, this.added.width));
    const part: AttentionState = { rows: 1, width: target.width, out, logNormaliser: Float64Array.of(logNormaliser) };
    mergeRow(target, head * this.plan.tokens + pattern.queries[row], part, 0);
  }
}

/** Calls `act` with every row of an instance that carries a query. */
function forEachQuery({ pattern: { queries } }: Instance, act: (row: number) => void): void {
  queries.forEach((query, row) => {
    if (query !== noToken) {
      act(row);
    }
  });
}
