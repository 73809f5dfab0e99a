import { said, text } from '../../../core/l10n';
import { cancelledSaying, InputError } from '../../../core/errors';
import { type Experiment, scenarioOf, sourceOf, windowsOf } from '../../../core/evaluate/experiment';
import {
  type ExperimentPoint,
  type ExperimentReport,
  type ExperimentSummary,
  type PlannedCost,
  summariseExperiment,
} from '../../../core/evaluate/report';
import { type Job, type Row, rowsOf, rowsOfShard, type Shard } from '../../../core/evaluate/units';
import { paretoFront } from '../../../core/math/pareto';
import { pick } from '../../../core/options/option';
import type { OnProgress } from '../../../core/report/phases';
import type { PromptSource } from '../../../core/source/options';
import { reportSchemaVersion } from '../../../core/report/report';
import { worstVerdict } from '../../../core/report/verdict';
import { type PartName, partsOf, type PartStarts, scenarioLabel, startsInWindow, withStarts } from '../../../core/scenario/scenario';
import { nativeScenario } from '../../../core/shapes';
import { checkLength } from '../../attend/tiles/embed';
import { qualityObstacle } from '../../attend/verify/quality';
import { describeEnvironment } from '../../machine';
import { type ModelFolder, openModel, placeOf } from '../../read/model/load';
import { conversationsOf, type Prompt, promptFromText, readPrompts } from '../../read/prompt';
import { checkRunnable, PromptTokenizer } from '../../read/tokenizer/tokenizer';
import type { DigestStore } from '../../store/digests';
import { describeModel, digestFields, type Places } from '../plan';
import { type Confinement, confinedPrompts } from './confine';
import { checkEvidence } from './evidence';
import { readExperiment } from './experiment-file';
import { measuredPoint, measuredRetrieval, type Point, PointPlanner } from './points';
import { type RetrievalResult, Results, unitOf, type WindowResult } from './results';
import { expectedOutcomes, type PlacedCase, placeCases, retrievalSequences } from './retrieval';
import { type ExperimentText, readTexts, windowSequences } from './texts';
import type { MeasureOptions } from './measure';
import { OpenRows } from './open-rows';
import { inThisProcess, type RowRunner } from './row-runner';
import { interruptible } from '../../interruptible';

/** What surrounds an experiment. */
interface ExperimentContext extends Places {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  /** Tells results of one model from those of others. */
  readonly digests: DigestStore;
  /** What is known already, and where more of it goes. */
  readonly results: Results;
  /** Measures the process that runs would begin in, before anything is run; one of a calibrated device or a typical one by default. */
  readonly processBytes?: (() => number) | undefined;
  /** Measures only a part of the rows; all of them by default. */
  readonly shard?: Shard | undefined;
  /** What measures the rows; this process by default. */
  readonly runner?: RowRunner | undefined;
  /** Whether results must be this experiment's alone, and unchanged: what a check rests on. */
  readonly isEvidence?: boolean;
}

/** An experiment whose rows were measured, all of them or a shard's. */
export interface MeasuredExperiment {
  /** Units of the whole experiment, each once, and those whose results are known. */
  readonly units: number;
  readonly known: number;
  /** Units of the rows of this run that were known before. */
  readonly resumed: number;
  /** What is known, summed up; undefined while units of other shards are missing. */
  readonly report: ExperimentReport | undefined;
  /** As it was run, with the sizes that the model decides. */
  readonly experiment: Experiment;
  readonly model: string;
  /** Every point with its cost for the longest window. */
  readonly planned: readonly (Pick<ExperimentPoint, 'scenario' | 'blockSize'> & { readonly cost: PlannedCost })[];
  /** Windows of all prompts that are scored. */
  readonly windows: number;
}

/**
 * Plans every point of an experiment, and measures what its scenarios do to the model.
 *
 * One window's residual streams and one slice's logits are in memory at a time.
 * @throws InputError for input that is refused before anything is run; CancelledError once the signal is aborted
 */
export async function runExperiment(
  prompts: readonly Prompt[],
  asked: Experiment,
  context: Omit<ExperimentContext, 'shard'>,
): Promise<ExperimentReport> {
  return wholeReport(await measureExperiment(prompts, asked, context));
}

/** The report of an experiment that was measured whole. */
export function wholeReport({ report }: MeasuredExperiment): ExperimentReport {
  if (report === undefined) {
    throw new Error('Units of an experiment are missing that was measured whole.');
  }
  return report;
}

