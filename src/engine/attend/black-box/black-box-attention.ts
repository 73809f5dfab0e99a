import { emptyState, mergeRow, subtractState, type AttentionState } from '../../../core/math/attention-state';
import type { Arrangement } from '../../../core/construct/construction';
import { kindOf, noToken, type PatternKind, patternKinds } from '../../../core/construct/arrangement';
import { type BlackBoxShape, readingsOf, type Reading } from '../../../core/construct/slice';
import { callsPerDispatch, type BlackBoxLayout } from '../../../core/plan/attention-cost';
import type { LayerPlan } from '../../../core/plan/plan';
import type { PhaseClock } from '../runtime/clock';
import type { LayerStep } from '../../../core/plan/segments';
import { allHeads, type AttendedLayer, type LayerAttention, type LayerTensors, type OnInstances } from '../tiles/layer';
import { rescaleSample } from '../tiles/states';
import type { Oracle } from '../tiles/oracle';
import type { BlackBoxOutput } from './black-box';
import { type Instance, PatternLane, prepare } from './slices';

/** An instance some of whose rows have no log-normaliser yet, with the means from its first call. */
interface RetriedInstance extends Instance {
  readonly rows: readonly { readonly row: number; readonly mean: Float32Array }[];
}

/** A lane for instances and the lane for their retries, for one kind of oracle. */
interface Lanes {
  readonly shape: BlackBoxShape;
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
  private readonly lanes: Readonly<Record<PatternKind, Lanes>>;
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
    const { construction, arrangement, shapes } = layout;
    this.arrangement = arrangement;
    this.readings = readingsOf[construction];
    const lanes = (kind: PatternKind): Lanes => {
      const shape = shapes[kind];
      const box = oracle.blackBox(shape);
      const calls = callsPerDispatch(construction, shape, plan.calls.attention / plan.model.layers);
      return {
        shape,
        first: new PatternLane(box, kind === 'causal', false, calls),
        retry: new PatternLane(box, kind === 'causal', true, calls),
      };
    };
    this.lanes = { causal: lanes('causal'), open: lanes('open'), covered: lanes('covered') };
  }

  async run(layer: LayerTensors, _step?: LayerStep, attended = allHeads(layer)): Promise<AttendedLayer> {
    const { heads, tokens, width } = layer.query;
    this.added = emptyState(heads * tokens, width);
    this.removed = undefined;
    this.rounds = 1;
    for (let block = 0; block < this.plan.blocks; block += 1) {
      for (const pattern of this.arrangement.patternsOf(block)) {
        const lanes = this.lanes[kindOf(pattern)];
        const prepared = this.clock.timeSync('attend', () => prepare(pattern, lanes.shape));
        for (const head of attended) {
          if (this.clock.timeSync('attend', () => lanes.first.add({ ...prepared, head }, layer))) {
            await this.readStates(lanes, layer);
          }
        }
      }
    }
    for (const kind of patternKinds) {
      await this.readStates(this.lanes[kind], layer);
      await this.readRetries(this.lanes[kind]);
    }
    this.subtractRemoved();
    const logNormaliser = Float64Array.from(this.added.logNormaliser);
    rescaleSample(this.plan, logNormaliser);
    return { out: { heads, tokens, width, data: Float32Array.from(this.added.out) }, logNormaliser, rounds: this.rounds };
  }

  /** Reads the waiting instances, merges the states, and queues rows whose synthetic token underflowed for a retry. */
  private async readStates(lanes: Lanes, layer: LayerTensors): Promise<void> {
    const { first, retry, shape } = lanes;
    if (first.waiting.length === 0) {
      return;
    }
    // `state` returns means and log-normalisers together; `paper` reads them separately.
    let output: BlackBoxOutput = {};
    for (const reading of this.readings) {
      output = { ...output, ...(await this.clock.time('attend', () => first.read(reading))) };
    }
    const state = stateOf(output, shape);
    const finished = first.waiting.splice(0);
    for (const [slot, instance] of finished.entries()) {
      const failed: RetriedInstance['rows'][number][] = [];
      this.clock.timeSync('merge', () => {
        instance.pattern.queries.forEach((query, row) => {
          const at = slot * instance.pattern.queries.length + row;
          if (query === noToken) {
            return;
          }
          // Infinite if the synthetic token's share is 0; NaN if rounding made the literal formula's 1 - a negative.
          if (!(state.logNormaliser[at] < Infinity)) {
            failed.push({ row, mean: Float32Array.from(state.out.subarray(at * state.width, (at + 1) * state.width)) });
          } else {
            mergeRow(this.targetOf(instance), this.rowOf(instance, row), state, at);
          }
        });
      });
      if (failed.length > 0 && retry.add({ ...instance, rows: failed }, layer)) {
        await this.readRetries(lanes);
      }
    }
    this.onInstances(this.readings.length * finished.length);
  }

  /** Repeats calls for the log-normalisers that underflowed: once for the mean keys, once with these as references. */
  private async readRetries({ retry, shape: { rows: perSlot, headWidth }, shape }: Lanes): Promise<void> {
    if (retry.waiting.length === 0) {
      return;
    }
    // The calls for mean keys depend on the first calls, and the repeated calls on the mean keys.
    this.rounds = 3;
    const [reading] = this.readings;
    const { mean: meanKeys = new Float32Array(0) } = await this.clock.time('attend', () => retry.read('mean-key'));
    retry.waiting.forEach(({ rows }, slot) =>
      rows.forEach(({ row }) => {
        const at = (slot * perSlot + row) * headWidth;
        retry.setReference(slot, row, meanKeys.subarray(at, at + headWidth));
      }),
    );
    const { logNormaliser } = stateOf(await this.clock.time('attend', () => retry.read(reading)), shape);
    const finished = retry.waiting.splice(0);
    this.clock.timeSync('merge', () =>
      finished.forEach((instance, slot) =>
        instance.rows.forEach(({ row, mean }) => {
          const at = slot * perSlot + row;
          const part = { rows: 1, width: headWidth, out: mean, logNormaliser: logNormaliser.subarray(at, at + 1) };
          mergeRow(this.targetOf(instance), this.rowOf(instance, row), part, 0);
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

  /** The sums that an instance belongs to: those that are added, or those that are subtracted. */
  private targetOf({ pattern }: Instance): AttentionState {
    return pattern.sign === 1 ? this.added : (this.removed ??= emptyState(this.added.rows, this.added.width));
  }

  /** The row of the states that an instance's row is part of. */
  private rowOf({ pattern, head }: Instance, row: number): number {
    return head * this.plan.tokens + pattern.queries[row];
  }
}

/** A batch's output as states: a row for every row of every instance. */
function stateOf(
  { mean = new Float32Array(0), logNormaliser = new Float32Array(0) }: BlackBoxOutput,
  shape: BlackBoxShape,
): AttentionState {
  return { rows: logNormaliser.length, width: shape.headWidth, out: mean, logNormaliser };
}
