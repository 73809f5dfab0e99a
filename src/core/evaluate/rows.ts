import { formatCount, formatFigure, formatFixed, formatMeasured, formatNumberOf, type Measured } from '../format';
import { messageShown, t } from '../l10n';
import { automaticBlock, type Baseline } from '../options/table';
import { contextNote } from '../plan/context-length';
import { ownBaselineText } from '../report/quality';
import { type VerdictKind, verdictText } from '../report/verdict';
import { type Range, type Scenario, scenarioLabel } from '../scenario/scenario';
import { nothingTouched } from '../scenario/touched';
import type { ErrorSource, Estimate } from './estimate';
import type { CurveBin, MacroQuality, QualitySummary, SideQuality } from './quality-summary';
import type { ExperimentSummary, SummedPoint } from './report';
import { type RetrievalCase, type RetrievalReport, type RetrievalScore, type RetrievalTask, rightAnswers } from './retrieval';

/** What the command line and the panel say of an experiment in the same words. */

/** What stands where there is no value. */
const none = '-';

/** A value with its standard error, as `12.34 ± 0.05`, or alone where that is not known. */
export function plusMinus({ value, ...known }: Omit<Measured, 'value'> & { readonly value: number | null }, digits = 4): string {
  return isNumber(value) ? formatMeasured({ value, ...known }, digits) : fixed(value, digits);
}

/** A share as a percentage with its standard error. */
function percent(share: Estimate): string {
  const [error, low, high] = [share.error, share.low, share.high].map((each) => (isNumber(each) ? 100 * each : null));
  return `${plusMinus({ value: 100 * share.value, error, low, high }, 2)} %`;
}

/** What was read, which positions were scored, and how errors were found. */
export function readText({ experiment, model, prompts, baseline, points, resumed }: ExperimentSummary): string {
  const { context, stride, score } = experiment;
  const quality = points.find((point) => point.quality !== null)?.quality;
  // A prompt that is given again adds nothing to what is measured.
  const distinct = [...new Map(prompts.map((prompt) => [prompt.sha256, prompt])).values()];
  const unscored = prompts.filter((prompt) => prompt.windows === 0).length;
  const windows = distinct.reduce((sum, prompt) => sum + prompt.windows, 0);
  // A point's cost is that of the longest window.
  const past = contextNote(
    points.reduce((most, { cost }) => Math.max(most, cost.tokens), 0),
    model.shape,
  );
  const read = [
    model.name,
    scenarioLabel(baseline),
    promptsText(prompts.length, distinct.length),
    formatNumberOf(windows, 'window'),
    formatCount(context),
    formatCount(stride),
  ];
  return [
    quality
      ? t(
          quality.errors === 'clustered by text'
            ? '{0} against its own attention, {1}: {2}, {3} of {4} tokens, stride {5}, {6} scored; standard errors clustered by text'
            : quality.errors === 'clustered by window'
              ? '{0} against its own attention, {1}: {2}, {3} of {4} tokens, stride {5}, {6} scored; standard errors clustered by window'
              : '{0} against its own attention, {1}: {2}, {3} of {4} tokens, stride {5}, {6} scored; standard errors with positions taken as independent',
          ...read,
          formatNumberOf(quality.positions, 'position'),
        )
      : t('{0} against its own attention, {1}: {2}, {3} of {4} tokens, stride {5}', ...read),
    ...(quality ? [baselineText(baseline, experiment.baseline), scoredText(score)] : []),
    ...(quality && unscored > 0 ? [t('Nothing of {0} is scored: the layout leaves no position.', formatNumberOf(unscored, 'prompt'))] : []),
    ...(resumed > 0 ? [t('{0} from earlier runs', formatNumberOf(resumed, 'result'))] : []),
    ...(past === undefined ? [] : [past]),
    ...new Set(prompts.flatMap(({ notes = [] }) => notes)),
  ].join('\n');
}

/** How many prompts there are, and how often they were given where that is more. */
function promptsText(given: number, distinct: number): string {
  const prompts = formatNumberOf(distinct, 'prompt');
  if (given === distinct) {
    return prompts;
  }
  return distinct === 1 && given === 2 ? t('{0} (given twice)', prompts) : t('{0} ({1} given)', prompts, formatCount(given));
}

