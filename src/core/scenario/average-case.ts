import { sampledBlocks } from '../construct/tiles';
import { text } from '../l10n';
import type { NumberParameter, ScenarioDefinition } from './definition';
import { fullMask } from './full';

/** Theorem 4.1: full attention, estimated from one random block of keys per query block. */
export interface AverageCaseScenario {
  readonly kind: 'average-case';
  /** Seed of the permutation tau of the keys. */
  readonly seed: number;
}

/** The seed of what is drawn at random, which `adaptive` has too. */
export const seedParameter: NumberParameter<'seed'> = {
  name: 'seed',
  symbol: 'n',
  title: text('Seed'),
  description: text('Seed of the random sample of keys.'),
  minimum: 0,
  maximum: 4_294_967_295,
  default: 1,
};

/** The sampled scenario; its mask is the full one, because that is what is estimated. */
export const averageCase: ScenarioDefinition<AverageCaseScenario> = {
  kind: 'average-case',
  title: text('Average case'),
  description: text('Full attention estimated from one random block of keys per query block.'),
  parameters: [seedParameter],
  mark: { colour: 'yellow', shape: 'star' },
  mask: (_scenario, tokens) => fullMask(tokens),
  looksAhead: () => true,
  sampleSeed: ({ seed }) => seed,
  bound: (_scenario, _blockSize, blocks) => ({ theorem: 'Theorem 4.1', formula: 'T', tiles: blocks }),
  arrangement: ({ seed }, request) => sampledBlocks(request, seed),
};
