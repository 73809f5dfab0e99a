import { makePlan, type Plan } from './plan';
import { planRequest } from './request';

/** The plan of the same prompt and small transformer under the model's own attention, exact: what a scenario is compared with. */
export function nativePlan({ tokens, model, oracle, scoreBytes }: Plan): Plan {
  const request = planRequest(tokens, model, {
    scenario: { kind: 'native' },
    construction: 'fused',
    blockSize: oracle.inputLength,
    oracleLayers: oracle.layers,
    oracleHeads: oracle.heads,
  });
  return makePlan({ ...request, scoreBytes });
}