/** The same, of a shard where the context names one. */
export async function measureExperiment(
  prompts: readonly Prompt[],
  asked: Experiment,
  context: ExperimentContext,
): Promise<MeasuredExperiment> {
  const { results, signal, onProgress, shard, runner = inThisProcess } = context;
  const model = await openModel(asked.model, context.modelsFolder);
  const sizes = windowsOf(asked, model.config.shape);
  const experiment: Experiment = { ...asked, ...sizes };
  checkLength(sizes.context, { name: model.name, ...model.config });
  const tokenizer = await PromptTokenizer.load(model.folder);
  if (experiment.quality) {
    checkRunnable(model, tokenizer.source);
  }
  // With a tokenizer, and before many prompts are read, which are not all there when one of them is run.
  const processBytes = context.processBytes?.();
  const { resetPositions } = experiment;
  const counted = new Set(experiment.scenarios.flatMap((scenario) => partsOf(scenarioOf(scenario))));
  checkRetrieval(experiment, counted);
  const texts = await readTexts(
    prompts,
    tokenizer,
    model,
    experiment,
    sizes,
    resetPositions ? [...new Set([...counted, 'doc' as const])] : [...counted],
  );
  const { shape } = model.config;
  // Not spread: arguments have a limit, windows and points have none.
  const longest = texts.flatMap(({ windows }) => windows).reduce((most, { tokens }) => Math.max(most, tokens.length), 1);
  const calibrations = await context.calibrations.candidates(experiment.provider, experiment.threads);
  const planner = new PointPlanner(shape, experiment, calibrations, longest, processBytes);
  const points = interruptible(() => planner.points());
  // Planned before anything is run: what cannot be planned is refused now.
  const starts = longestStarts(texts);
  const costs = points.map(({ scenario, blockSize }) =>
    interruptible(() => planner.cost(longest, withStarts(scenario, starts), blockSize)),
  );

  const obstacles = points.map(({ scenario }) =>
    experiment.quality ? obstacleOf(scenario, model, texts, experiment) : text('Quality was switched off for this experiment.'),
  );
  const jobs = jobsOf(points.filter((_, index) => obstacles[index] === null));
  const placed = jobs.length > 0 && experiment.retrieval !== null ? casesOf(experiment.retrieval, texts, tokenizer, model) : [];
  const baseline: Job = {
    scenario: nativeScenario(shape),
    blockSize: points.reduce((most, { blockSize }) => Math.max(most, blockSize), 0),
  };
  // Where no device is named, the fastest one for the longest window measures all.
  const settled = experiment.provider === 'auto' ? planner.settle(longest, baseline.scenario, baseline.blockSize).calibration : undefined;
  const provider = settled?.provider ?? (experiment.provider === 'auto' ? 'cpu' : experiment.provider);
  const own = pick(experiment, 'threads', 'executor', 'precision', 'construction', 'oracleLayers', 'oracleHeads');
  // Left out where nothing is asked for: results of versions that had nothing else are results of this.
  const options: MeasureOptions = {
    ...{ ...own, provider, baseline },
    ...(experiment.baseline === 'dense' && { baselineBy: 'dense' }),
    ...(experiment.activations !== 'float32' && { activations: experiment.activations }),
  };
  const { twoHeads, onnxruntime } = describeEnvironment();
  // Reading all weights for their digest is worth it only where others' results or machines may have other weights.
  const isNamed = results.kept || runner.isHere !== true;
  const digest = jobs.length > 0 && isNamed ? (await context.digests.ofModel(placeOf(model))).digest : model.name;
  const idOf = (about: Readonly<Record<string, unknown>>): string => unitOf({ model: digest, twoHeads, onnxruntime, ...options, ...about });

  const windowRows =
    jobs.length === 0 ? [] : rowsOf(windowSequences(texts, sizes.context, shape.trainedTokens), jobs, idOf, resetPositions);
  // The baseline is last among a case's jobs: its answers are what the others' are held against.
  const retrievalRows = rowsOf(retrievalSequences(placed), [...jobs, baseline], idOf);
  const all = [...windowRows, ...retrievalRows];
  if (context.isEvidence === true) {
    await checkEvidence(results, all);
  }
  const rows = shard === undefined ? all : rowsOfShard(all, shard);
  const resumed = unitsOf(rows).filter((unit) => results.get(unit) !== undefined).length;
  await runner.run(new OpenRows(rows, results, onProgress, signal), { model, digest, options, rowMs: rowMsOf(costs) }, signal);
  // Other processes may have landed more since.
  await results.finish();
  onProgress({ fraction: 1, phase: 'quality', message: 'done' });

  const units = new Set(unitsOf(all));
  const known = [...units].filter((unit) => results.get(unit) !== undefined).length;
  const planned = points.map(({ scenario, blockSize }, index) => ({ scenario, blockSize, cost: costs[index] }));
  const about = { units: units.size, known, resumed, experiment, model: model.name, planned, windows: windowRows.length };
  if (known < units.size) {
    return { ...about, report: undefined };
  }
  const windows = windowRows.map((row) => row.units.map(({ id }) => results.get(id) as WindowResult));
  const found = retrievalRows.map((row) => row.units.map(({ id }) => results.get(id) as RetrievalResult));
  const expected = placed.length === 0 ? undefined : await expectedOutcomes(placed, jobs, model, context.modelsFolder);
  const nameOf = (scenario: Point['scenario'], blockSize: number): string => `${scenarioLabel(scenario)} ${blockSize}`;
  const places = new Map(jobs.map(({ scenario, blockSize }, index) => [nameOf(scenario, blockSize), index]));
  const measured = points.map(({ scenario, measuredBlockSize }, index) =>
    obstacles[index] === null ? (places.get(nameOf(scenario, measuredBlockSize)) ?? -1) : -1,
  );
  const described = points.map((point, index): Omit<ExperimentPoint, 'onFront' | 'tie'> => ({
    ...point,
    cost: costs[index],
    qualityNote:
      obstacles[index] ??
      (point.blockSize === point.measuredBlockSize
        ? null
        : said`Measured with blocks of ${point.measuredBlockSize}: an exact construction gives the same with each.`),
    ...measuredPoint(point, measured[index], texts, windows, planner, found),
    ownBaseline: experiment.baseline === 'own' && experiment.construction === 'fused' && planner.isNative(point.scenario),
    retrieval:
      measured[index] < 0 || expected === undefined ? null : measuredRetrieval(placed, found, measured[index], expected[measured[index]]),
  }));
  // What failed has no quality to compare: it is not on the front, and beats nothing.
  const front = paretoFront(described, ({ cost, quality, verdict }) => [
    cost.flops,
    verdict.kind === 'failed' ? undefined : quality?.divergence.mean,
  ]);
  const report: ExperimentReport = {
    schemaVersion: reportSchemaVersion,
    experiment,
    model: describeModel(model, shape, tokenizer.source),
    baseline: baseline.scenario,
    verdict: worstVerdict(described.map(({ verdict }) => verdict)),
    prompts: texts.map(({ prompt: { path, bytes, sha256 }, read: { format, notes }, tokens, windows: cut }) => ({
      path,
      bytes,
      sha256,
      tokens,
      windows: cut.length,
      ...digestFields({ format, notes, parts: [] }),
    })),
    points: described.map((point, index) => ({ ...point, onFront: front[index].onFront, tie: front[index].isTie })),
    resumed,
    ...(results.changedLines > 0 && { changedLines: results.changedLines }),
    environment: describeEnvironment(),
  };
  return { ...about, report };
}

