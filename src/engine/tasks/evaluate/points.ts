import { isBlackBox } from '../../../core/construct/construction';
import { type Experiment, scenarioOf } from '../../../core/evaluate/experiment';
import { type Outcome, retrievalReport, type RetrievalReport } from '../../../core/evaluate/retrieval';
import { summariseQuality } from '../../../core/evaluate/quality-summary';
import type { TextWindows } from '../../../core/evaluate/statistics';
import type { ExperimentPoint, PlannedCost } from '../../../core/evaluate/report';
import { said } from '../../../core/l10n';
import { defaultOptions } from '../../../core/options/table';
import { isNativeScenario, makePlan } from '../../../core/plan/plan';
import type { Calibration } from '../../../core/predict/calibration';
import { settleRequest, type SettledRequest } from '../../../core/predict/fastest';
import { expectedMemory } from '../../../core/predict/memory';
import { predict } from '../../../core/predict/predict';
import type { Fidelity } from '../../../core/report/report';
import { type Evidence, runVerdict, type Verdict, worstVerdict } from '../../../core/report/verdict';
import { isSampled, type Scenario, type ScenarioChoice, scenarioLabel, tileRuleOf } from '../../../core/scenario/scenario';
import { type ModelShape, nativeScenario } from '../../../core/shapes';
import type { RetrievalResult, WindowResult } from './results';
import type { PlacedCase } from './retrieval';
import type { ExperimentText } from './texts';
import { interruptible } from '../../interruptible';

/** A scenario and a block size of an experiment. */
export interface Point {
  readonly scenario: Scenario;
  readonly blockSize: number;
  /** The block size that its quality is measured with. */
  readonly measuredBlockSize: number;
}

/** Plans the points of an experiment, for the device that it names or calibration prefers. */
export class PointPlanner {
  constructor(
    private readonly shape: ModelShape,
    private readonly experiment: Experiment,
    private readonly calibrations: readonly Calibration[],
    /** Tokens of the longest window. */
    private readonly tokens: number,
    /** Resident memory that a run begins with; undefined for that of a process to come. */
    private readonly processBytes?: number,
  ) {}

  /**
   * The verdict on the runs behind a point: of every window and retrieval case, and of what those are compared with.
   *
   * @param quality over all windows
   */
  verdict(
    { scenario }: Point,
    windows: readonly WindowResult[],
    answers: readonly RetrievalResult[],
    quality: ExperimentPoint['quality'],
  ): Verdict {
    const { construction, precision, baseline: baselineBy } = this.experiment;
    const own = nativeScenario(this.shape);
    const evidence = { construction, precision, sampling: null, quality: null };
    const of = (fidelity: Fidelity | undefined, part: Partial<Evidence> = {}): Verdict =>
      fidelity === undefined
        ? { kind: 'vacuous', bound: null, measured: null, reason: said`Its results are of a version that did not verify evaluations.` }
        : runVerdict({ ...evidence, scenario, native: this.isNative(scenario), fidelity, ...part });
    const measured = quality && {
      perplexity: quality.targets?.perplexity.value ?? 1,
      meanKl: quality.divergence.mean.value,
      baselineBy,
    };
    const verdicts = [
      ...windows.map(({ fidelity }) => of(fidelity, { quality: measured })),
      // Baselines are made with the fused construction.
      ...windows.flatMap(({ baselineFidelity }) =>
        baselineFidelity === undefined ? [] : [of(baselineFidelity, { scenario: own, native: true })],
      ),
      ...answers.map(({ fidelity, logProbability }) => of(fidelity, { quality: { perplexity: Math.exp(-logProbability) } })),
    ];
    return verdicts.length === 0
      ? { kind: 'vacuous', bound: null, measured: null, reason: said`Nothing was run, so nothing is promised.` }
      : worstVerdict(verdicts);
  }

  /** Whether a scenario is the model's own attention in every window. */
  isNative(scenario: Scenario): boolean {
    return !this.experiment.resetPositions && isNativeScenario({ scenario, model: this.shape, tokens: this.tokens });
  }

  /** Tokens that the model was trained on; undefined where that is not known. */
  get trainedTokens(): number | undefined {
    return this.shape.trainedTokens;
  }

