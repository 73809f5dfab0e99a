import { InputError } from '../errors';
import { text } from '../l10n';
import type { Arrangement, ArrangementRequest } from './arrangement';
import type { Mask } from '../scenario/mask';
import { windowBands } from './bands';
import { coveredTiles } from './covered-tiles';
import { localBands } from './local-bands';
import { causalTiles, causalTriangles } from './tiles';
import { windowDifferences } from './window-differences';

export type { Arrangement, ArrangementRequest, PatternCount, PatternFormula } from './arrangement';

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

/** Causal attention: triangles for a black box that masks only causally (theorem 3.5), else tiles with a causal diagonal (3.4). */
export function causalArrangement(request: BlackBoxRequest): Arrangement {
  return request.causal ? causalTriangles(request) : causalTiles(request);
}

/** The widest window, and the most sinks, that bands have room for in calls of M tokens. */
export function fitsBands(window: number, sinks: number, inputLength: number): boolean {
  return window <= inputLength && sinks < (inputLength - 1) / 2;
}

/**
 * The arrangement of a window of the last `window` tokens, with `sinks` keys that all later tokens see.
 *
 * `tight` reads it by bands, or by tiles where a call has no room for them; `paper` as the proof of theorem 5.1 does.
 * @throws InputError under `paper` for a window or sinks outside the theorem's range
 */
export function windowArrangement(window: number, sinks: number, mask: Mask, request: BlackBoxRequest): Arrangement {
  const { tokens, inputLength, construction } = request;
  if (window >= tokens || (construction === 'tight' && window + sinks >= tokens)) {
    // Such a window hides nothing that causal attention shows.
    return causalArrangement(request);
  }
  if (construction === 'tight') {
    return fitsBands(window, sinks, inputLength) ? windowBands(request, window, sinks) : coveredTiles(request, mask);
  }
  if (window >= inputLength) {
    throw new InputError(
      `A window of ${window} is not below the block size of ${inputLength}, as the proof of theorem 5.1 needs; use a block size of ${window + 1} or more, a window of ${inputLength - 1} or less, or construction tight.`,
    );
  }
  if (sinks > window) {
    throw new InputError(
      `${sinks} sinks are more than the window of ${window}, which the proof of theorem 5.1 has no arrangement for; choose ${window} or fewer, or construction tight.`,
    );
  }
  return windowDifferences(request, window, sinks);
}

/**
 * The arrangement of a window that reaches as far ahead as back: bands where a call has room for the reach, else tiles.
 *
 * @throws InputError under `paper`
 */
export function localArrangement(reach: number, mask: Mask, request: BlackBoxRequest): Arrangement {
  const { tokens, inputLength, construction } = request;
  return construction === 'tight' && reach > 0 && reach < Math.min(inputLength, tokens - 1)
    ? localBands(request, reach)
    : maskArrangement(mask, text('Scenario "local-window"'), request);
}

/**
 * The arrangement of a mask of any form: tiles that separation columns mask.
 *
 * @param name of the mask, for the error
 * @throws InputError under `paper`
 */
export function maskArrangement(mask: Mask, name: string, request: BlackBoxRequest): Arrangement {
  if (request.construction === 'paper') {
    throw new InputError(
      `${name} has no arrangement under construction paper, which lays out the masks of the paper; use construction tight or fused.`,
    );
  }
  return coveredTiles(request, mask);
}
