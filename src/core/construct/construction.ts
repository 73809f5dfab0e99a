import { InputError } from '../errors';
import { looksAhead, type LayerScenario } from '../scenario/scenario';
import type { Arrangement, ArrangementRequest } from './arrangement';
import { causalTiles, causalTriangles, fullTiles, sampledBlocks } from './tiles';
import { windowChunks } from './window-chunks';
import { windowDifferences } from './window-differences';

export type { Arrangement, ArrangementRequest, FormulaTerm, PatternCount, PatternFormula } from './arrangement';

/**
 * How the large transformer is made of calls of the small one: `fused` hands the mask in and takes the log-normaliser
 * out; `tight` and `paper` call a black box that shows its final output only.
 */
export const constructions = ['fused', 'tight', 'paper'] as const;
export type Construction = (typeof constructions)[number];
export type BlackBoxConstruction = Exclude<Construction, 'fused'>;

/** The name of a construction that calls a black box. */
export function isBlackBox(construction: Construction): construction is BlackBoxConstruction {
  return construction !== 'fused';
}

/**
 * The arrangement of a scenario under a black-box construction.
 *
 * Causal attention is laid out for the oracle at hand: triangles for one that only masks causally (theorem 3.5), tiles
 * with a causal diagonal for one that can do either (theorem 3.4).
 * @throws InputError for a window that theorem 5.1 does not reach, or that looks ahead
 */
export function arrangementOf(
  scenario: LayerScenario,
  construction: BlackBoxConstruction,
  request: ArrangementRequest & { readonly causal: boolean },
): Arrangement {
  switch (scenario.kind) {
    case 'full':
      return fullTiles(request);
    case 'causal':
      return request.causal ? causalTriangles(request) : causalTiles(request);
    case 'average-case':
      return sampledBlocks(request, scenario.seed);
    case 'custom':
      throw new InputError(
        `A custom mask has no arrangement under construction ${construction}, which lays out the masks of the paper; use construction fused.`,
      );
    case 'local-window':
      throw new InputError(
        `Scenario "local-window" has no arrangement under construction ${construction}: theorem 5.1 is about windows before a token; use construction fused.`,
      );
    case 'sliding-window':
    case 'attention-sink':
      return windowArrangement(scenario.window, scenario.kind === 'attention-sink' ? scenario.sinks : 0, construction, request);
  }
}

function windowArrangement(window: number, sinks: number, construction: BlackBoxConstruction, request: ArrangementRequest): Arrangement {
  const { tokens, inputLength } = request;
  if (window >= tokens) {
    // Such a window hides nothing that causal attention shows.
    return causalTriangles(request);
  }
  if (window >= inputLength) {
    throw new InputError(
      `A window of ${window} is not below the block size of ${inputLength}, as theorem 5.1 needs; use a block size of ${window + 1} or more, a window of ${inputLength - 1} or less, or construction fused.`,
    );
  }
  return construction === 'tight' ? windowChunks(request, window, sinks) : windowDifferences(request, window, sinks);
}

/** Whether the scenario's black box masks causally by itself (theorems 3.5 and 5.1). */
export function needsCausalOracle(scenario: LayerScenario): boolean {
  return !looksAhead(scenario, 1);
}
