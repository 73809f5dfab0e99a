import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CancelledError, InputError } from '../../../src/core/errors';
import {
  defaultLedgerOptions,
  type LedgerOptions,
  type LedgerReport,
  type LedgerRow,
  ledgerVerdict,
} from '../../../src/core/ledger/report';
import type { Progress } from '../../../src/core/report/phases';
import type { Verdict } from '../../../src/core/report/verdict';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { runLedger } from '../../../src/engine/tasks/ledger/ledger';
import { withFaultyBox } from '../../support/faulty-box';
import { keptAgain } from '../../support/records';
import { ledgerRow, ledgerStatements, planStatement } from '../../../src/engine/tasks/ledger/row';

const small: LedgerOptions = {
  ...defaultLedgerOptions,
  tokens: 150,
  blockSize: 33,
  window: 9,
  sinks: 3,
  heads: 3,
  oracleHeads: 1,
  seeds: 1,
};

function ledger(
  options: LedgerOptions,
  onProgress: (progress: Progress) => void = () => undefined,
  signal = new AbortController().signal,
): Promise<LedgerReport> {
  return runLedger(options, { signal, onProgress });
}

describe('the ledger', () => {
  it('counts what the formulas say, between the bounds, and keeps every stated error', async () => {
    const fractions: number[] = [];
    const report = await ledger(small, ({ fraction }) => fractions.push(fraction));
    const { rows } = report;
    expect((await keptAgain({ kind: 'ledger', origin: null, report })).report).toEqual(report);
    // Progress never falls, and ends at 1.
    expect(fractions.length).toBeGreaterThan(13);
    expect(fractions.every((fraction, index) => index === 0 || fraction >= fractions[index - 1])).toBe(true);
    expect(fractions.at(-1)).toBe(1);
    expect(rows.map(({ statement, construction }) => `${statement}/${construction}`)).toEqual([
      'Lemma 3.1/tight',
      'Lemma 3.1/paper',
      'Lemma 3.3/tight',
      'Lemma 3.3/paper',
      'Theorem 3.4/tight',
      'Theorem 3.4/paper',
      'Theorem 3.4, causal tiles/tight',
      'Theorem 3.4, causal tiles/paper',
      'Theorem 3.5/tight',
      'Theorem 3.5/paper',
      'Theorem 5.1 by bands (extension)/tight',
      'Theorem 5.1/paper',
      'Theorem 5.1 by bands, attention sinks (extension)/tight',
      'Theorem 5.1, attention sinks/paper',
      'Theorem 4.1/tight',
      'Theorem 4.1/paper',
      'Any mask by covers (extension)/tight',
      'Any mask by covers (extension)/tight',
      'Both sides by bands (extension)/tight',
      'Theorem 4.2/tight',
    ]);
    for (const row of rows) {
      expect(row.countedCalls).toBe(row.exact.calls);
      expect(row.countedCalls).toBeLessThanOrEqual(row.bound.calls);
      expect(row.countedCalls).toBeGreaterThanOrEqual(row.lowerBound);
      expect(row.rounds).toBe(row.layers);
      expect(row.callsPerBlock).toBe((row.countedCalls * row.oracle.inputLength) / row.tokens);
      const kept = row.construction === 'tight' && row.scenario.kind !== 'average-case' ? 'exact' : 'within';
      // What a stated error of 1 or more promises, nothing can miss.
      expect(row.verdict).toBe(row.stated.error < 1 ? kept : 'vacuous');
    }
    const errorOf = (index: number): number => rows[index].outputError;
    for (let index = 0; index < 14; index += 2) {
      expect(errorOf(index)).toBeLessThan(1e-5);
    }
    // The lemmas read one tile, whose mean needs no normaliser.
    for (let index = 4; index < 14; index += 2) {
      // What the literal formula and the subtraction lose shows at any scale of the scores.
      expect(errorOf(index + 1)).toBeGreaterThan(10 * errorOf(index));
    }
  });

  it('holds for any N, M, r, s, L, H and any shape of the oracle', async () => {
    const options = fc
      .record({
        tokens: fc.integer({ min: 1, max: 40 }),
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
          expect(row.countedCalls).toBeLessThanOrEqual(row.bound.calls);
          expect(row.countedCalls).toBeGreaterThanOrEqual(row.lowerBound);
          expect(row.verdict).not.toBe('failed');
        }
      }),
      { numRuns: 3 },
    );
  });

  it('stays exact, with retries counted apart, where scores are so large that the literal formula is lost', async () => {
    const rows = (await ledger({ ...small, scoreScale: 40 })).rows.filter(
      ({ construction, scenario }) => construction === 'tight' && scenario.kind !== 'average-case',
    );
    for (const row of rows) {
      expect(row.verdict).toBe('exact');
      expect(row.countedCalls).toBe(row.exact.calls);
    }
    const retried = rows.filter(({ retries }) => retries > 0);
    expect(retried.length).toBeGreaterThan(0);
    expect(retried.every(({ rounds, layers }) => rounds > layers)).toBe(true);
  });

  it('refuses what no statement can be before anything runs, and stops when it is cancelled', async () => {
    await expect(ledger({ ...small, window: 33 })).rejects.toThrow(InputError);
    await expect(ledger({ ...small, sinks: 10 })).rejects.toThrow('10 sinks are more than the window of 9');
    await expect(ledger(small, undefined, AbortSignal.abort())).rejects.toThrow(CancelledError);
  });
});