/** What scenarios are compared with, and how it was computed. */
function baselineText(baseline: Scenario, by: Baseline): string {
  return by === 'dense'
    ? t('Baseline: {0}, by a dense operator of ONNX Runtime (--baseline dense).', scenarioLabel(baseline))
    : t('Baseline: {0}, by the same tiles as the scenarios (--baseline own).', scenarioLabel(baseline));
}

/** Which positions of each window were scored. @param score as `--score` has it */
function scoredText(score: string): string {
  switch (score) {
    case 'all':
      return t('Scored: all positions of each window; llama.cpp scores the last half of each (--score last-half).');
    case 'last-half':
      return t('Scored: the last half of each window, as llama.cpp does.');
    default:
      return t('Scored: each window after its first {0}.', formatNumberOf(Number(score.replace('from=', '')), 'token'));
  }
}

/** What intervals rest on, in a few words, of a whole or of a range of positions. */
export function errorsText(errors: ErrorSource): string {
  return { 'clustered by text': t('text'), 'clustered by window': t('window'), 'positions taken as independent': t('position') }[errors];
}

/** Whether all points of an experiment have one block size; where it is automatic, each scenario may have its own. */
export function hasOneBlockSize({ blocks }: Pick<ExperimentSummary['experiment'], 'blocks'>): boolean {
  return blocks.length === 1 && blocks[0] !== automaticBlock;
}

/** A point's name in its experiment: with the block size where there are several. */
export function pointTitle(
  { scenario, blockSize }: Pick<SummedPoint, 'scenario' | 'blockSize'>,
  { blocks }: Pick<ExperimentSummary['experiment'], 'blocks'>,
): string {
  return hasOneBlockSize({ blocks }) ? scenarioLabel(scenario) : `${scenarioLabel(scenario)}, M = ${blockSize}`;
}

/** The points whose own runs their quality comes from: points that share one are told of once. */
export function measuredPoints<P extends SummedPoint>(points: readonly P[]): readonly (P & { readonly quality: QualitySummary })[] {
  return points.filter((point): point is P & { readonly quality: QualitySummary } => point.quality !== null && point.measured !== null);
}

/** What the runs of each point prove, each verdict with its scenario and, where there are several, the block size that ran; once. */
export function verdictNotes(
  points: readonly SummedPoint[],
  experiment: ExperimentSummary['experiment'],
): readonly { readonly kind: VerdictKind; readonly text: string }[] {
  const noted = points
    .filter(({ quality, retrieval }) => quality !== null || retrieval !== null)
    .map(({ scenario, measuredBlockSize, verdict }) => ({
      kind: verdict.kind,
      text: `${pointTitle({ scenario, blockSize: measuredBlockSize }, experiment)}: ${verdictText(verdict)}`,
    }));
  return [...new Map(noted.map((note) => [note.text, note])).values()];
}

/** Why points have no quality, or one that says nothing, each reason with its scenario, once. */
export function qualityNotes(points: readonly SummedPoint[]): readonly string[] {
  return [
    ...new Set([
      ...points
        .filter(({ quality }) => quality === null)
        .map(({ scenario, qualityNote }) => `${scenarioLabel(scenario)}: ${messageShown(qualityNote ?? '')}`),
      ...points
        .filter(({ quality, ownBaseline }) => quality !== null && ownBaseline)
        .map(({ scenario }) => `${scenarioLabel(scenario)}: ${ownBaselineText()}`),
      ...points.flatMap(({ scenario, quality }) =>
        quality?.bitsPerByte && quality.sizeNote !== null ? [`${scenarioLabel(scenario)}: ${messageShown(quality.sizeNote)}`] : [],
      ),
    ]),
  ];
}

/** The row that says of a scenario that it is its own baseline. */
const meanDivergence = 'KL divergence, mean (nats)';

