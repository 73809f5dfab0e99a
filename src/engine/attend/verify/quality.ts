import { said, text } from '../../../core/l10n';
import { InputError } from '../../../core/errors';
import { looksAhead, scenarioTitle } from '../../../core/scenario/scenario';
import type { SimulationOptions } from '../../../core/options/table';
import type { Plan } from '../../../core/plan/plan';
import { scoredFrom } from '../../../core/evaluate/score';
import { addSplitSums, type ComparedSums, type LossSums, qualityOf, type QualityScope, type SplitSums } from '../../../core/report/quality';
import type { Quality } from '../../../core/report/report';
import type { Touched } from '../../../core/scenario/touched';
import { nativeScenario } from '../../../core/shapes';
import type { ModelConfig } from '../../read/model/architecture';
import type { LoadedModel } from '../../read/model/load';
import type { PredictionCheck } from './prediction-check';
import { comparePredictions, type OutputHead, type PredictionComparison, scorePredictions } from './predictions';

/** Why a run has no quality, or null if it has. */
export function runObstacle(
  plan: Plan,
  model: Pick<ModelConfig, 'predicts'>,
  options: Pick<SimulationOptions, 'quality' | 'score'>,
): string | null {
  return options.quality ? qualityObstacle(plan, model, options.score) : text('Quality was switched off for this run.');
}

/** Why a plan has no meaningful perplexity, or null if it has one. */
export function qualityObstacle(
  { scenario, tokens }: Pick<Plan, 'scenario' | 'tokens'>,
  { predicts }: Pick<ModelConfig, 'predicts'>,
  score = 'all',
): string | null {
  if (predicts !== 'next') {
    return predicts === 'masked'
      ? text('The model predicts masked tokens, not the next one, and has no perplexity; two-heads evaluate compares its predictions.')
      : text('The model has no output head, so there are no predictions to compare.');
  }
  if (looksAhead(scenario, tokens)) {
    return said`${scenarioTitle(scenario)} attention lets a token see the tokens it is to predict, so a next-token model has no meaningful perplexity under it.`;
  }
  if (tokens < 2) {
    return text('One token has no next token to predict.');
  }
  return scoreObstacle(score, tokens);
}

/** Refuses a layout that scores no position of a prompt, before anything is run for it. @throws InputError */
export function checkScore(
  { quality, score }: Pick<SimulationOptions, 'quality' | 'score'>,
  { predicts }: Pick<ModelConfig, 'predicts'>,
  tokens: number,
): void {
  // One token has nothing to score at any rate, which is a note of its run, as an encoder's is.
  const obstacle = quality && predicts === 'next' && tokens > 1 ? scoreObstacle(score, tokens) : null;
  if (obstacle !== null) {
    throw new InputError(obstacle);
  }
}

function scoreObstacle(score: string, tokens: number): string | null {
  return scoredFrom(score, tokens) < tokens - 1
    ? null
    : said`--score ${score} leaves no position of ${tokens} tokens, of which from=${tokens - 2} scores the last; use --score all, or a longer prompt.`;
}

/** Two runs of one prompt. */
interface ComparedRuns {
  readonly tokens: Int32Array;
  /** Last residual stream `[N, d]` under the scenario. */
  readonly hidden: Float32Array;
  /** The same under the model's own attention. */
  readonly baseline: Float32Array;
}

/**
 * Perplexity under the scenario and under the model's own attention, and the difference of the two predictions: over all scored
 * positions, within and past the trained length apart where both exist, and at touched positions.
 *
 * @param size of the text that the scored tokens cover, or why it is not known
 */
export async function measureQuality(
  scorer: Scorer,
  { tokens, hidden, baseline }: ComparedRuns,
  size: QualityScope['size'],
): Promise<Quality> {
  const { shape } = scorer.model;
  const sums = await sumQuality(scorer, { first: 0, targets: tokens.subarray(1), hidden }, baseline);
  return qualityOf(sums, { score: scorer.score, size, baseline: nativeScenario(shape), trainedTokens: shape.trainedTokens });
}

