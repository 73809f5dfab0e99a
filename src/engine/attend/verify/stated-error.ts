import { text } from '../../../core/l10n';
import { noToken, type Pattern, referenceTokens, rowSees } from '../../../core/construct/arrangement';
import type { BlackBoxConstruction } from '../../../core/construct/construction';
import type { LedgerRow } from '../../../core/ledger/report';
import type { AttentionState } from '../../../core/math/attention-state';
import { type HeadTensors, referenceAttention, scoreKeys } from '../../../core/math/reference-attention';
import type { LayerPlan } from '../../../core/plan/plan';
import { falseAlarmProbability, guaranteedEpsilon, type SampleSpread, statisticalErrors } from '../../../core/report/sampling';
import { fullMask } from '../../../core/scenario/full';
import { arrangementOf, isSampled, maskOf } from '../../../core/scenario/scenario';
import { largestOf } from './difference';
import { roundingOf, samplingConstants, smallestSample, widest } from './sampling';

/** The scores of the given query rows with all keys of a head in float64, `[rows, keys]`. */
function scoresOf(head: HeadTensors, rows: readonly number[]): Float64Array {
  const keys = head.keys.length / head.width;
  const scores = new Float64Array(rows.length * keys);
  rows.forEach((row, index) => scoreKeys(head, row, 1, 0, keys, scores.subarray(index * keys, (index + 1) * keys)));
  return scores;
}

/** The largest score in size of the given query rows with all keys of a head. */
export function largestScore(head: HeadTensors, rows: readonly number[]): number {
  return largestOf(scoresOf(head, rows));
}

/** The error that rounding scores of this size makes of an output. */
export function roundingError(largestScore: number): number {
  return roundings * rounding * (1 + largestScore);
}

/** Half the distance from 1 to the next float32: the relative error of one rounding. */
const rounding = 2 ** -24;

/** Roundings that meet in one output: scores, exponentials, sums, and calls that are merged. */
const roundings = 16;

/** Roundings of `1 - a`: those of the share `a`, which a softmax has divided by a sum. */
const shareRoundings = 4;

/**
 * The relative error that a row of the ledger is stated to stay within, from its own queries, keys and values in float64.
 *
 * `tight` rounds scores. `paper` also reads `1 - a`, which is rounded as 1 is, and so loses `A/e^c`; a difference of sums
 * loses what they have in common besides. Of a sample it is what theorem 4.1 guarantees for the C and D of the data, or what statistics
 * expect of the spread of its keys, whichever is less.
 */
export class StatedError {
  private worst = 0;
  /** Whether the theorem, of a sample, promised less than statistics in some head. */
  private byStatistics = false;

  constructor(
    private readonly plan: StatementPlan,
    private readonly rows: readonly number[],
  ) {}

  /** Looks at one head. */
  inspect(head: HeadTensors): void {
    this.worst = Math.max(this.worst, this.errorOf(head));
  }

  /** The largest of all heads looked at. */
  result(): LedgerRow['stated'] {
    return { error: this.worst, reason: this.reason };
  }

  private get reason(): string {
    const { scenario, construction } = this.plan;
    if (isSampled(scenario)) {
      return this.byStatistics
        ? text('what statistics expect of samples of this size, from the spread of the keys; theorem 4.1 guarantees less')
        : text('the epsilon that theorem 4.1 guarantees for this M, from the C and D measured');
    }
    if (construction === 'tight') {
      return text('float32 rounding of the scores');
    }
    return 'window' in scenario
      ? text('the literal formula in float32, magnified by the subtraction')
      : text('the literal formula A = e^c a/(1 - a) in float32');
  }

