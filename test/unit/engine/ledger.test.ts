import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CancelledError, InputError } from '../../../src/core/errors';
import { defaultLedgerOptions, type LedgerOptions, type LedgerReport } from '../../../src/core/report/ledger';
import type { Progress } from '../../../src/core/report/progress';
import { runLedger } from '../../../src/engine/ledger/ledger';

const small: LedgerOptions = { ...defaultLedgerOptions, tokens: 150, blockSize: 33, window: 9, sinks: 3, heads: 3, oracleHeads: 1, seeds: 1 };

function ledger(options: LedgerOptions, onProgress: (progress: Progress) => void = () => undefined, signal = new AbortController().signal): Promise<LedgerReport> {
  return runLedger(options, { signal, onProgress });
}

describe('the ledger', () => {
  it('counts what the formulas say, between the bounds, and keeps every stated error', async () => {
    const { rows } = await ledger(small);
    expect(rows.map(({ statement, construction }) => `${statement}/${construction}`)).toEqual([
      'Theorem 3.4/tight',
      'Theorem 3.4/paper',
      'Theorem 3.4, causal tiles/tight',
      'Theorem 3.4, causal tiles/paper',
      'Theorem 3.5/tight',
      'Theorem 3.5/paper',
      'Theorem 5.1/tight',
      'Theorem 5.1/paper',
      'Theorem 5.1, attention sinks/tight',
      'Theorem 5.1, attention sinks/paper',
      'Theorem 4.1/tight',
      'Theorem 4.1/paper',
      'Theorem 4.2/tight',
    ]);
    for (const row of rows) {
      expect(row.countedCalls).toBe(row.exact.calls);
      expect(row.countedCalls).toBeLessThanOrEqual(row.bound.calls);
      expect(row.countedCalls).toBeGreaterThanOrEqual(row.lowerBound);
      expect(row.rounds).toBe(small.layers);
      expect(row.verdict).toBe(row.construction === 'tight' && row.scenario.kind !== 'average-case' ? 'exact' : 'within');
    }
    const errorOf = (index: number): number => rows[index].outputError ?? Infinity;
    for (let index = 0; index < 10; index += 2) {
      expect(errorOf(index)).toBeLessThan(1e-5);
      // What the literal formula and the subtraction lose shows at any scale of the scores.
      expect(errorOf(index + 1)).toBeGreaterThan(10 * errorOf(index));
    }
  });

  it('holds for any N, M, r, s, L, H and any shape of the oracle', async () => {
    const options = fc
      .record({
        tokens: fc.integer({ min: 1, max: 60 }),
        blockSize: fc.integer({ min: 2, max: 30 }),
        layers: fc.integer({ min: 1, max: 2 }),
        heads: fc.integer({ min: 1, max: 3 }),
        oracleLayers: fc.integer({ min: 1, max: 3 }),
        oracleHeads: fc.integer({ min: 1, max: 3 }),
      })
      .chain((shape) => fc.integer({ min: 1, max: shape.blockSize - 1 }).map((window) => ({ ...shape, window })))
      .chain((shape) => fc.integer({ min: 0, max: Math.min(8, shape.window) }).map((sinks) => ({ ...small, ...shape, sinks })));
    await fc.assert(
      fc.asyncProperty(options, async (each) => {
        for (const row of (await ledger(each)).rows) {
          expect(row.countedCalls).toBe(row.exact.calls);
          expect(row.verdict).not.toBe('exceeds');
        }
      }),
      { numRuns: 12 },
    );
  }, 120_000);

  it('stays exact, with retries counted apart, where scores are so large that the literal formula is lost', async () => {
    const rows = (await ledger({ ...small, scoreScale: 40 })).rows.filter(({ construction, scenario }) => construction === 'tight' && scenario.kind !== 'average-case');
    for (const row of rows) {
      expect(row.verdict).toBe('exact');
      expect(row.countedCalls).toBe(row.exact.calls);
    }
    const retried = rows.filter(({ retries }) => retries > 0);
    expect(retried.length).toBeGreaterThan(0);
    expect(retried.every(({ rounds }) => rounds > small.layers)).toBe(true);
  });

  it('refuses what no statement can be before anything runs, and stops when it is cancelled', async () => {
    await expect(ledger({ ...small, window: 33 })).rejects.toThrow(InputError);
    await expect(ledger({ ...small, sinks: 10 })).rejects.toThrow('10 sinks are more than the window of 9');
    await expect(ledger(small, undefined, AbortSignal.abort())).rejects.toThrow(CancelledError);
  });

  it('reports progress that never falls and ends at 1', async () => {
    const fractions: number[] = [];
    await ledger(small, ({ fraction }) => fractions.push(fraction));
    expect(fractions.length).toBeGreaterThan(13);
    expect(fractions.every((fraction, index) => index === 0 || fraction >= fractions[index - 1])).toBe(true);
    expect(fractions.at(-1)).toBe(1);
  });
});