/** What scores predictions. */
export interface Scorer {
  readonly model: LoadedModel;
  readonly head: OutputHead;
  /** Which positions of the prompt are scored, as `--score` has it. */
  readonly score: string;
  /** Of all positions of the prompt. */
  readonly touched: Touched;
  /** N of the whole prompt. */
  readonly tokens: number;
  readonly signal: AbortSignal;
  readonly onProgress: (fraction: number) => void;
  /** What checks a position of them, where anything does. */
  readonly check?: PredictionCheck | undefined;
  /** Called with the compared predictions of consecutive positions, the first of which is given. */
  readonly onCompared?: ((first: number, compared: PredictionComparison) => void) | undefined;
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
export async function sumQuality(scorer: Scorer, predictions: Predictions, baseline: Float32Array): Promise<SplitSums> {
  const { model, head, signal } = scorer;
  const { first, targets, hidden, skipped } = scoredPart(scorer, predictions);
  let sums = nothingOf(scorer, noComparison);
  const own = baseline.subarray(skipped * model.shape.width);
  const drawn = scorer.check?.draw(targets.length);
  for await (const { from, rows, compared } of comparePredictions(model, head, hidden, own, targets, signal)) {
    scorer.onCompared?.(first + from, compared);
    sums = addSplitSums(
      sums,
      splitSums(scorer, first + from, rows, (scored) => comparedSums(compared, scored)),
    );
    if (drawn !== undefined && drawn >= from && drawn < from + rows) {
      const { loss, baselineLoss, divergence } = compared;
      const measured = {
        loss: loss?.[drawn - from] ?? NaN,
        baselineLoss: baselineLoss?.[drawn - from],
        divergence: divergence[drawn - from],
      };
      await inspectPrediction(scorer, first + drawn, predictions, baseline, measured);
    }
    scorer.onProgress((from + rows) / targets.length);
  }
  return sums;
}

/** Sums of predictions alone, on the two sides of the trained length. */
export async function sumLosses(scorer: Scorer, predictions: Predictions): Promise<SplitSums<LossSums>> {
  const { model, head, signal } = scorer;
  const { first, targets, hidden } = scoredPart(scorer, predictions);
  let sums: SplitSums<LossSums> = nothingOf(scorer, noLosses);
  const drawn = scorer.check?.draw(targets.length);
  for await (const { from, rows, loss } of scorePredictions(model, head, hidden, targets, signal)) {
    const own = splitSums(scorer, first + from, rows, (scored): LossSums => ({ positions: scored.length, loss: sum(loss, scored) }));
    sums = addSplitSums(sums, own);
    if (drawn !== undefined && drawn >= from && drawn < from + rows) {
      await inspectPrediction(scorer, first + drawn, predictions, undefined, { loss: loss[drawn - from] });
    }
    scorer.onProgress((from + rows) / targets.length);
  }
  return sums;
}

/** Checks what was measured at a position of the prompt, from the streams as they were given. */
async function inspectPrediction(
  { model, head, check }: Scorer,
  position: number,
  { first, hidden }: Predictions,
  baseline: Float32Array | undefined,
  measured: Parameters<PredictionCheck['inspect']>[4],
): Promise<void> {
  const { width } = model.shape;
  const row = (stream: Float32Array): Float32Array => stream.subarray((position - first) * width, (position - first + 1) * width);
  await check?.inspect(head, position, row(hidden), baseline && row(baseline), measured);
}

const noLosses: LossSums = { positions: 0, loss: 0 };
const noComparison: ComparedSums = { ...noLosses, baselineLoss: 0, divergence: 0, agreeing: 0 };

function nothingOf<Sums extends LossSums>({ touched }: Scorer, nothing: Sums): SplitSums<Sums> {
  return { within: nothing, past: nothing, touched: typeof touched === 'string' ? touched : nothing };
}

/** The predictions from the first that is scored on, and how many were left out before it. */
function scoredPart({ model, score, tokens }: Scorer, { first, targets, hidden }: Predictions): Predictions & { readonly skipped: number } {
  const skipped = Math.min(targets.length, Math.max(0, scoredFrom(score, tokens) - first));
  return { first: first + skipped, targets: targets.subarray(skipped), hidden: hidden.subarray(skipped * model.shape.width), skipped };
}

/** The sums of a slice's rows, the first of which is at a position: on both sides of the trained length, and where they are touched. */
function splitSums<Sums extends LossSums>(
  { model, touched }: Scorer,
  position: number,
  rows: number,
  of: (rows: readonly number[]) => Sums,
): SplitSums<Sums> {
  const all = Array.from({ length: rows }, (_, row) => row);
  // The row at index i predicts after i + 1 tokens.
  const split = Math.min(rows, Math.max(0, (model.shape.trainedTokens ?? Infinity) - position));
  return {
    within: of(all.slice(0, split)),
    past: of(all.slice(split)),
    touched: typeof touched === 'string' ? touched : of(all.filter((row) => touched[position + row] === 1)),
  };
}

/** Sums over rows of compared predictions. */
function comparedSums({ loss, baselineLoss, divergence, margin }: PredictionComparison, rows: readonly number[]): ComparedSums {
  return {
    positions: rows.length,
    loss: sum(loss, rows),
    baselineLoss: sum(baselineLoss, rows),
    divergence: sum(divergence, rows),
    agreeing: rows.filter((row) => margin[row] === 0).length,
  };
}

function sum(values: Float32Array | undefined, rows: readonly number[]): number {
  return values === undefined ? NaN : rows.reduce((total, row) => total + values[row], 0);
}
