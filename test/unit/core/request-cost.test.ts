import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { constructions } from '../../../src/core/construct/construction';
import { defaultOptions } from '../../../src/core/options/table';
import { makePlan } from '../../../src/core/plan/plan';
import { type PlanRequest, planRequest } from '../../../src/core/plan/request';
import { requestCost } from '../../../src/core/plan/request-cost';
import { tileTotal } from '../../../src/core/plan/tiles';
import { makeScenario, perLayer } from '../../../src/core/scenario/scenario';
import { blackBoxSettings, runs, scenarios, settings } from '../../support/arbitrary';
import { planOf, smallModel } from '../../support/shapes';

/** The costs that a plan counts from its tiles. */
function planned(request: PlanRequest): ReturnType<typeof requestCost> {
  const { calls, flops, flopsByPhase, bytes, bytesByUse, bound, blocks } = makePlan(request);
  return { calls, flops, flopsByPhase, bytes, bytesByUse, bound, blocks };
}

const oracles = fc.record({ oracleLayers: fc.integer({ min: 1, max: 3 }), oracleHeads: fc.integer({ min: 1, max: 6 }) });

describe('the cost of a request', () => {
  it('is that of its plan', () => {
    fc.assert(
      fc.property(settings, oracles, ({ tokens, ...setting }, oracle) => {
        const request = planRequest(tokens, smallModel, { ...defaultOptions, ...oracle, ...setting });
        expect(requestCost(request)).toEqual(planned(request));
      }),
      runs,
    );
  });

  it('is that of its plan where layers differ', () => {
    fc.assert(
      fc.property(
        settings,
        fc.array(
          scenarios.filter(({ kind }) => kind !== 'average-case'),
          { minLength: 1, maxLength: 3 },
        ),
        ({ tokens, blockSize }, cycle) => {
          const request = planRequest(tokens, smallModel, { ...defaultOptions, blockSize, scenario: perLayer(cycle) });
          expect(requestCost(request)).toEqual(planned(request));
        },
      ),
      runs,
    );
  });

  it('is that of its plan under a black box', () => {
    fc.assert(
      fc.property(
        fc.oneof(blackBoxSettings.tight, blackBoxSettings.paper),
        fc.constantFrom(...constructions.slice(1)),
        oracles,
        ({ tokens, causal, ...setting }, construction, oracle) => {
          const made = planRequest(tokens, smallModel, { ...defaultOptions, ...oracle, ...setting, construction });
          const request = { ...made, oracle: { ...made.oracle, causal: causal && made.oracle.causal } };
          // What cannot be planned has no cost either, for the same reason.
          const outcome = (of: () => unknown): unknown => {
            try {
              return of();
            } catch (error) {
              return String(error);
            }
          };
          expect(outcome(() => requestCost(request))).toEqual(outcome(() => planned(request)));
        },
      ),
      runs,
    );
  });

  it('counts the tiles of long prompts too', () => {
    for (const scenario of [
      makeScenario('attention-sink', { window: 700, sinks: 90 }),
      makeScenario('local-window', { window: 999 }),
      makeScenario('sliding-window', { window: 5000 }),
    ]) {
      expect(tileTotal(scenario, 100_003, 64)).toBe(planOf({ tokens: 100_003, blockSize: 64, scenario }).tiles);
    }
  });
});
