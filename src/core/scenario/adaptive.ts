import { text } from '../l10n';
import { seedParameter } from './average-case';
import { causal } from './causal';
import type { ScenarioDefinition } from './definition';
import { budgetBound, queriesParameter, refuseArrangement, shareParameter } from './top-k';

/** The tiles of `top-k` with a part of the budget for a random sample of all others, whose weights stand for what is not read. */
export interface AdaptiveScenario {
  readonly kind: 'adaptive';
  /** Per cent of causal attention's tiles that a layer reads, the sample included. */
  readonly share: number;
  /** Per cent of the tiles besides the own key blocks that are sampled. */
  readonly sample: number;
  /** Queries of each block from which masses are estimated. */
  readonly queries: number;
  /** Seed of the sample. */
  readonly seed: number;
}

/** Theorem 4.1 on the light remainder, where its assumption is less absurd. */
export const adaptive: ScenarioDefinition<AdaptiveScenario> = {
  kind: 'adaptive',
  title: text('Adaptive'),
  description: text('The tiles with most of the mass, and a random sample that stands for all others, with an estimate of its own error.'),
  parameters: [
    shareParameter,
    {
      name: 'sample',
      symbol: 'p',
      title: text('Sampled, %'),
      description: text('Per cent of the tiles besides the own key blocks that are a random sample of those not chosen.'),
      minimum: 1,
      maximum: 90,
      default: 10,
      slider: { minimum: 1, maximum: 90 },
    },
    queriesParameter,
    seedParameter,
  ],
  mark: { colour: 'red', shape: 'plus' },
  mask: (_scenario, tokens, budget) => causal.mask({ kind: 'causal' }, tokens, budget),
  looksAhead: () => false,
  choosesTiles: ({ share, sample, queries, seed }) => ({ share, sample, queries, seed }),
  sameAs: ({ share }) => (share === 100 ? 'causal' : undefined),
  bound: (scenario, _blockSize, blocks) => budgetBound(scenario, blocks),
  arrangement: () => refuseArrangement('adaptive'),
};
