import { makePlan } from '../plan/plan';
import type { PlanRequest } from '../plan/request';
import type { Calibration } from './calibration';
import { predict } from './predict';

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

/** Block sizes that are tried: those between are hardly ever better, and powers of two fill a processor's vectors. */
const candidates = [32, 64, 128, 256, 512, 1024];

/** The request with the block size M that is predicted to be fastest on a device; as it was where nothing is predicted. */
export function fastestBlock(request: PlanRequest, calibration: Calibration): PlanRequest {
  const timed = candidates.flatMap((inputLength) => {
    const tried: PlanRequest = { ...request, oracle: { ...request.oracle, inputLength } };
    const time = predict(makePlan(tried), calibration)?.wallMs;
    return time === undefined ? [] : [{ tried, time }];
  });
  return timed.sort((a, b) => a.time - b.time)[0]?.tried ?? request;
}
