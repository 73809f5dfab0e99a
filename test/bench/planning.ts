import { costCurves } from '../../src/core/compare/cost-curves';
import { bandsOf } from '../../src/core/draw/map/geometry';
import { wholeMap } from '../../src/core/draw/map/viewport';
import { InputError } from '../../src/core/errors';
import { callOrder } from '../../src/core/plan/call-order';
import { makePlan } from '../../src/core/plan/plan';
import type { PlanRequest } from '../../src/core/plan/request';
import { makeScenario, type LayerScenario, standardKinds } from '../../src/core/scenario/scenario';
import { median, paired, type BenchContext, type Section } from './section';

const model = { layers: 4, heads: 8, keyValueHeads: 4, headWidth: 64, width: 512, feedForwardWidth: 1408, vocabulary: 8192 };

/** 487 characters, undecided at every pair. */
const costly = makeScenario('custom', { expression: `${Array(25).fill('(q*k)%7 == 0').join(' or ')} or k == q` });

function isRefused(request: PlanRequest): boolean {
  try {
    makePlan(request);
    return false;
  } catch (error) {
    if (error instanceof InputError) {
      return true;
    }
    throw error;
  }
}

/** What planning and drawing take at the sizes that the editor meets: it has a second for a plan, and milliseconds for a map. */
export async function planning({ quick, log }: BenchContext): Promise<Section> {
  log('planning');
  const tokens = quick ? 100_000 : 1_000_000;
  const request = (scenario: LayerScenario, length = tokens): PlanRequest => ({
    tokens: length,
    model,
    scenario,
    construction: 'fused',
    oracle: { inputLength: 256, layers: 1, heads: 8, causal: false },
  });
  const causal = makePlan(request(makeScenario('causal')));
  const written = makeScenario('custom', { expression: 'k <= q and (q - k < 512 or k < 4)' });
  const strided = makeScenario('custom', { expression: 'k <= q and (q - k < 256 or k % 64 == 0)' });
  const dilated = makeScenario('custom', { expression: 'k <= q and (q - k) % 3 == 0' });
  const blocks = makeScenario('custom', { expression: 'k <= q and q // 1000 == k // 1000' });
  const compared = standardKinds.map((kind) => request(makeScenario(kind)));
  const ways = {
    plan: () => Promise.resolve(makePlan(request(makeScenario('attention-sink')))),
    written: () => Promise.resolve(makePlan(request(written, 100_000))),
    strided: () => Promise.resolve(makePlan(request(strided, 131_072))),
    dilated: () => Promise.resolve(makePlan(request(dilated, 131_072))),
    blocks: () => Promise.resolve(makePlan(request(blocks, 131_072))),
    refused: () => Promise.resolve(isRefused(request(costly, 131_072))),
    order: () => Promise.resolve(callOrder(causal)),
    map: () => Promise.resolve(bandsOf(causal.queryBlocks, { blocks: causal.blocks, side: 460, shown: wholeMap(causal.blocks) })),
    curves: () => Promise.resolve(costCurves(compared, compared[0], undefined)),
  };
  const times = await paired(ways, quick ? 3 : 9);
  const names: Readonly<Record<keyof typeof ways, string>> = {
    plan: `plan of ${tokens} tokens, attention sinks`,
    written: 'plan of 100000 tokens, written mask',
    strided: 'plan of 131072 tokens, written mask with a window and a stride',
    dilated: 'plan of 131072 tokens, written mask with a dilation',
    blocks: 'plan of 131072 tokens, written mask of blocks',
    refused: 'refusal of a written mask that costs too much, 131072 tokens',
    order: `order of the calls of ${tokens} tokens, causal`,
    map: `map of ${causal.blocks} blocks in 460 pixels`,
    curves: `cost curves of ${compared.length} scenarios`,
  };
  return {
    name: 'planning',
    title: 'Planning and drawing',
    method: `Medians of ${quick ? 3 : 9} rounds in one process, every way once a round.`,
    columns: { what: 'what', ms: 'ms' },
    rows: (Object.keys(names) as (keyof typeof ways)[]).map((name) => ({ what: names[name], ms: median(times[name]) })),
    goals: [],
  };
}
