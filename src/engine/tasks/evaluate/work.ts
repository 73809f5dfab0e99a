import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Experiment } from '../../../core/evaluate/experiment';
import { positionBins } from '../../../core/evaluate/statistics';
import type { OnProgress } from '../../../core/report/phases';
import { type Scenario, scenarioLabel } from '../../../core/scenario/scenario';
import { throwIfCancelled } from '../../attend/runtime/clock';
import { describeEnvironment } from '../../machine';
import { readPieces } from '../../read/input/regular-file';
import type { ModelFolder } from '../../read/model/load';
import { Evaluator, type WindowRun } from './evaluator';
import { pick } from '../../../core/options/option';
import { makePlan } from '../../../core/plan/plan';
import type { PointPlanner } from './points';
import { needleResult, type NeedleResult, type Results, unitOf, windowResult, type WindowResult, type Worked } from './results';
import type { ExperimentText, PlacedAnswer } from './texts';
import { interruptible } from '../../interruptible';

/** A scenario that is measured with one block size. */
export interface Job {
  readonly scenario: Scenario;
  readonly blockSize: number;
}

/** Tells how far the work is. @param share of it, from 0 to 1 */
type OnWork = (share: number, message: string) => void;

/** What surrounds the work of an experiment. */
export interface WorkSurroundings {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  /** What is known already, and where more of it goes. */
  readonly results: Results;
}

/** What the work of an experiment rests on. */
interface WorkContext {
  readonly baseline: Job;
  readonly planner: PointPlanner;
  readonly results: Results;
  /** What all units share: model, versions, device. */
  readonly identity: Readonly<Record<string, unknown>>;
  readonly evaluator: () => Promise<Evaluator>;
  readonly signal: AbortSignal;
  readonly onWork: OnWork;
}

/** A sequence to run under every job. */
interface Item<T> {
  readonly tokens: Int32Array;
  /** What tells it from other items, and `about` of its results. */
  readonly about: Readonly<Record<string, unknown>>;
  /** Scores a job's run beside the baseline's. */
  readonly score: (run: WindowRun, baseline: WindowRun, evaluator: Evaluator) => Promise<T>;
}

/**
 * Measures every window under every job; what is in the results already is not run again.
 *
 * @param context tokens of a window, by which the positions of all windows are binned
 */
export function workWindows(
  texts: readonly ExperimentText[],
  jobs: readonly Job[],
  context: number,
  work: WorkContext,
): Promise<Worked<WindowResult>> {
  const { trainedTokens } = work.planner;
  const edges = positionBins(context, trainedTokens);
  // Results of earlier versions lack the edge, and those that need none stay as they were.
  const edge = edges.length > positionBins(context).length ? { trainedTokens } : {};
  const items = texts.flatMap(({ digest, windows }) =>
    windows.map((window): Item<WindowResult> => ({
      tokens: window.tokens,
      about: {
        kind: 'window',
        prompt: digest,
        start: window.start,
        end: window.end,
        from: window.from,
        to: window.to,
        context,
        ...edge,
      },
      score: async (run, baseline, evaluator) => ({
        summary: await evaluator.compare(window, run.hidden, baseline.hidden, edges),
        wallMs: run.wallMs,
        calls: run.calls,
      }),
    })),
  );
  return workThrough(items, jobs, 'window', (unit) => work.results.get(unit, windowResult), work);
}

/** Scores every needle's answer under every job. */
export function workNeedles(needles: readonly PlacedAnswer[], jobs: readonly Job[], work: WorkContext): Promise<Worked<NeedleResult>> {
  const items = needles.map(({ tokens, row, answer }): Item<NeedleResult> => ({
    tokens,
    about: { kind: 'needle', tokens: unitOf({ tokens: [...tokens] }), row },
    score: (run, _baseline, evaluator) => evaluator.answer(run.hidden, row, answer),
  }));
  return workThrough(items, jobs, 'needle', (unit) => work.results.get(unit, needleResult), work);
}

