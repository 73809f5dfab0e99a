import { t } from '../l10n';
import type { MaskDefinition } from './mask';
import { windowPairs, windowParameter } from './sliding-window';

/** Definition 2.5: a sliding window, and the first `sinks` keys, which stay visible to all later queries. */
export interface AttentionSinkScenario {
  readonly kind: 'attention-sink';
  /** r: keys of the window, the query's own included. */
  readonly window: number;
  /** s: keys at the start that every later query sees. */
  readonly sinks: number;
}

/** The scenario of StreamingLLM: attention sinks and a recent window. */
export const attentionSink: MaskDefinition<AttentionSinkScenario> = {
  kind: 'attention-sink',
  get title(): string {
    return t('Attention sink');
  },
  get description(): string {
    return t('A token sees the first s tokens and a window of r tokens that ends at itself.');
  },
  parameters: [
    windowParameter,
    {
      name: 'sinks',
      get title(): string {
        return t('Sinks s');
      },
      get description(): string {
        return t('Tokens at the start that every token sees.');
      },
      minimum: 0,
      maximum: 100_000_000,
      default: 4,
    },
  ],
  looksAhead: () => false,
  sampled: false,
  complaint: ({ sinks, window }) =>
    sinks > window ? `${sinks} sinks are more than the window of ${window}; choose ${window} or fewer` : undefined,
  mask: ({ window, sinks }, tokens) => ({
    allows: (query, key) => key <= query && (key < sinks || key > query - window),
    visible: (query) => {
      const start = Math.max(0, query - window + 1);
      return { prefixEnd: Math.min(sinks, start), start, end: query + 1 };
    },
    visiblePairs: () => windowPairs(tokens, window) + sinkPairs(tokens, window, sinks),
  }),
};

/** Pairs of a query with a sink that its window no longer reaches: sum over queries of min(sinks, query - window + 1). */
function sinkPairs(tokens: number, window: number, sinks: number): number {
  const beyond = Math.max(0, tokens - window);
  const ramp = Math.min(beyond, sinks);
  return (ramp * (ramp + 1)) / 2 + Math.max(0, beyond - ramp) * sinks;
}
