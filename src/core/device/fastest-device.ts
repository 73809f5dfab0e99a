import { makePlan, type PlanRequest } from '../plan/plan';
import type { Calibration } from '../predict/calibration';
import { predict } from '../predict/predict';

/** Of several calibrated devices the one that is predicted to be fastest at a plan; undefined where there is none. */
export function fastestDevice(request: PlanRequest, candidates: readonly Calibration[]): Calibration | undefined {
  if (candidates.length <= 1) {
    return candidates[0];
  }
  const timeOf = (calibration: Calibration): number =>
    predict(makePlan({ ...request, scoreBytes: calibration.scoreBytes }), calibration)?.wallMs ?? Infinity;
  const times = candidates.map(timeOf);
  return candidates[times.indexOf(Math.min(...times))];
}