  private errorOf(head: HeadTensors): number {
    const { scenario, tokens, blockSize, construction } = this.plan;
    if (isSampled(scenario)) {
      const { spreads, ...constants } = samplingConstants(head, this.rows);
      const theorem = guaranteedEpsilon(constants, tokens, head.width, Math.min(tokens, blockSize));
      const statistics = this.statisticsOf(head, widest(spreads));
      this.byStatistics ||= statistics < theorem;
      return Math.min(theorem, statistics);
    }
    const scores = scoresOf(head, this.rows);
    const ofScores = roundingError(largestOf(scores));
    if (construction === 'tight') {
      return ofScores;
    }
    const exact = referenceAttention(head, maskOf(scenario, tokens), 1, this.rows);
    const lost = literalLoss(this.plan, scores, this.rows, exact);
    const largestValue = largestOf(head.values);
    let worst = 0;
    this.rows.forEach((_, index) => {
      const size = largestOf(exact.out.subarray(index * head.width, (index + 1) * head.width));
      // A state that weighs too much or too little moves the output by as much as its values lie apart.
      worst = Math.max(worst, ((shareRoundings * rounding * lost[index] + ofScores) * largestValue) / size);
    });
    return worst;
  }

  /** What an output, relative to its largest component, or a log-normaliser of any row of a sample may be off by. */
  private statisticsOf(head: HeadTensors, spread: SampleSpread): number {
    const { tokens, model } = this.plan;
    const trials = this.rows.length * model.heads * model.layers;
    const { output, normaliser } = statisticalErrors(spread, tokens, smallestSample(this.plan), trials, falseAlarmProbability);
    const rounding = roundingOf(this.plan, head, this.rows, referenceAttention(head, fullMask(tokens), 1, this.rows));
    // The largest component is at least 1/sqrt(m) of the norm, by which the spread of outputs is measured.
    const ofOutput = Math.sqrt(head.width) * (output + rounding.output);
    return Math.max(ofOutput, normaliser < 1 ? -Math.log1p(-normaliser) + rounding.logNormaliser : Infinity);
  }
}

/**
 * What the literal formula loses in each row, in units of one rounding: `A_t/e^c` of every call t, weighed with its share
 * `A_t/A` of the row's sum, in which calls that are subtracted weigh like those that are added.
 *
 * @param scores `[rows, keys]`
 * @param rows those of `exact`
 */
function literalLoss(plan: StatementPlan, scores: Float64Array, rows: readonly number[], exact: AttentionState): Float64Array {
  const { construction, scenario, tokens, oracle, blocks } = plan;
  const lost = new Float64Array(rows.length);
  const keys = scores.length / rows.length;
  const indexOf = new Map(rows.map((row, index) => [row, index]));
  const arrangement = arrangementOf(scenario, construction, { ...oracle, tokens });
  for (let block = 0; block < blocks; block += 1) {
    for (const pattern of arrangement.patternsOf(block)) {
      const references = referenceTokens(pattern);
      pattern.queries.forEach((query, row) => {
        const index = indexOf.get(query);
        if (index === undefined || references[row] === noToken) {
          return;
        }
        const own = scores.subarray(index * keys, (index + 1) * keys);
        const sum = logSumOf(own, pattern, row);
        lost[index] += Math.exp(sum - exact.logNormaliser[index]) * Math.exp(sum - own[references[row]]);
      });
    }
  }
  return lost;
}

/** Log-sum-exp of the scores of the keys that a row of a pattern sees. @param scores of its query with all keys */
function logSumOf(scores: Float64Array, pattern: Pattern, row: number): number {
  let sum = 0;
  let high = -Infinity;
  for (let keyRow = 1; keyRow <= (pattern.causal ? row : pattern.keys.length - 1); keyRow += 1) {
    if (rowSees(pattern, row, keyRow)) {
      const score = scores[pattern.keys[keyRow]];
      // Rescaled only where a new maximum comes up.
      sum = score > high ? sum * Math.exp(high - score) + 1 : sum + Math.exp(score - high);
      high = Math.max(high, score);
    }
  }
  return high + Math.log(sum);
}

/** A plan whose construction calls a black box, as every statement's does. */
export type StatementPlan = LayerPlan & { readonly construction: BlackBoxConstruction };
