import { automaticBlock, defaultOptions } from '../options/table';
import { makePlan } from '../plan/plan';
import { type PlanOptions, planRequest, type PlanRequest } from '../plan/request';
import type { ModelShape } from '../shapes';
import type { Calibration } from './calibration';
import { predict } from './predict';

/** What is to be planned, and what is known of the device that it is planned for. */
export interface SettledRequest {
  readonly request: PlanRequest;
  readonly calibration: Calibration | undefined;
}

/**
 * What options ask of a prompt of N tokens, with all that is left to calibration settled: the device, the memory of its runs,
 * and the block size where it is automatic. Every plan of a prompt starts here.
 *
 * @param candidates what is known of the devices that the options allow
 * @throws InputError where the construction cannot have the scenario
 */
export function settleRequest(tokens: number, shape: ModelShape, options: PlanOptions, candidates: readonly Calibration[]): SettledRequest {
  const automatic = options.blockSize === automaticBlock;
  const request = planRequest(tokens, shape, automatic ? { ...options, blockSize: defaultOptions.blockSize } : options);
  const calibration = fastestDevice(request, candidates);
  const measured = { ...request, scoreBytes: calibration?.scoreBytes };
  return { request: automatic && calibration !== undefined ? fastestBlock(measured, calibration) : measured, calibration };
}

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
const blockSizes = [32, 64, 128, 256, 512, 1024];

/** The request with the block size M that is predicted to be fastest on a device; as it was where nothing is predicted. */
function fastestBlock(request: PlanRequest, calibration: Calibration): PlanRequest {
  const timed = blockSizes.flatMap((inputLength) => {
    const tried: PlanRequest = { ...request, oracle: { ...request.oracle, inputLength } };
    const time = predict(makePlan(tried), calibration)?.wallMs;
    return time === undefined ? [] : [{ tried, time }];
  });
  return timed.sort((a, b) => a.time - b.time)[0]?.tried ?? request;
}
