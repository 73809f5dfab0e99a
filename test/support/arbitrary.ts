import fc from 'fast-check';
import { makeScenario, type LayerScenario } from '../../src/core/scenario/scenario';

/** A sequence length, a block size that usually does not divide it, and any scenario: everything a plan depends on. */
export interface Setting {
  readonly tokens: number;
  readonly blockSize: number;
  readonly scenario: LayerScenario;
}

/** Masks of every form: banded, strided, in blocks, scattered, to both sides. */
const expressions = [
  'k <= q',
  'k <= q and (q - k < 7 or k % 5 == 0)',
  'q // 9 == k // 9',
  'abs(q - k) % 4 == 0',
  'k == q or (q * k) % 7 == 3',
  'k <= q and (k < 3 or q - k < 12)',
  'max(q, k) < n // 2 or abs(q - k) <= 2',
] as const;

/** Scenarios whose parameters reach from one token to beyond the sequence. */
export const scenarios: fc.Arbitrary<LayerScenario> = fc.oneof(
  fc.constant<LayerScenario>({ kind: 'full' }),
  fc.constant<LayerScenario>({ kind: 'causal' }),
  fc.integer({ min: 1, max: 90 }).map((window) => makeScenario('sliding-window', { window })),
  fc
    .integer({ min: 1, max: 90 })
    .chain((window) => fc.integer({ min: 0, max: Math.min(window, 40) }).map((sinks) => makeScenario('attention-sink', { window, sinks }))),
  fc.integer({ min: 1, max: 90 }).map((window) => makeScenario('local-window', { window })),
  fc.integer({ min: 0, max: 1000 }).map((seed) => makeScenario('average-case', { seed })),
  fc.constantFrom(...expressions).map((expression) => makeScenario('custom', { expression })),
);

/** Settings small enough to check pair by pair. */
export const settings: fc.Arbitrary<Setting> = fc.record({
  tokens: fc.integer({ min: 1, max: 70 }),
  blockSize: fc.integer({ min: 2, max: 40 }),
  scenario: scenarios,
});

/** A setting of a black-box construction. */
export interface BlackBoxSetting extends Setting {
  /** Whether the oracle masks causally by itself. */
  readonly causal: boolean;
}

const shapes = fc.record({ tokens: fc.integer({ min: 1, max: 60 }), blockSize: fc.integer({ min: 2, max: 40 }), causal: fc.boolean() });

/** Settings that `paper` has an arrangement for, small enough to check pair by pair: the window is below M, or covers the sequence. */
const paperSettings: fc.Arbitrary<BlackBoxSetting> = shapes.chain((shape) => {
  const window = fc.integer({ min: 1, max: shape.blockSize - 1 });
  const scenario = fc.oneof(
    fc.constant<LayerScenario>({ kind: 'full' }),
    fc.constant<LayerScenario>({ kind: 'causal' }),
    fc.integer({ min: 0, max: 1000 }).map((seed) => makeScenario('average-case', { seed })),
    window.map((size) => makeScenario('sliding-window', { window: size })),
    fc
      .record({ size: window, sinks: fc.integer({ min: 0, max: 8 }) })
      .map(({ size, sinks }) => makeScenario('attention-sink', { window: size, sinks: Math.min(size, sinks) })),
  );
  return scenario.map((chosen) => ({ ...shape, scenario: chosen }));
});

/** Settings of the black-box constructions: `tight` has an arrangement for every scenario. */
export const blackBoxSettings: Readonly<Record<'tight' | 'paper', fc.Arbitrary<BlackBoxSetting>>> = {
  tight: fc.oneof(
    paperSettings,
    fc.record({ shape: shapes, scenario: scenarios }).map(({ shape, scenario }) => ({ ...shape, scenario })),
    // More sinks than the window has keys, and more than a call has room for.
    fc
      .record({ shape: shapes, window: fc.integer({ min: 1, max: 20 }), sinks: fc.integer({ min: 0, max: 40 }) })
      .map(({ shape, window, sinks }) => ({ ...shape, scenario: makeScenario('attention-sink', { window, sinks }) })),
  ),
  paper: paperSettings,
};

/** Runs of a property: seeded by fast-check, which prints seed and path to replay a failure. */
export const runs = { numRuns: 400 } as const;
