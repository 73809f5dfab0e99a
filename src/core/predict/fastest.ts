import { t } from '../l10n';
import { automaticBlock, defaultOptions } from '../options/table';
import { makePlan, type Plan } from '../plan/plan';
import { type PlanOptions, planRequest, type PlanRequest } from '../plan/request';
import type { ModelShape } from '../shapes';
import type { Calibration } from './calibration';
import { predict } from './predict';

/** A request to plan, and the calibration of its device. */
export interface SettledRequest {
  readonly request: PlanRequest;
  readonly calibration: Calibration | undefined;
}

/**
 * The plan of a prompt of N tokens, with everything that depends on calibration decided. Where nothing tells which block size
 * is the fastest, a note says that an automatic one is the default.
 *
 * @param candidates calibrations of the devices that the options allow
 * @throws InputError if the construction does not support the scenario
 */
export function settledPlan(
  tokens: number,
  shape: ModelShape,
  options: PlanOptions,
  candidates: readonly Calibration[],
): { readonly plan: Plan; readonly calibration: Calibration | undefined } {
  const { request, calibration } = settleRequest(tokens, shape, options, candidates);
  const plan = makePlan(request);
  const isAssumed = options.blockSize === automaticBlock && (calibration === undefined || predict(plan, calibration) === undefined);
  return { plan: isAssumed ? { ...plan, notes: [...plan.notes, assumedNote(request, calibration)] } : plan, calibration };
}

function assumedNote({ oracle, construction }: PlanRequest, calibration: Calibration | undefined): string {
  return calibration === undefined
    ? t('Block size auto is the default, {0}: no device is calibrated, so that no other is known to be faster.', oracle.inputLength)
    : t('Block size auto is the default, {0}: times are not predicted under {1}.', oracle.inputLength, construction);
}

/**
 * The request for a prompt of N tokens, with everything that depends on calibration decided: the device, the memory of its
 * runs, and the block size if it is automatic. Every plan of a prompt starts here.
 *
 * @param candidates calibrations of the devices that the options allow
 * @throws InputError if the construction does not support the scenario
 */
export function settleRequest(tokens: number, shape: ModelShape, options: PlanOptions, candidates: readonly Calibration[]): SettledRequest {
  const automatic = options.blockSize === automaticBlock;
  const request = planRequest(tokens, shape, automatic ? { ...options, blockSize: defaultOptions.blockSize } : options);
  const calibration = fastestDevice(request, candidates);
  const measured = { ...request, scoreBytes: calibration?.scoreBytes };
  return { request: automatic && calibration !== undefined ? fastestBlock(measured, calibration) : measured, calibration };
}

/** The calibrated device with the shortest predicted time for a plan; undefined if there is none. */
function fastestDevice(request: PlanRequest, candidates: readonly Calibration[]): Calibration | undefined {
  if (candidates.length <= 1) {
    return candidates[0];
  }
  const timeOf = (calibration: Calibration): number =>
    predict(makePlan({ ...request, scoreBytes: calibration.scoreBytes }), calibration)?.wallMs ?? Infinity;
  const times = candidates.map(timeOf);
  return candidates[times.indexOf(Math.min(...times))];
}

/** Block sizes to try: sizes between them are hardly ever better, and powers of two fill a processor's vectors. */
const blockSizes = [32, 64, 128, 256, 512, 1024];

/** The request with the block size M of shortest predicted time on a device; unchanged if nothing is predicted. */
function fastestBlock(request: PlanRequest, calibration: Calibration): PlanRequest {
  const timed = blockSizes.flatMap((inputLength) => {
    const tried: PlanRequest = { ...request, oracle: { ...request.oracle, inputLength } };
    const time = predict(makePlan(tried), calibration)?.wallMs;
    return time === undefined ? [] : [{ tried, time }];
  });
  return timed.sort((a, b) => a.time - b.time)[0]?.tried ?? request;
}
