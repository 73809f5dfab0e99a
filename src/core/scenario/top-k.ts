import { causalTiles, tileBudget, type TileRule } from '../chosen/rule';
import { InputError } from '../errors';
import { text } from '../l10n';
import { causal } from './causal';
import type { NumberParameter, ScenarioDefinition, TileBound } from './definition';

/** Causal attention over the tiles that seem to have most of its mass, chosen in the run by the queries and keys of each layer. */
export interface TopKScenario {
  readonly kind: 'top-k';
  /** Per cent of causal attention's tiles that a layer reads. */
  readonly share: number;
  /** Queries of each block from which masses are estimated. */
  readonly queries: number;
}

/** The budget, which `adaptive` has too. */
export const shareParameter: NumberParameter<'share'> = {
  name: 'share',
  symbol: 'p',
  title: text('Share of the tiles, %'),
  description: text("Per cent of causal attention's tiles that a layer reads, shared freely among its heads."),
  minimum: 1,
  maximum: 100,
  default: 25,
  slider: { minimum: 1, maximum: 100 },
};

/** What masses are estimated from, which `adaptive` has too. */
export const queriesParameter: NumberParameter<'queries'> = {
  name: 'queries',
  symbol: 'n',
  title: text('Queries asked'),
  description: text('Queries of each block that say where its mass is; as many as a block has are the oracle, which costs what it saves.'),
  minimum: 1,
  maximum: 16_777_216,
  default: 16,
};

/** The bound of scenarios that choose tiles: the budget itself. */
export function budgetBound({ share }: Pick<TileRule, 'share'>, blocks: number): TileBound {
  return {
    theorem: 'Theorem 3.4, chosen tiles',
    formula: `max(T, ceil(${share}/100 * T(T + 1)/2))`,
    tiles: Math.min(causalTiles(blocks), tileBudget({ share }, blocks)),
  };
}

/** @throws InputError: a black box is arranged before its run */
export function refuseArrangement(kind: string): never {
  throw new InputError(
    `Scenario "${kind}" chooses its tiles in the run, and the calls of a black box are arranged before it; use construction fused.`,
  );
}

/** The choice without a sample; its mask is the causal one, whose tiles are chosen from. */
export const topK: ScenarioDefinition<TopKScenario> = {
  kind: 'top-k',
  title: text('Top tiles'),
  description: text('Causal attention over the tiles with most of its mass, chosen in the run by queries and keys.'),
  parameters: [shareParameter, queriesParameter],
  mark: { colour: 'blue', shape: 'down' },
  mask: (_scenario, tokens, budget) => causal.mask({ kind: 'causal' }, tokens, budget),
  looksAhead: () => false,
  choosesTiles: ({ share, queries }) => ({ share, queries, sample: 0, seed: 0 }),
  sameAs: ({ share }) => (share === 100 ? 'causal' : undefined),
  bound: (scenario, _blockSize, blocks) => budgetBound(scenario, blocks),
  arrangement: () => refuseArrangement('top-k'),
};