/** The table of calls in PAPER.md, written out: patterns of one head and layer that can share calls, tight and paper. */
function patternsOf({ tokens, blockSize, window, sinks }: LedgerOptions): Record<string, { tight: number[]; paper: number[] }> {
  // One of the M rows of a call is the synthetic token's.
  const T = Math.ceil(tokens / (blockSize - 1));
  const both = (...patterns: number[]): { tight: number[]; paper: number[] } => ({ tight: patterns, paper: patterns });
  const room = blockSize - 1;
  const windows = (shared: number, sums: number): { tight: number[]; paper: number[] } => {
    const segment = room - shared;
    const segments = Math.ceil((tokens - shared) / segment);
    const pasts = Math.min(Math.floor(room / (window - 1)), Math.max(1, segments - 1));
    const pastCalls = Math.ceil((segments - 1) / pasts);
    // Rows of the last calls: where both fit into one, it is one.
    const rows = (segments - 1 - (pastCalls - 1) * pasts) * (window - 1) + tokens - (segments - 1) * segment;
    return {
      tight: [segments + pastCalls - (segments > 1 && rows <= room ? 1 : 0)],
      paper: [sums * Math.ceil(tokens / (blockSize - window))],
    };
  };
  return {
    'Lemma 3.1': both(1),
    'Lemma 3.3': both(1),
    'Theorem 3.4': both(T * T),
    // A call masks or does not: tiles on the diagonal share no call with those below it.
    'Theorem 3.4, causal tiles': both(T, (T * (T - 1)) / 2),
    'Theorem 3.5': both(T + 2 * ((T * (T - 1)) / 2)),
    'Theorem 5.1': windows(0, 2),
    'Theorem 5.1, attention sinks': windows(sinks, 4),
    'Theorem 5.1 by bands (extension)': windows(0, 2),
    'Theorem 5.1 by bands, attention sinks (extension)': windows(sinks, 4),
    'Theorem 4.1': both(T),
  };
}

describe('the calls of a ledger', () => {
  it('are those of the paper, counted by hand: 1 reading of a pattern when tight and 2 in the proofs, packed as in lemma 3.3', async () => {
    const device = await openDevice('cpu', 1);
    const options = fc
      .record({
        blockSize: fc.integer({ min: 4, max: 30 }),
        layers: fc.integer({ min: 1, max: 2 }),
        heads: fc.integer({ min: 1, max: 3 }),
        oracleLayers: fc.integer({ min: 1, max: 3 }),
        oracleHeads: fc.integer({ min: 1, max: 3 }),
      })
      // Windows of 2 and more that leave room for some sinks, in sequences that are longer: the table's own case.
      .chain((shape) => fc.integer({ min: 2, max: shape.blockSize - 2 }).map((window) => ({ ...shape, window })))
      .chain((shape) =>
        fc.integer({ min: 1, max: Math.min(shape.window - 1, shape.blockSize - 1 - shape.window) }).map((sinks) => ({ ...shape, sinks })),
      )
      .chain((shape) => fc.integer({ min: shape.window + 1, max: 60 }).map((tokens): LedgerOptions => ({ ...small, ...shape, tokens })));
    await fc.assert(
      fc.asyncProperty(options, async (each) => {
        const expected = patternsOf(each);
        for (const statement of ledgerStatements(each).filter((own) => !['custom', 'local-window'].includes(own.scenario.kind))) {
          if ('window' in statement.scenario && statement.scenario.window > each.window) {
            continue;
          }
          const row = await ledgerRow(planStatement(statement, each), each, device, new AbortController().signal, () => undefined);
          const { tight, paper } = expected[row.statement];
          const packed = (statement.construction === 'tight' ? tight : paper).map((patterns) =>
            Math.ceil((row.heads * patterns) / (row.oracle.heads * row.oracle.layers)),
          );
          const readings = statement.construction === 'tight' ? 1 : 2;
          expect(row.countedCalls).toBe(readings * row.layers * packed.reduce((sum, calls) => sum + calls));
        }
      }),
      { numRuns: 10 },
    );
  });
});

