import { costCurves } from '../../src/core/compare/cost-curves';
import { bandsOf } from '../../src/core/draw/map/geometry';
import { wholeMap } from '../../src/core/draw/map/viewport';
import { callOrder } from '../../src/core/plan/call-order';
import { makePlan } from '../../src/core/plan/plan';
import type { PlanRequest } from '../../src/core/plan/request';
import { makeScenario, type LayerScenario, standardKinds } from '../../src/core/scenario/scenario';
import { median, paired, type BenchContext, type Section } from './section';

const model = { layers: 4, heads: 8, keyValueHeads: 4, headWidth: 64, width: 512, feedForwardWidth: 1408, vocabulary: 8192 };

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
  const compared = standardKinds.map((kind) => request(makeScenario(kind)));
  const ways = {
    plan: () => Promise.resolve(makePlan(request(makeScenario('attention-sink')))),
    written: () => Promise.resolve(makePlan(request(written, 100_000))),
    order: () => Promise.resolve(callOrder(causal)),
    map: () => Promise.resolve(bandsOf(causal.queryBlocks, { blocks: causal.blocks, side: 460, shown: wholeMap(causal.blocks) })),
    curves: () => Promise.resolve(costCurves(compared, compared[0], undefined)),
  };
  const times = await paired(ways, quick ? 3 : 9);
  const names: Readonly<Record<keyof typeof ways, string>> = {
    plan: `plan of ${tokens} tokens, attention sinks`,
    written: 'plan of 100000 tokens, written mask',
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