  /**
   * The points, each once: every scenario with every block size, of which an automatic one is settled for the longest window.
   *
   * @throws InputError for a scenario that cannot be
   */
  points(): Point[] {
    const { scenarios, blocks, construction } = this.experiment;
    const points = new Map<string, Pick<Point, 'scenario' | 'blockSize'>>();
    for (const text of scenarios) {
      for (const asked of blocks) {
        const { request } = this.settle(this.tokens, scenarioOf(text), asked);
        const { scenario, oracle } = request;
        points.set(`${scenarioLabel(scenario)} ${oracle.inputLength}`, { scenario, blockSize: oracle.inputLength });
      }
    }
    const largest = new Map<string, number>();
    for (const { scenario, blockSize } of points.values()) {
      const label = scenarioLabel(scenario);
      largest.set(label, Math.max(blockSize, largest.get(label) ?? 0));
    }
    return [...points.values()].map(({ scenario, blockSize }) => {
      // An exact construction of a mask gives the same with every block size: it is measured once, with the fewest calls.
      const own = isBlackBox(construction) || isSampled(scenario) || tileRuleOf(scenario) !== undefined;
      return { scenario, blockSize, measuredBlockSize: own ? blockSize : (largest.get(scenarioLabel(scenario)) ?? blockSize) };
    });
  }

  /** The request for `tokens` tokens, and the calibration of its device. @throws InputError where the construction cannot have the scenario */
  settle(tokens: number, scenario: ScenarioChoice, blockSize: number): SettledRequest {
    return settleRequest(tokens, this.shape, { ...this.experiment, scenario, blockSize }, this.calibrations);
  }

  /** What `tokens` tokens cost. */
  cost(tokens: number, scenario: Scenario, blockSize: number): PlannedCost {
    const { request, calibration } = this.settle(tokens, scenario, blockSize);
    const plan = makePlan(request);
    const prediction = calibration && predict(plan, calibration);
    // As it was before: this process grows while it measures, and no budget may hang on that.
    const run = { ...this.experiment, verify: defaultOptions.verify, quality: true };
    return {
      tokens,
      calls: plan.calls,
      flops: plan.flops,
      attentionFlops: plan.flopsByPhase.attend,
      bytes: plan.bytes,
      peakBytes: expectedMemory(plan, run, calibration, this.processBytes).peak,
      predictedMs: prediction?.wallMs ?? null,
    };
  }
}

/** A text with what a point's runs gave of it; null where it has no windows, or the point no quality. */
type MeasuredText = ExperimentText & { readonly summed: TextWindows | null };

/**
 * What was measured of a point, over all windows and for each prompt.
 *
 * @param job index among the results of the job that the point's quality comes from; negative where there is none
 * @param results by window and job
 * @param answers the same of retrieval cases
 */
export function measuredPoint(
  point: Point,
  job: number,
  texts: readonly ExperimentText[],
  results: readonly (readonly WindowResult[])[],
  planner: PointPlanner,
  answers: readonly (readonly RetrievalResult[])[],
): Pick<ExperimentPoint, 'quality' | 'measured' | 'verdict' | 'prompts'> {
  const own = job < 0 ? [] : results.map((row) => row[job]);
  let first = 0;
  const read = texts.map((text): MeasuredText => {
    const part = own.slice(first, (first += text.windows.length));
    const end = text.windows.reduce((most, { to }) => Math.max(most, to), 0);
    return { ...text, summed: part.length === 0 ? null : { windows: part.map(({ summary }) => summary), sizes: text.sizes, end } };
  });
  const quality = (of: readonly MeasuredText[]): ExperimentPoint['quality'] => {
    // A text that was given twice is no second text.
    const distinct = new Map(of.flatMap(({ digest, summed }) => (summed === null ? [] : [[digest, summed] as const])));
    return distinct.size === 0 ? null : summariseQuality([...distinct.values()], planner.trainedTokens);
  };
  const prompts = read.map((text) => ({
    path: text.prompt.path,
    cost: interruptible(() => planner.cost(text.tokens, point.scenario, point.blockSize)),
    quality: quality([text]),
  }));
  const isMeasured = own.length > 0 && point.blockSize === point.measuredBlockSize;
  const total = (of: (result: WindowResult) => number): number => own.reduce((sum, result) => sum + of(result), 0);
  const summary = quality(read);
  return {
    quality: summary,
    verdict: planner.verdict(point, own, job < 0 ? [] : answers.map((row) => row[job]), summary),
    measured: isMeasured ? { windows: own.length, wallMs: total(({ wallMs }) => wallMs), calls: total(({ calls }) => calls) } : null,
    prompts,
  };
}

/**
 * What a job made of retrieval cases, beside the baseline, which is the last job of the results.
 *
 * @param expected by case, what is found by definition
 */
export function measuredRetrieval(
  placed: readonly PlacedCase[],
  results: readonly (readonly RetrievalResult[])[],
  job: number,
  expected: readonly (Outcome | null)[],
): RetrievalReport {
  return retrievalReport(
    placed.map(({ asked: { task, hops, length, depth }, right }, index) => {
      const row = results[index];
      const { logProbability, rank } = row[job];
      const baseline = row[row.length - 1];
      return {
        task,
        hops,
        length,
        depth,
        measured: rank <= right ? 'found' : 'lost',
        expected: expected[index],
        logProbability,
        rank,
        baselineLogProbability: baseline.logProbability,
        baselineRank: baseline.rank,
      };
    }),
  );
}
