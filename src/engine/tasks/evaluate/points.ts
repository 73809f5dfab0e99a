import { isBlackBox } from '../../../core/construct/construction';
import { type Experiment, scenarioOf } from '../../../core/evaluate/experiment';
import { needleGrid, type NeedleGrid } from '../../../core/evaluate/needles';
import { summariseQuality } from '../../../core/evaluate/quality-summary';
import type { ExperimentPoint, PlannedCost } from '../../../core/evaluate/report';
import { makePlan } from '../../../core/plan/plan';
import type { Calibration } from '../../../core/predict/calibration';
import { settleRequest, type SettledRequest } from '../../../core/predict/fastest';
import { devicePrediction } from '../../../core/predict/prediction';
import { isSampled, type Scenario, type ScenarioChoice, scenarioLabel } from '../../../core/scenario/scenario';
import type { ModelShape } from '../../../core/shapes';
import type { NeedleResult, WindowResult } from './results';
import type { ExperimentText, PlacedAnswer } from './texts';
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
  ) {}

  /** Tokens that the model was trained on; undefined where that is not known. */
  get trainedTokens(): number | undefined {
    return this.shape.trainedTokens;
  }

  /**
   * The points, each once: every scenario with every block size.
   *
   * @param tokens of a window, for which an automatic block size is settled
   * @throws InputError for a scenario that cannot be
   */
  points(tokens: number): Point[] {
    const { scenarios, blocks, construction } = this.experiment;
    const points = new Map<string, Pick<Point, 'scenario' | 'blockSize'>>();
    for (const text of scenarios) {
      for (const asked of blocks) {
        const { request } = this.settle(tokens, scenarioOf(text), asked);
        const { scenario, oracle } = request;
        points.set(`${scenarioLabel(scenario)} ${oracle.inputLength}`, { scenario, blockSize: oracle.inputLength });
      }
    }
    return [...points.values()].map(({ scenario, blockSize }) => {
      // An exact construction gives the same with every block size: it is measured once, with the fewest calls.
      const own = isBlackBox(construction) || isSampled(scenario);
      const label = scenarioLabel(scenario);
      const sizes = [...points.values()].filter((point) => scenarioLabel(point.scenario) === label).map((point) => point.blockSize);
      return { scenario, blockSize, measuredBlockSize: own ? blockSize : Math.max(...sizes) };
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
    const prediction = devicePrediction(plan, calibration);
    return {
      tokens,
      calls: plan.calls,
      flops: plan.flops,
      attentionFlops: plan.flopsByPhase.attend,
      bytes: plan.bytes,
      predictedMs: prediction?.wallMs ?? null,
    };
  }
}

/**
 * What was measured of a point, over all windows and for each prompt.
 *
 * @param job index among the results of the job that the point's quality comes from; negative where there is none
 * @param results by window and job
 */
export function measuredPoint(
  point: Point,
  job: number,
  texts: readonly ExperimentText[],
  results: readonly (readonly WindowResult[])[],
  planner: PointPlanner,
): Pick<ExperimentPoint, 'quality' | 'measured' | 'prompts'> {
  const own = job < 0 ? [] : results.map((row) => row[job]);
  const summary = (of: readonly WindowResult[]): ExperimentPoint['quality'] =>
    of.length === 0
      ? null
      : summariseQuality(
          of.map((each) => each.summary),
          planner.trainedTokens,
        );
  let first = 0;
  const prompts = texts.map(({ prompt, tokens, windows }) => {
    const part = own.slice(first, (first += windows.length));
    return { path: prompt.path, cost: interruptible(() => planner.cost(tokens, point.scenario, point.blockSize)), quality: summary(part) };
  });
  const isMeasured = own.length > 0 && point.blockSize === point.measuredBlockSize;
  const total = (of: (result: WindowResult) => number): number => own.reduce((sum, result) => sum + of(result), 0);
  return {
    quality: summary(own),
    measured: isMeasured ? { windows: own.length, wallMs: total(({ wallMs }) => wallMs), calls: total(({ calls }) => calls) } : null,
    prompts,
  };
}

/** Needle scores of a job beside the baseline's, which is the last job of the results. */
export function needleGridOf(needles: readonly PlacedAnswer[], results: readonly (readonly NeedleResult[])[], job: number): NeedleGrid {
  const valueOf = ({ logProbability, rank }: NeedleResult): { logProbability: number; rank: number } => ({
    logProbability: logProbability ?? NaN,
    rank: rank ?? NaN,
  });
  return needleGrid(
    needles.map(({ length, depth }, index) => {
      const row = results[index];
      const baseline = valueOf(row[row.length - 1]);
      return { length, depth, ...valueOf(row[job]), baselineLogProbability: baseline.logProbability, baselineRank: baseline.rank };
    }),
  );
}
