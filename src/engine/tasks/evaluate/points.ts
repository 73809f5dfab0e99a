import { isBlackBox } from '../../../core/construct/construction';
import type { Calibration } from '../../../core/predict/calibration';
import { fastestDevice } from '../../../core/device/fastest-device';
import { scenarioOf, type Experiment } from '../../../core/evaluate/experiment';
import { isSampled, scenarioLabel, type Scenario } from '../../../core/scenario/scenario';
import { makePlan, type Plan, type PlanRequest } from '../../../core/plan/plan';
import { planRequest } from '../../../core/plan/request';
import type { PlannedCost } from '../../../core/evaluate/report';
import { devicePrediction } from '../../../core/report/prediction';
import type { ModelShape } from '../../../core/shapes';

/** A scenario and a block size of an experiment. */
export interface Point {
  readonly scenario: Scenario;
  readonly blockSize: number;
  /** The block size that its quality is measured with. */
  readonly measuredBlockSize: number;
}

/** The points of an experiment, each once: every scenario with every block size. @throws InputError for a scenario that cannot be */
export function pointsOf({ scenarios, blocks, construction }: Experiment, shape: ModelShape): Point[] {
  const points = new Map<string, Point>();
  const largest = Math.max(...blocks);
  for (const text of scenarios) {
    for (const blockSize of blocks) {
      const { scenario } = planRequest(1, shape, { scenario: scenarioOf(text), blockSize, construction });
      // An exact construction gives the same with every block size: it is measured once, with the fewest calls.
      const own = isBlackBox(construction) || isSampled(scenario);
      points.set(`${scenarioLabel(scenario)} ${blockSize}`, { scenario, blockSize, measuredBlockSize: own ? blockSize : largest });
    }
  }
  return [...points.values()];
}

/** Plans the points of an experiment, for the device that it names or calibration prefers. */
export class PointPlanner {
  constructor(
    private readonly shape: ModelShape,
    private readonly construction: Experiment['construction'],
    private readonly calibrations: readonly Calibration[],
  ) {}

  /** The plan of `tokens` tokens. @throws InputError where the construction cannot have the scenario */
  plan(tokens: number, scenario: Scenario, blockSize: number): Plan {
    const request = this.request(tokens, scenario, blockSize);
    return makePlan({ ...request, scoreBytes: fastestDevice(request, this.calibrations)?.scoreBytes });
  }

  /** The device that is fastest at a plan; undefined where none is calibrated. */
  device(tokens: number, scenario: Scenario, blockSize: number): Calibration | undefined {
    return fastestDevice(this.request(tokens, scenario, blockSize), this.calibrations);
  }

  /** What `tokens` tokens cost. */
  cost(tokens: number, scenario: Scenario, blockSize: number): PlannedCost {
    const plan = this.plan(tokens, scenario, blockSize);
    const prediction = devicePrediction(plan, this.device(tokens, scenario, blockSize));
    return {
      tokens,
      calls: plan.calls,
      flops: plan.flops,
      attentionFlops: plan.flopsByPhase.attend,
      bytes: plan.bytes,
      predictedMs: prediction?.wallMs ?? null,
    };
  }

  private request(tokens: number, scenario: Scenario, blockSize: number): PlanRequest {
    return planRequest(tokens, this.shape, { scenario, blockSize, construction: this.construction });
  }
}
