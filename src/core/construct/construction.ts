import { InputError } from '../errors';
import type { Arrangement, ArrangementRequest } from './arrangement';
import { causalTriangles } from './tiles';
import { windowChunks } from './window-chunks';
import { windowDifferences } from './window-differences';

export type { Arrangement, ArrangementRequest, FormulaTerm, PatternCount, PatternFormula } from './arrangement';

/**
 * How the large transformer is computed by calls of the small one: `fused` passes the mask in and reads the log-normaliser;
 * `tight` and `paper` call a black box that shows its final output only.
 */
export const constructions = ['fused', 'tight', 'paper'] as const;
export type Construction = (typeof constructions)[number];
export type BlackBoxConstruction = Exclude<Construction, 'fused'>;

/** Whether a construction calls a black box. */
export function isBlackBox(construction: Construction): construction is BlackBoxConstruction {
  return construction !== 'fused';
}

/** What the arrangement of a scenario's black-box calls depends on. */
export interface BlackBoxRequest extends ArrangementRequest {
  readonly construction: BlackBoxConstruction;
  /** Whether the available black box masks causally by itself. */
  readonly causal: boolean;
}

/**
 * The arrangement of a window of the last `window` tokens, with `sinks` keys that all later tokens see (theorem 5.1).
 *
 * @throws InputError for a window or sinks outside the theorem's range
 */
export function windowArrangement(window: number, sinks: number, request: BlackBoxRequest): Arrangement {
  const { tokens, inputLength, construction } = request;
  if (window >= tokens) {
    // Such a window hides nothing that causal attention shows.
    return causalTriangles(request);
  }
  if (window >= inputLength) {
    throw new InputError(
      `A window of ${window} is not below the block size of ${inputLength}, as theorem 5.1 needs; use a block size of ${window + 1} or more, a window of ${inputLength - 1} or less, or construction fused.`,
    );
  }
  if (sinks > window) {
    throw new InputError(
      `${sinks} sinks are more than the window of ${window}, which no arrangement of theorem 5.1 has; choose ${window} or fewer, or construction fused.`,
    );
  }
  return construction === 'tight' ? windowChunks(request, window, sinks) : windowDifferences(request, window, sinks);
}