/** The statistics of evaluations in the layout of llama.cpp's report on KL divergence: rows of a name and a cell for each evaluation. */
export function statisticsRows(
  points: readonly { readonly quality: QualitySummary; readonly ownBaseline: boolean }[],
): readonly (readonly [name: string, ...cells: string[]])[] {
  const perplexity = ({ targets }: Pick<SideQuality, 'targets'>): string => (targets ? plusMinus(targets.perplexity) : none);
  const own = ({ targets }: Pick<SideQuality, 'targets'>): string => (targets ? plusMinus(targets.baselinePerplexity) : none);
  /** A measure within and past the trained length, where there are positions on both sides, and at touched positions. */
  const apart = (of: (side: SideQuality) => string): [string, (quality: QualitySummary) => string][] => [
    ['  within the trained length', ({ byTraining }) => (byTraining ? of(byTraining.within) : none)],
    ['  past the trained length', ({ byTraining }) => (byTraining ? of(byTraining.past) : none)],
    ['  at touched positions', ({ touched }) => (touched ? of(touched) : none)],
  ];
  const macro = (of: (macro: MacroQuality) => Estimate | undefined, digits?: number): [string, (quality: QualitySummary) => string] => [
    '  mean of texts',
    (quality) => {
      const estimate = quality.macro && of(quality.macro);
      return estimate ? plusMinus(estimate, digits) : none;
    },
  ];
  const sized = (estimate: Estimate | null): string => (estimate === null ? none : plusMinus(estimate));
  const rows: [string, (quality: QualitySummary) => string][] = [
    ['perplexity', perplexity],
    ...apart(perplexity),
    macro((each) => each.perplexity),
    ["perplexity, model's own attention", own],
    ...apart(own),
    macro((each) => each.baselinePerplexity),
    ['bits per byte', ({ bitsPerByte }) => sized(bitsPerByte)],
    ["bits per byte, model's own attention", ({ baselineBitsPerByte }) => sized(baselineBitsPerByte)],
    ['word perplexity', ({ wordPerplexity }) => sized(wordPerplexity)],
    ["word perplexity, model's own attention", ({ baselineWordPerplexity }) => sized(baselineWordPerplexity)],
  ];
  /** What compares two runs, which says nothing where both are one. */
  const compared: typeof rows = [
    ['ln(ratio of perplexities)', ({ targets }) => (targets ? plusMinus(targets.logPerplexityRatio, 6) : none)],
    ['ratio of perplexities', ({ targets }) => (targets ? plusMinus(targets.perplexityRatio) : none)],
    [meanDivergence, ({ divergence }) => plusMinus(divergence.mean, 6)],
    ...apart(({ divergence }) => plusMinus(divergence, 6)),
    macro(({ divergence }) => divergence, 6),
    ['  maximum', ({ divergence }) => figureOf(divergence.maximum)],
    ['  99.9%', ({ divergence }) => figureOf(divergence.p999)],
    ['  99%', ({ divergence }) => figureOf(divergence.p99)],
    ['  95%', ({ divergence }) => figureOf(divergence.p95)],
    ['  90%', ({ divergence }) => figureOf(divergence.p90)],
    ['  median', ({ divergence }) => figureOf(divergence.median)],
    ['change of the probability, mean', ({ targets }) => (targets ? percent(targets.probabilityChange) : none)],
    ['  root mean square', ({ targets }) => (targets ? percent(targets.probabilityChangeRms) : none)],
    ['same top token', ({ agreement }) => percent(agreement)],
    ...apart(({ agreement }) => percent(agreement)),
    ['  mean of texts', ({ macro: each }) => (each ? percent(each.agreement) : none)],
  ];
  const touchedRow: (typeof rows)[number] = [
    'touched positions',
    ({ touched, touchedNote }) => (touched || touchedNote === nothingTouched ? formatCount(touched?.positions ?? 0) : none),
  ];
  const cellsOf = ([name, of]: (typeof rows)[number]): [string, ...string[]] => [name, ...points.map(({ quality }) => of(quality))];
  const comparedCells = ([name, of]: (typeof rows)[number]): [string, ...string[]] => [
    name,
    ...points.map(({ quality, ownBaseline }) => (!ownBaseline ? of(quality) : name === meanDivergence ? t('its own baseline') : none)),
  ];
  return [...rows.map(cellsOf), ...compared.map(comparedCells), cellsOf(touchedRow)].filter(([, ...cells]) =>
    cells.some((cell) => cell !== none),
  );
}