/** FLOP a millisecond of a device that is not calibrated: a processor of some years ago with a few cores. */
const guessedSpeed = 2e7;

/** What a row of the longest window takes under all scenarios, in milliseconds. */
function rowMsOf(costs: readonly PlannedCost[]): number {
  return costs.reduce((sum, { predictedMs, flops }) => sum + (predictedMs ?? flops / guessedSpeed), 0);
}

/** Where parts begin in the first of the longest windows, whose cost stands for that of all. */
function longestStarts(texts: readonly ExperimentText[]): PartStarts {
  const windows = texts.flatMap(({ windows: own, starts, specials }) =>
    own.map(({ tokens, start, end }) => ({ length: tokens.length, starts: startsInWindow(starts, start, end, specials.before.length) })),
  );
  return (
    windows.reduce<(typeof windows)[number] | undefined>(
      (longest, window) => (longest !== undefined && longest.length >= window.length ? longest : window),
      undefined,
    )?.starts ?? {}
  );
}

function unitsOf(rows: readonly Row[]): string[] {
  return rows.flatMap(({ units }) => units.map(({ id }) => id));
}

/** Why a scenario's predictions mean nothing on this model, or null where they do. @throws InputError where no scenario's would */
function obstacleOf(
  scenario: Point['scenario'],
  { name, config }: ModelFolder,
  texts: readonly ExperimentText[],
  { score }: Pick<Experiment, 'score'>,
): string | null {
  if (config.predicts === 'nothing') {
    throw new InputError(
      `${name} has no output head, so there are no predictions to compare; use another model, or plan only with --no-quality.`,
    );
  }
  if (texts.every(({ windows }) => windows.length === 0)) {
    throw new InputError(
      score === 'all'
        ? 'One token has no next token to predict; give a prompt of at least two tokens, or plan only with --no-quality.'
        : `--score ${score} leaves no position of these prompts; give longer ones, or score others.`,
    );
  }
  return config.predicts === 'next' ? qualityObstacle({ scenario, tokens: 2 }, config) : null;
}

