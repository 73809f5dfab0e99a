import { t } from '../l10n';
import { fullMask } from './full';
import type { MaskDefinition } from './mask';

/** Theorem 4.1: as full, estimated from one random block of keys per query block. */
export interface AverageCaseScenario {
  readonly kind: 'average-case';
  /** Seed of the permutation tau of the keys. */
  readonly seed: number;
}

/** The sampled scenario; the mask is the full one, because that is what the estimate is of. */
export const averageCase: MaskDefinition<AverageCaseScenario> = {
  kind: 'average-case',
  get title(): string {
    return t('Average case');
  },
  get description(): string {
    return t('Full attention estimated from one random block of keys per query block.');
  },
  parameters: [
    {
      name: 'seed',
      get title(): string {
        return t('Seed');
      },
      get description(): string {
        return t('Seed of the random permutation of the keys.');
      },
      minimum: 0,
      maximum: 4_294_967_295,
      default: 1,
    },
  ],
  looksAhead: () => true,
  sampled: true,
  mask: (_scenario, tokens) => fullMask(tokens),
};
