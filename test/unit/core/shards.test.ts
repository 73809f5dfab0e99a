import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LayerScenario, makeChoice, makeScenario, maskOf, reachesOf, type Scenario } from '../../../src/core/scenario/scenario';
import { cutPrompt, haloOf, lengthOf, ownRows, positionOf, readsOf, tokensIn } from '../../../src/core/shards/cut';
import { wrongHalo } from '../../../src/core/shards/halo';
import { runs } from '../../support/arbitrary';

const localScenarios = fc.oneof(
  fc.integer({ min: 1, max: 12 }).map((window) => makeScenario('sliding-window', { window })),
  fc
    .integer({ min: 1, max: 12 })
    .chain((window) => fc.integer({ min: 0, max: 3 * window }).map((sinks) => makeScenario('attention-sink', { window, sinks }))),
  fc.integer({ min: 1, max: 9 }).map((window) => makeScenario('local-window', { window })),
);

/** A local mask for each of 1 to 4 layers. */
const settings = fc.record({
  cycle: fc.array(localScenarios, { minLength: 1, maxLength: 4 }),
  tokens: fc.integer({ min: 1, max: 80 }),
  parts: fc.integer({ min: 1, max: 9 }),
});

/** Tokens that a row of the last layer depends on, pair by pair from the masks' predicates. */
function coneOf(row: number, layers: readonly Scenario[], tokens: number): ReadonlySet<number> {
  let cone = new Set([row]);
  for (const scenario of [...layers].reverse()) {
    const mask = maskOf(scenario, tokens);
    cone = new Set(Array.from({ length: tokens }, (_, key) => key).filter((key) => [...cone].some((query) => mask.allows(query, key))));
  }
  return cone;
}