/** @throws InputError for what depends on parts of the text, which it has not where statements are hidden in it */
function checkRetrieval({ retrieval, resetPositions }: Experiment, counted: ReadonlySet<PartName>): void {
  if (retrieval !== null && resetPositions) {
    throw new InputError(
      'Retrieval hides statements in the text of all prompts, cut anew, which has no documents; leave out it or --reset-positions.',
    );
  }
  for (const first of retrieval === null ? [] : counted) {
    throw new InputError(
      `Retrieval hides statements in the text of all prompts, cut anew, so ${first}(q) means nothing there; leave retrieval out, or write the mask without ${first}.`,
    );
  }
}

function casesOf(
  request: NonNullable<Experiment['retrieval']>,
  texts: readonly ExperimentText[],
  tokenizer: PromptTokenizer,
  { name, config }: ModelFolder,
): PlacedCase[] {
  if (config.predicts !== 'next') {
    throw new InputError(`${name} does not predict the next token, and retrieval is scored by that; leave retrieval out.`);
  }
  const placed = interruptible(() => placeCases(request, texts, tokenizer));
  placed.forEach(({ tokens }) => checkLength(tokens.length, { name, ...config }));
  return placed;
}

/** What has to be run: each scenario with the block size that it is measured with, once. */
function jobsOf(points: readonly Point[]): Job[] {
  return points.filter((point) => point.blockSize === point.measuredBlockSize).map(({ scenario, blockSize }) => ({ scenario, blockSize }));
}

/**
 * Runs an experiment on texts or from its file; results go where the experiment says.
 *
 * @throws InputError, CancelledError as `runExperiment`
 */
export async function evaluate(request: EvaluateRequest, context: Omit<ExperimentContext, 'results'>): Promise<ExperimentSummary> {
  const { experiment, prompts } = await readRequest(request, context.modelsFolder);
  const results = experiment.results === null ? Results.inMemory() : await Results.open(experiment.results);
  const report = await runExperiment(prompts, experiment, { ...context, results }).catch(
    cancelledSaying(
      experiment.results && said`The run was cancelled; what it measured is in ${experiment.results}, and the next run goes on from there.`,
    ),
  );
  return summariseExperiment(report);
}

/** An experiment on texts that are at hand, or an experiment file, whose paths are relative to it. */
export type EvaluateRequest =
  | {
      readonly experiment: Experiment;
      readonly texts: readonly { readonly path: string; readonly text: string }[];
      /** What of their source the experiment does not say. */
      readonly source?: Partial<PromptSource>;
    }
  | {
      readonly file: string;
      /** Where all that the file names must lie, where others than the user asked for it; anywhere by default. */
      readonly within?: Confinement;
    };

/** The experiment that is asked for, and its prompts. @throws InputError for one that cannot be read */
export async function readRequest(
  request: EvaluateRequest,
  modelsFolder: string,
): Promise<{ readonly experiment: Experiment; readonly prompts: readonly Prompt[] }> {
  if ('file' in request) {
    const { file, within } = request;
    const experiment = await readExperiment(file, modelsFolder);
    const paths = within === undefined ? experiment.prompts : await confinedPrompts(experiment, within, modelsFolder);
    return { experiment, prompts: await readPrompts(paths, undefined, sourceOf(experiment), experiment.results) };
  }
  const { experiment, texts, source } = request;
  const prompts = texts.flatMap(({ path, text }) => conversationsOf(promptFromText(path, text, { ...sourceOf(experiment), ...source })));
  return { experiment, prompts };
}
