import { defaultOptions } from '../../src/core/options/table';
import type { LayerScenario } from '../../src/core/scenario/scenario';
import { openDevice, type Device } from '../../src/engine/attend/runtime/provider';
import { OurAttention, uniformData } from './ours';
import { denseGraph, groupQueryAttention, multiHeadAttention, type Peer } from './peers';
import { median, paired, type BenchContext, type Figure, type Goal, type Section } from './section';
import { bestMatMulRate } from './mat-mul';

const heads = 8;
const headWidth = 64;
const window = 512;

/** M, as a run has it that says nothing of it. */
const { blockSize } = defaultOptions;

/** The longest N at which a peer of quadratic memory or time is still run. */
const longest = { multiHead: 8192, dense: 8192, groupQuery: 32_768 };

const scenarios: readonly { readonly name: string; readonly scenario: LayerScenario }[] = [
  { name: 'causal', scenario: { kind: 'causal' } },
  { name: 'window 512', scenario: { kind: 'sliding-window', window } },
  { name: 'window 512, 4 sinks', scenario: { kind: 'attention-sink', window, sinks: 4 } },
];

/** One layer's attention, ours and that of others on the same data, with gather, run and merge apart. */
export async function attention(context: BenchContext): Promise<Section> {
  const device = await openDevice('cpu', context.threads);
  const rows: Record<string, Figure>[] = [];
  const lengths = context.quick ? [512, 1024, 2048] : [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];
  for (const tokens of lengths) {
    const data = uniformData(heads * tokens * headWidth);
    for (const { name, scenario } of scenarios) {
      context.log(`attention, ${name}, N = ${tokens}`);
      rows.push({ tokens, scenario: name, ...(await compare(scenario, tokens, data, device, context.quick)) });
    }
  }
  return {
    name: 'attention',
    title: 'Attention of one layer, 8 heads of 64, float32',
    method:
      'All ways run once a round on the same numbers, in an order drawn anew, M at its default of 256; medians of the rounds, and of the ratios of each round to GroupQueryAttention. The ceiling is the best MatMul of the same round (512 x 64 by 64 x 512 tiles and squares). Useful: floating-point operations of visible pairs only.',
    columns: {
      tokens: 'N',
      scenario: 'mask',
      oursMs: 'ours, ms',
      gatherMs: 'gather',
      runMs: 'run',
      mergeMs: 'merge',
      usefulRate: 'useful GFLOP/s',
      ceiling: 'best MatMul',
      multiHead: 'MultiHeadAttention, ms',
      groupQuery: 'GroupQueryAttention, ms',
      faster: 'GroupQueryAttention / ours',
      dense: 'dense graph, ms',
    },
    rows,
    goals: context.quick ? [] : goalsOf(rows),
  };
}

async function compare(
  scenario: LayerScenario,
  tokens: number,
  data: Float32Array,
  device: Device,
  quick: boolean,
): Promise<Record<string, Figure>> {
  const ours = OurAttention.create(scenario, blockSize, undefined, heads, headWidth, [data, data, data], device);
  const causal = scenario.kind === 'causal';
  const peers: Record<string, Peer> = {
    ...(causal && tokens <= longest.multiHead && { multiHead: await multiHeadAttention(tokens, heads, headWidth, data, device) }),
    ...(causal && tokens <= longest.dense && { dense: await denseGraph(tokens, heads, headWidth, data, device) }),
    ...(scenario.kind !== 'attention-sink' &&
      tokens <= longest.groupQuery && {
        groupQuery: await groupQueryAttention(tokens, heads, headWidth, causal ? -1 : window, data, device),
      }),
  };
  const ceilings: number[] = [];
  const rounds = quick ? 2 : tokens > 16_384 ? 3 : tokens > 4096 ? 5 : 25;
  try {
    const ways: Record<string, () => Promise<unknown>> = {
      ceiling: async () => ceilings.push(await bestMatMulRate(device)),
      ours: () => ours.run(),
      ...Object.fromEntries(Object.entries(peers).map(([name, peer]) => [name, () => peer.run()])),
    };
    const times = await paired(ways, rounds);
    const oursMs = median(times.ours);
    const phase = (name: 'gather' | 'attend' | 'merge'): number => median(ours.phases.slice(1).map((phases) => phases[name]));
    return {
      oursMs,
      gatherMs: phase('gather'),
      runMs: phase('attend'),
      mergeMs: phase('merge'),
      usefulRate: (ours.plan.flopsByPhase.attendVisible / oursMs) * 1e-6,
      ceiling: median(ceilings.slice(1)),
      multiHead: 'multiHead' in times ? median(times.multiHead) : '',
      groupQuery: 'groupQuery' in times ? median(times.groupQuery) : '',
      faster: 'groupQuery' in times ? median(times.groupQuery.map((time, round) => time / times.ours[round])) : '',
      dense: 'dense' in times ? median(times.dense) : '',
    };
  } finally {
    await ours.release();
    await Promise.all(Object.values(peers).map((peer) => peer.release()));
  }
}

function goalsOf(rows: readonly Readonly<Record<string, Figure>>[]): Goal[] {
  const at = (scenario: string, tokens: number): Readonly<Record<string, number>> => {
    const row = rows.find((one) => one.scenario === scenario && one.tokens === tokens) ?? {};
    return Object.fromEntries(Object.entries(row).map(([name, figure]) => [name, Number(figure)]));
  };
  const causal = at('causal', 8192);
  const speedUp = causal.multiHead / causal.oursMs;
  const share = causal.usefulRate / causal.ceiling;
  const windows = [8192, 16_384, 32_768, 65_536].map((tokens) => at('window 512', tokens));
  const perToken = windows.map(({ oursMs, tokens }) => oursMs / tokens);
  const spread = Math.max(...perToken) / Math.min(...perToken) - 1;
  const leastFaster = (scenario: string): number =>
    Math.min(...rows.filter((row) => row.scenario === scenario && row.faster !== '').map(({ faster }) => Number(faster)));
  const overheads = rows.map(({ gatherMs, mergeMs, oursMs }) => (Number(gatherMs) + Number(mergeMs)) / Number(oursMs));
  const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;
  return [
    {
      goal: 'Causal, N = 8192: at least 8 times as fast as MultiHeadAttention',
      measured: `${speedUp.toFixed(2)} times`,
      reached: speedUp >= 8,
    },
    { goal: 'Causal, N = 8192: useful FLOP/s at least 70% of the best MatMul', measured: percent(share), reached: share >= 0.7 },
    {
      goal: 'Window 512: time linear in N within 5% from 8k to 64k',
      measured: `time per token varies by ${percent(spread)}`,
      reached: spread <= 0.05,
    },
    ...['causal', 'window 512'].map((scenario) => ({
      goal: `From 512 tokens on, ${scenario}: never slower than GroupQueryAttention`,
      measured: `at least ${leastFaster(scenario).toFixed(2)} times as fast`,
      reached: leastFaster(scenario) >= 1,
    })),
    {
      goal: 'Overhead outside run() under 5%',
      measured: `at most ${percent(Math.max(...overheads))}`,
      reached: Math.max(...overheads) < 0.05,
    },
  ];
}