async function workThrough<T>(
  items: readonly Item<T>[],
  jobs: readonly Job[],
  what: string,
  known: (unit: string) => T | undefined,
  work: WorkContext,
): Promise<Worked<T>> {
  const results: T[][] = [];
  // Two jobs may be one, such as causal attention and the baseline of a Llama: the second finds what the first has just added.
  const own = new Set<string>();
  let resumed = 0;
  for (const [index, { tokens, about, score }] of items.entries()) {
    const run = async (job: Job, share: number): Promise<WindowRun> => {
      const evaluator = await work.evaluator();
      const message = `${what} ${index + 1} of ${items.length}, ${scenarioLabel(job.scenario)}`;
      const plan = interruptible(() => makePlan(work.planner.settle(tokens.length, job.scenario, job.blockSize).request));
      return evaluator.run(tokens, plan, (part) => work.onWork((index + (share + part) / (jobs.length + 1)) / items.length, message));
    };
    let baseline: WindowRun | undefined;
    const row: T[] = [];
    for (const [position, job] of jobs.entries()) {
      throwIfCancelled(work.signal);
      const unit = unitOf({ ...work.identity, ...about, ...job });
      let result = known(unit);
      if (result === undefined) {
        baseline ??= await run(work.baseline, 0);
        const scored = sameJob(job, work.baseline) ? baseline : await run(job, position + 1);
        result = await score(scored, baseline, await work.evaluator());
        own.add(unit);
        await work.results.add(unit, { ...about, scenario: scenarioLabel(job.scenario), blockSize: job.blockSize }, result);
      } else {
        resumed += own.has(unit) ? 0 : 1;
      }
      row.push(result);
    }
    results.push(row);
  }
  return { results, resumed };
}

function sameJob(one: Job, other: Job): boolean {
  return one.blockSize === other.blockSize && scenarioLabel(one.scenario) === scenarioLabel(other.scenario);
}

/** What runs the work of an experiment: a model that is loaded when the first unit needs it. */
export class Worker {
  private opened: Promise<Evaluator> | undefined;
  private highest = 0;

  private constructor(
    private readonly model: ModelFolder,
    private readonly experiment: Experiment,
    private readonly work: Omit<WorkContext, 'evaluator' | 'onWork'>,
    private readonly onProgress: OnProgress,
  ) {}

  /** @param tokens of the longest window, for which the fastest device is chosen where none is named */
  static async prepare(
    model: ModelFolder,
    asked: Experiment,
    baseline: Job,
    planner: PointPlanner,
    tokens: number,
    { results, signal, onProgress }: WorkSurroundings,
  ): Promise<Worker> {
    const provider =
      asked.provider === 'auto'
        ? (planner.settle(tokens, baseline.scenario, baseline.blockSize).calibration?.provider ?? 'cpu')
        : asked.provider;
    const { twoHeads, onnxruntime } = describeEnvironment();
    // Reading all weights for their digest is worth it only where results may be those of other weights.
    const digest = asked.quality && results.kept ? await modelDigest(model.folder) : model.name;
    const own = pick(asked, 'threads', 'executor', 'precision', 'construction', 'oracleLayers', 'oracleHeads');
    const identity = { model: digest, twoHeads, onnxruntime, provider, ...own, baseline };
    return new Worker(model, { ...asked, provider }, { baseline, planner, results, identity, signal }, onProgress);
  }

  /** The surroundings of work that is a part of the whole: progress goes from `from` on, by `share`. */
  part(from: number, share: number): WorkContext {
    return {
      ...this.work,
      evaluator: () => (this.opened ??= Evaluator.open(this.model, this.experiment, this.work.signal)),
      onWork: (part, message) => {
        this.highest = Math.max(this.highest, Math.min(1, from + share * part));
        this.onProgress({ fraction: this.highest, phase: 'quality', message });
      },
    };
  }

  async release(): Promise<void> {
    // A model that could not be opened has nothing to release, and its error is on its way.
    await (await this.opened?.catch(() => undefined))?.release();
  }
}

/** The files that make a model what it is. */
const modelFiles = /^(config\.json|tokenizer\.json|tokenizer_config\.json|.*\.safetensors|.*\.safetensors\.index\.json)$/;

/** Hex SHA-256 of a model's configuration, tokenizer and weights: results of other weights must not be taken for its own. */
async function modelDigest(folder: string): Promise<string> {
  const digest = createHash('sha256');
  for (const name of (await readdir(folder)).filter((each) => modelFiles.test(each)).sort()) {
    digest.update(`${name}\0`);
    for await (const piece of readPieces(join(folder, name), 'remove it from the model, or put the file itself there')) {
      digest.update(piece);
    }
  }
  return digest.digest('hex');
}
