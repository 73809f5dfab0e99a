import { isBlackBox } from '../construct/construction';
import { makePlan, type PlanRequest } from '../plan/plan';
import { requestCost } from '../plan/request-cost';
import type { Calibration } from '../predict/calibration';
import { compiledPhases, predict, sumOf, type Prediction } from '../predict/predict';

/** Blocks up to which every tile of a plan is looked at. Beyond, the time of a tile is taken to be what it is there. */
const exactBlocks = 128;

type Phases = Prediction['phases'];

/**
 * Predicts the phases of one request at many lengths.
 *
 * Up to 128 blocks it is `predict` of the plan. Longer prompts are not planned tile by tile: their attention takes as long a
 * tile as at 128 blocks, and their other phases as long a token, which the tests hold to a few per cent of `predict`.
 * @returns the phases of `tokens` tokens in milliseconds; undefined for a black box, whose calls are not calibrated
 */
export function timePredictor(request: PlanRequest, calibration: Calibration): (tokens: number) => Phases | undefined {
  if (isBlackBox(request.construction)) {
    return () => undefined;
  }
  const { layer, pass, scoreBytes } = calibration;
  const at = (tokens: number): PlanRequest => ({ ...request, tokens, scoreBytes });
  if (layer !== null) {
    return (tokens) => compiledPhases({ model: request.model, flopsByPhase: requestCost(at(tokens)).flopsByPhase }, layer);
  }
  const exact = (tokens: number): Phases | undefined => predict(makePlan(at(tokens)), calibration)?.phases;
  const longest = exactBlocks * request.oracle.inputLength;
  let known: Phases | undefined;
  return (tokens) => {
    if (tokens <= longest) {
      return exact(tokens);
    }
    known ??= exact(longest);
    return known && scaled(known, tokens / longest, attendFlops(at(tokens)) / attendFlops(at(longest)), pass.startMs);
  };
}

/** The wall time of a request in milliseconds, as `timePredictor` has it. */
export function predictedMs(request: PlanRequest, calibration: Calibration): number | undefined {
  const phases = timePredictor(request, calibration)(request.tokens);
  return phases && sumOf(phases);
}

/** Floating-point operations of attention: as many for every tile. */
function attendFlops(request: PlanRequest): number {
  return requestCost(request).flopsByPhase.attend;
}

/** Phases of a longer prompt. Attention sessions are started once, whatever the length. */
function scaled({ project, gather, attend, layer, mlp }: Phases, tokens: number, tiles: number, startMs: number): Phases {
  return {
    project: tokens * project,
    gather: tokens * gather,
    attend: startMs + tiles * (attend - startMs),
    layer: tokens * layer,
    mlp: tokens * mlp,
  };
}
