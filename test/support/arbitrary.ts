import fc from 'fast-check';
import { makeScenario, type Scenario } from '../../src/core/masks';

/** A sequence length, a block size that usually does not divide it, and any scenario: everything a plan depends on. */
export interface Setting {
  readonly tokens: number;
  readonly blockSize: number;
  readonly scenario: Scenario;
}

/** Scenarios whose parameters reach from one token to beyond the sequence. */
export const scenarios: fc.Arbitrary<Scenario> = fc.oneof(
  fc.constant<Scenario>({ kind: 'full' }),
  fc.constant<Scenario>({ kind: 'causal' }),
  fc.integer({ min: 1, max: 90 }).map((window) => makeScenario('sliding-window', { window })),
  fc
    .integer({ min: 1, max: 90 })
    .chain((window) => fc.integer({ min: 0, max: Math.min(window, 40) }).map((sinks) => makeScenario('attention-sink', { window, sinks }))),
  fc.integer({ min: 0, max: 1000 }).map((seed) => makeScenario('average-case', { seed })),
);

/** Settings small enough to check pair by pair. */
export const settings: fc.Arbitrary<Setting> = fc.record({
  tokens: fc.integer({ min: 1, max: 70 }),
  blockSize: fc.integer({ min: 2, max: 40 }),
  scenario: scenarios,
});

/** Runs of a property: seeded by fast-check, which prints seed and path to replay a failure. */
export const runs = { numRuns: 400 } as const;