describe('shards of a prompt', () => {
  it('hold every row once, and all tokens that it depends on', () => {
    fc.assert(
      fc.property(settings, ({ cycle, tokens, parts }) => {
        const reaches = cycle.flatMap((scenario) => reachesOf(scenario, 1));
        fc.pre(parts === 1 || (parts <= tokens && haloOf(reaches) < tokens));
        const shards = cutPrompt(tokens, parts, reaches);
        expect(shards.flatMap(({ rows }) => Array.from({ length: rows.to - rows.from }, (_, index) => rows.from + index))).toEqual(
          Array.from({ length: tokens }, (_, row) => row),
        );
        for (const { rows, reads } of shards) {
          const layers = cycle as readonly LayerScenario[];
          expect(wrongHalo({ rows, reads }, layers, tokens, parts)).toBeUndefined();
          // One token less on either side, where the halo is what rows before or after the shard's are read for.
          const last = reads[reads.length - 1];
          for (const [from, to] of [
            [last.from + 1, last.to],
            [last.from, last.to - 1],
          ]) {
            const isHalo = from > last.from ? last.from > 0 && last.from < rows.from : last.to > rows.to;
            const short = { rows, reads: [...reads.slice(0, -1), { from, to }] };
            expect(isHalo && wrongHalo(short, layers, tokens, parts) === undefined).toBe(false);
          }
          for (let row = rows.from; row < rows.to; row += 1) {
            for (const token of coneOf(row, cycle, tokens)) {
              expect(reads.some(({ from, to }) => token >= from && token < to)).toBe(true);
            }
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  // The stronger statement: what is run is the same scenario over the tokens read, as one sequence.
  it('see, layer by layer, the same tokens as in the whole prompt', () => {
    fc.assert(
      fc.property(settings, ({ cycle, tokens, parts }) => {
        const reaches = cycle.flatMap((scenario) => reachesOf(scenario, 1));
        fc.pre(parts === 1 || (parts <= tokens && haloOf(reaches) < tokens));
        for (const shard of cutPrompt(tokens, parts, reaches)) {
          const length = lengthOf(shard.reads);
          const own = ownRows(shard);
          for (let row = own.from; row < own.to; row += 1) {
            const position = positionOf({ ranges: shard.reads }, row);
            // The tree of paths down through the layers, as positions in the prompt.
            let local = new Set([row]);
            let whole = new Set([position]);
            for (const scenario of [...cycle].reverse()) {
              const [mask, wholeMask] = [maskOf(scenario, length), maskOf(scenario, tokens)];
              for (const query of local) {
                const seen = Array.from({ length }, (_, key) => key).filter((key) => mask.allows(query, key));
                const at = positionOf({ ranges: shard.reads }, query);
                const expected = Array.from({ length: tokens }, (_, key) => key).filter((key) => wholeMask.allows(at, key));
                expect(seen.map((key) => positionOf({ ranges: shard.reads }, key))).toEqual(expected);
              }
              local = new Set(Array.from({ length }, (_, key) => key).filter((key) => [...local].some((query) => mask.allows(query, key))));
              whole = new Set(
                Array.from({ length: tokens }, (_, key) => key).filter((key) => [...whole].some((query) => wholeMask.allows(query, key))),
              );
            }
            expect([...local].map((each) => positionOf({ ranges: shard.reads }, each))).toEqual([...whole]);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('read no token that none of their rows depends on', () => {
    fc.assert(
      fc.property(settings, ({ cycle, tokens }) => {
        const rows = { from: Math.floor(tokens / 3), to: Math.floor(tokens / 3) + 1 };
        const reads = readsOf(
          rows,
          cycle.flatMap((scenario) => reachesOf(scenario, 1)),
          tokens,
        );
        const cone = coneOf(rows.from, cycle, tokens);
        expect(lengthOf(reads)).toBe(cone.size);
      }),
      runs,
    );
  });

  it('read what the arithmetic says of 8B', () => {
    const reaches = reachesOf(makeScenario('attention-sink', { window: 512, sinks: 4 }), 32);
    expect(haloOf(reaches)).toBe(16_352);
    const [first, second] = cutPrompt(1_048_576, 4, reaches);
    expect(first.reads).toEqual([{ from: 0, to: 262_144 }]);
    expect(second.reads).toEqual([
      { from: 0, to: 4 },
      { from: 262_144 - 16_352, to: 524_288 },
    ]);
    expect(
      tokensIn(Int32Array.of(7, 8, 9, 10, 11), [
        { from: 0, to: 1 },
        { from: 3, to: 5 },
      ]),
    ).toEqual(Int32Array.of(7, 10, 11));
  });

  it.each([
    [
      'causal',
      /Under causal a token can depend on the whole prompt, .*use sliding-window, attention-sink, local-window or a cycle of them\./,
    ],
    ['full', /Under full/],
    ['custom:k <= q and q - k < 4', /Under custom\(k <= q and q - k < 4\)/],
    ['average-case', /Under average-case/],
    ['sliding-window:4,causal', /Under causal/],
  ])('refuse %s by name', (cycle, message) => {
    expect(() => reachesOf(makeChoice('per-layer', { cycle }) as Scenario, 2)).toThrow(message);
  });

  it('refuse a halo that is as long as the prompt, and shards without rows', () => {
    const reaches = reachesOf(makeScenario('sliding-window', { window: 11 }), 6);
    expect(() => cutPrompt(60, 2, reaches)).toThrow(
      /a token depends on 60 tokens around it, and the prompt has 60: .*; run it whole, or use windows over which a token sees 9 others at most\.$/,
    );
    // Which is a window of 10, and what is named works.
    expect(cutPrompt(60, 2, reachesOf(makeScenario('sliding-window', { window: 10 }), 6))).toHaveLength(2);
    expect(() => cutPrompt(5, 2, reaches)).toThrow(/; run it whole\.$/);
    expect(cutPrompt(61, 2, reaches)).toHaveLength(2);
    expect(cutPrompt(60, 1, reaches)).toEqual([{ rows: { from: 0, to: 60 }, reads: [{ from: 0, to: 60 }] }]);
    expect(() => cutPrompt(3, 4, [])).toThrow(/4 shards of a prompt of 3 tokens are not possible; use from 1 to 3\./);
  });
});
