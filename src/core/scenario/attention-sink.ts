import { windowArrangement } from '../construct/construction';
import { text } from '../l10n';
import type { ScenarioDefinition } from './definition';
import type { Mask } from './mask';
import { windowPairs, windowParameter, windowTiles } from './sliding-window';

/** Definition 2.5: a sliding window, and the first `sinks` keys, which stay visible to all later queries. */
export interface AttentionSinkScenario {
  readonly kind: 'attention-sink';
  /** r: keys of the window, the query's own included. */
  readonly window: number;
  /** s: keys at the start that every later query sees. */
  readonly sinks: number;
}

/** The scenario of StreamingLLM: attention sinks and a recent window. */
export const attentionSink: ScenarioDefinition<AttentionSinkScenario> = {
  kind: 'attention-sink',
  title: text('Attention sink'),
  description: text('A token sees the first s tokens and a window of r tokens that ends at itself.'),
  parameters: [
    windowParameter,
    {
      name: 'sinks',
      symbol: 's',
      unit: 'tokens',
      title: text('Sinks s'),
      description: text('Tokens at the start that every token sees.'),
      minimum: 0,
      maximum: 100_000_000,
      default: 4,
    },
  ],
  mark: { colour: 'green', shape: 'diamond' },
  mask: sinkMask,
  expression: ({ window, sinks }) => `k <= q and (q - k < ${window} or k < ${sinks})`,
  looksAhead: () => false,
  sameAs: ({ window, sinks }, tokens) => (window + sinks >= tokens ? 'causal' : undefined),
  reach: ({ window, sinks }) => ({ before: window - 1, after: 0, sinks }),
  bound: ({ window, sinks }, blockSize, blocks) => ({
    theorem: 'Theorem 5.1, attention sinks',
    formula: 'T * min(T, ceil((r - 1)/M) + 1 + ceil(s/M))',
    tiles: blocks * Math.min(blocks, windowTiles(window, blockSize, blocks) + Math.ceil(sinks / blockSize)),
  }),
  arrangement: (scenario, request) => windowArrangement(scenario.window, scenario.sinks, sinkMask(scenario, request.tokens), request),
};

function sinkMask({ window, sinks }: AttentionSinkScenario, tokens: number): Mask {
  return {
    allows: (query, key) => key <= query && (key < sinks || key > query - window),
    visible: (query) => {
      const start = Math.max(0, query - window + 1);
      return { prefixEnd: Math.min(sinks, start), start, end: query + 1 };
    },
    visiblePairs: () => windowPairs(tokens, window) + sinkPairs(tokens, window, sinks),
  };
}

/** Pairs of a query with a sink that its window no longer reaches: sum over queries of min(sinks, query - window + 1). */
function sinkPairs(tokens: number, window: number, sinks: number): number {
  const beyond = Math.max(0, tokens - window);
  const ramp = Math.min(beyond, sinks);
  return (ramp * (ramp + 1)) / 2 + Math.max(0, beyond - ramp) * sinks;
}
