import { looksAhead, scenarioTitle } from '../../../core/scenario/scenario';
import type { Plan } from '../../../core/plan/plan';
import { addSums, type ComparedSums, type LossSums, qualityOf, type SplitSums } from '../../../core/report/quality';
import type { Quality } from '../../../core/report/report';
import { nativeScenario } from '../../../core/shapes';
import type { ModelConfig } from '../../read/model/architecture';
import type { LoadedModel } from '../../read/model/load';
import { comparePredictions, type OutputHead, type PredictionComparison, scorePredictions } from './predictions';

/** Why a plan has no meaningful perplexity, or null if it has one. */
export function qualityObstacle(
  { scenario, tokens }: Pick<Plan, 'scenario' | 'tokens'>,
  { predicts }: Pick<ModelConfig, 'predicts'>,
): string | null {
  if (predicts !== 'next') {
    return predicts === 'masked'
      ? 'The model predicts masked tokens, not the next one, and has no perplexity; two-heads evaluate compares its predictions.'
      : 'The model has no output head, so there are no predictions to compare.';
  }
  if (looksAhead(scenario, tokens)) {
    return `${scenarioTitle(scenario)} attention lets a token see the tokens it is to predict, so a next-token model has no meaningful perplexity under it.`;
  }
  return tokens < 2 ? 'One token has no next token to predict.' : null;
}

/**
 * Perplexity under the scenario and under the model's own attention, and the difference of the two predictions: over all
 * positions, and within and past the trained length apart where both exist.
 *
 * @param hidden last residual stream `[N, d]` under the scenario
 * @param baseline the same under the model's own attention
 */
export async function measureQuality(
  model: LoadedModel,
  head: OutputHead,
  tokens: Int32Array,
  hidden: Float32Array,
  baseline: Float32Array,
  signal: AbortSignal,
  onProgress: (fraction: number) => void,
): Promise<Quality> {
  const sums = await sumQuality({ model, head, signal, onProgress }, { first: 0, targets: tokens.subarray(1), hidden }, baseline);
  return qualityOf(sums, nativeScenario(model.shape), model.shape.trainedTokens);
}

/** What scores predictions. */
interface Scorer {
  readonly model: LoadedModel;
  readonly head: OutputHead;
  readonly signal: AbortSignal;
  readonly onProgress: (fraction: number) => void;
}

/** Predictions of consecutive positions of a prompt. */
interface Predictions {
  /** Position of the first one. */
  readonly first: number;
  /** The tokens that follow `[rows]`. */
  readonly targets: Int32Array;
  /** Last residual stream `[rows, d]`. */
  readonly hidden: Float32Array;
}

/**
 * Sums of predictions compared with those of the model's own attention, on the two sides of the trained length.
 *
 * @param baseline last residual stream `[rows, d]` under the model's own attention
 */
export async function sumQuality(scorer: Scorer, { first, targets, hidden }: Predictions, baseline: Float32Array): Promise<SplitSums> {
  const { model, head, signal } = scorer;
  let sums: SplitSums = { within: noComparison, past: noComparison };
  for await (const { from, rows, compared } of comparePredictions(model, head, hidden, baseline, targets, signal)) {
    sums = addSides(scorer, sums, first + from, rows, (start, end) => comparedSums(compared, start, end));
    scorer.onProgress((from + rows) / targets.length);
  }
  return sums;
}

/** Sums of predictions alone, on the two sides of the trained length. */
export async function sumLosses(scorer: Scorer, { first, targets, hidden }: Predictions): Promise<SplitSums<LossSums>> {
  const { model, head, signal } = scorer;
  let sums: SplitSums<LossSums> = { within: noLosses, past: noLosses };
  for await (const { from, rows, loss } of scorePredictions(model, head, hidden, targets, signal)) {
    sums = addSides(scorer, sums, first + from, rows, (start, end) => ({ positions: end - start, loss: sum(loss.subarray(start, end)) }));
    scorer.onProgress((from + rows) / targets.length);
  }
  return sums;
}

const noLosses: LossSums = { positions: 0, loss: 0 };
const noComparison: ComparedSums = { ...noLosses, baselineLoss: 0, divergence: 0, agreeing: 0 };

/** Adds the rows of a slice, whose first is at a position, on both sides of the trained length. */
function addSides<Sums extends LossSums>(
  { model }: Scorer,
  { within, past }: SplitSums<Sums>,
  position: number,
  rows: number,
  of: (from: number, to: number) => Sums,
): SplitSums<Sums> {
  // The row at index i predicts after i + 1 tokens.
  const split = Math.min(rows, Math.max(0, (model.shape.trainedTokens ?? Infinity) - position));
  return { within: addSums(within, of(0, split)), past: addSums(past, of(split, rows)) };
}

/** Sums over rows `[from, to)` of compared predictions. */
function comparedSums({ loss, baselineLoss, divergence, margin }: PredictionComparison, from: number, to: number): ComparedSums {
  return {
    positions: to - from,
    loss: sum(loss?.subarray(from, to)),
    baselineLoss: sum(baselineLoss?.subarray(from, to)),
    divergence: sum(divergence.subarray(from, to)),
    agreeing: margin.subarray(from, to).filter((row) => row === 0).length,
  };
}

function sum(values: Float32Array | undefined): number {
  return values === undefined ? NaN : values.reduce((total, value) => total + value, 0);
}