describe('the report of a ledger', () => {
  it('holds finite errors within what is stated, says of theorem 4.2 that it reads no normaliser, and survives JSON', async () => {
    const report = await ledger({ ...small, seeds: 2 });
    for (const row of report.rows.filter(({ readsNormaliser }) => readsNormaliser)) {
      // A null here is an error that was not finite.
      expect(row.outputError).toBeLessThanOrEqual(row.stated.error);
      expect(row.logNormaliserError ?? Infinity).toBeLessThanOrEqual(row.stated.error);
      expect(row.retries).toBe(0);
    }
    const silent = report.rows.filter(({ readsNormaliser }) => !readsNormaliser);
    expect(silent).toMatchObject([
      { statement: 'Theorem 4.2', scenario: { kind: 'full' }, countedCalls: small.layers, logNormaliserError: null },
    ]);
    expect(silent[0].outputError).toBeLessThan(1e-5);
    expect(report.options).toEqual({ ...small, seeds: 2 });
    expect(report.sampling).toMatchObject({ seeds: 2, holds: true, within: 2 });
    expect(report.sampling.errors.maximum).toBeLessThan(report.sampling.epsilon);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('says that theorem 4.1 fails for a normaliser or outputs that are far off: its rows promise something', async () => {
    const device = await openDevice('cpu', 1);
    const options = { ...defaultLedgerOptions, tokens: 512, layers: 1, heads: 1 };
    const [tight] = ledgerStatements(options).filter(({ scenario }) => scenario.kind === 'average-case');
    const plan = planStatement(tight, options);
    const run = (): Promise<LedgerRow> => ledgerRow(plan, options, device, new AbortController().signal, () => undefined);
    expect((await run()).verdict).toBe('within');
    expect((await withFaultyBox({ scale: 2, size: 1 }, run)).verdict).toBe('failed');
    expect((await withFaultyBox({ scale: 1, size: 1.5 }, run)).verdict).toBe('failed');
  });

  it('names the log-normaliser where it alone is off', async () => {
    const device = await openDevice('cpu', 1);
    const [statement] = ledgerStatements(small);
    const exact = await ledgerRow(planStatement(statement, small), small, device, new AbortController().signal, () => undefined);
    const samplingVerdict: Verdict = { kind: 'within', bound: 0.5, measured: 0.1, reason: 'It is within.' };
    const said = (errors: Pick<LedgerRow, 'outputError' | 'logNormaliserError'>): Verdict => {
      const row: LedgerRow = { ...exact, ...errors, stated: { ...exact.stated, error: 1e-4 }, verdict: 'failed' };
      return ledgerVerdict({ rows: [exact, row], samplingVerdict });
    };
    const reason = 'Lemma 3.1 under tight has a log-normaliser that is off by 2.0e-3, and 1.0e-4 is stated.';
    expect(said({ outputError: 1e-6, logNormaliserError: 2e-3 })).toEqual({ kind: 'failed', bound: 1e-4, measured: 2e-3, reason });
    expect(said({ outputError: 1e-6, logNormaliserError: NaN }).reason).toContain('has a log-normaliser that is off by');
    expect(said({ outputError: 1e-3, logNormaliserError: 2e-3 }).reason).toContain('under tight is off by 1.0e-3, and');
    expect(said({ outputError: NaN, logNormaliserError: NaN }).reason).toContain('under tight is off by');
  });

  it('is refused by theorem 5.1 for r = M, and nothing has run by then', async () => {
    let heard = 0;
    const refused = ledger({ ...small, window: small.blockSize }, () => (heard += 1));
    await expect(refused).rejects.toThrow(
      /A window of 33 is not below the block size of 33, as the proof of theorem 5\.1 needs; use a block size of 34 or more/,
    );
    expect(heard).toBe(0);
  });

  it.each(['attend', 'verify'] as const)('is not made when it is cancelled during %s, and is not heard of again', async (phase) => {
    const controller = new AbortController();
    const after: number[] = [];
    const running = ledger(
      { ...small, seeds: 5 },
      (progress) => {
        if (controller.signal.aborted) {
          after.push(progress.fraction);
        } else if (progress.phase === phase) {
          controller.abort();
        }
      },
      controller.signal,
    );
    await expect(running).rejects.toBeInstanceOf(CancelledError);
    expect(after).toEqual([]);
  });
});