/** The columns of a curve by position, and its rows. */
export function curveRows(curve: readonly CurveBin[]): {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  const targets = curve.some(({ loss }) => loss !== undefined);
  return {
    columns: ['tokens before', 'scored', ...(targets ? ['loss', 'own loss'] : []), 'mean KL', '95% interval', 'interval by', 'same top'],
    rows: curve.map((bin) => {
      const { count, loss, baselineLoss, divergence, agreement } = bin;
      return [
        positionsText(bin),
        formatCount(count),
        ...(targets ? [loss ? fixed(loss.value, 3) : none, baselineLoss ? fixed(baselineLoss.value, 3) : none] : []),
        fixed(divergence.value, 5),
        intervalText(divergence, 5),
        errorsText(bin.errors),
        `${formatFixed(100 * agreement.value, 1)} %`,
      ];
    }),
  };
}

/** The tokens before a position, such as `4 - 7`. */
function positionsText({ from, to }: Range): string {
  return to - from === 1 ? String(from) : `${from} - ${to - 1}`;
}

/** A 95% interval, or that there is none. */
export function intervalText({ low, high }: Estimate, digits: number): string {
  return isNumber(low) && isNumber(high) ? `${formatFixed(low, digits)} - ${formatFixed(high, digits)}` : none;
}

/** What a case asks for, such as `chain of 2`. */
export function taskLabel({ task, hops }: Pick<RetrievalCase, 'task' | 'hops'>): string {
  switch (task) {
    case 'single':
      return t('single needle');
    case 'several':
      return t('one of several');
    case 'chains':
      return t('chain of {0}', hops ?? 1);
    case 'repeated':
      return t('repeated key');
  }
}

/** What a scenario found of all cases, beside what it finds by definition. */
export function retrievalText({ cases, found, expected, differing }: RetrievalReport): string {
  const parts = [found, cases.length, expected ?? 0, differing];
  if (expected === null) {
    return t('{0} of {1} found', ...parts);
  }
  return differing === 0
    ? t('{0} of {1} found, as the mask gives by definition', ...parts)
    : t('{0} of {1} found, {2} by definition: FAILED, {3} differ', ...parts);
}

/** What is to be said where neither any mask nor the model's own attention found anything; null elsewhere. */
export function retrievalNote(reports: readonly RetrievalReport[]): string | null {
  const cases = reports.flatMap((report) => report.cases);
  // JSON makes null of a rank that is not finite.
  const isFound = (rank: number | null, task: RetrievalTask): boolean => rank !== null && rank <= rightAnswers(task);
  return cases.length > 0 && cases.every(({ task, measured, baselineRank }) => measured === 'lost' && !isFound(baselineRank, task))
    ? t('The model finds none without a mask either: it cannot retrieve, so this says nothing of the masks.')
    : null;
}

/** Whether a case was found, and what was expected where that is something else. */
export function outcomeText({ measured, expected }: Pick<RetrievalScore, 'measured' | 'expected'>): string {
  const words = { found: t('found'), lost: t('lost') };
  return expected === null || expected === measured ? words[measured] : t('{0}, expected {1}', words[measured], words[expected]);
}

/** The log-probability of an answer and the worst rank of its tokens, such as `-19.50 #537`; of a case, and of its baseline. */
export function retrievalScores({ logProbability, rank, baselineLogProbability, baselineRank }: RetrievalScore): {
  readonly own: string;
  readonly baseline: string;
} {
  const score = (value: number, worst: number): string => `${fixed(value, 2)} #${isNumber(worst) ? formatCount(worst) : '?'}`;
  return { own: score(logProbability, rank), baseline: score(baselineLogProbability, baselineRank) };
}

function figureOf(value: number | null): string {
  return isNumber(value) ? formatFigure(value) : fixed(value, 0);
}

function fixed(value: number | null, digits: number): string {
  if (value === null) {
    return t('not finite');
  }
  return Number.isFinite(value) ? formatFixed(value, digits) : String(value);
}

function isNumber(value: number | null): value is number {
  return Number.isFinite(value);
}
