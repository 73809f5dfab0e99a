import { text } from '../l10n';
import type { SimulationOption } from './option';

/** What theorem 4.1 is asked about, where a scenario samples. */
export const samplingOptions = {
  seeds: {
    flag: 'seeds',
    symbol: 'n',
    title: text('Seeds'),
    description: text('Samples over which `average-case` is tried; `0` tries none.'),
    value: { type: 'whole', minimum: 0, maximum: 100_000 },
    default: 10,
    group: 'engine',
    sampled: true,
    of: 'verification',
  },
  epsilon: {
    flag: 'epsilon',
    symbol: 'x',
    title: text('Epsilon'),
    description: text('Relative error that theorem 4.1 is asked to guarantee, under `average-case`.'),
    value: { type: 'number', maximum: 1 },
    default: 0.5,
    group: 'engine',
    sampled: true,
    of: 'verification',
  },
  failureProbability: {
    flag: 'failure-probability',
    symbol: 'p',
    title: text('Failure probability'),
    description: text('Probability with which theorem 4.1 may miss that error, under `average-case`.'),
    value: { type: 'number', maximum: 1 },
    default: 0.1,
    group: 'engine',
    sampled: true,
    of: 'verification',
  },
} as const satisfies Readonly<Record<string, SimulationOption>>;
