import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitRates } from '../../../src/core/math/least-squares';
import { automaticBlock, defaultOptions } from '../../../src/core/options/table';
import { dispatchesOf } from '../../../src/core/plan/dispatches';
import { makePlan } from '../../../src/core/plan/plan';
import { interpolate, linearBetween } from '../../../src/core/predict/calibration';
import { settledPlan, settleRequest } from '../../../src/core/predict/fastest';
import { countDispatches, predict, tileRate } from '../../../src/core/predict/predict';
import { breakEven } from '../../../src/core/predict/prediction';
import { settings } from '../../support/arbitrary';
import { madeUpCalibration } from '../../support/calibration';
import { planOf } from '../../support/shapes';

describe('fitting rates', () => {
  it('finds the rates that made the times', () => {
    const rates = fc.array(fc.double({ min: 0.01, max: 10, noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(rates, (x) => {
        const rows = [
          [1, 2, 0],
          [4, 1, 1],
          [0, 3, 5],
          [2, 2, 9],
          [7, 1, 0],
        ];
        const times = rows.map((row) => row.reduce((sum, entry, index) => sum + entry * x[index], 0));
        fitRates(rows, times).forEach((found, index) => expect(found).toBeCloseTo(x[index], 6));
      }),
    );
  });

  it('gives no rate below 0, whatever the times', () => {
    expect(
      fitRates(
        [
          [1, 1],
          [1, 2],
        ],
        [3, 1],
      )[1],
    ).toBe(0);
    expect(
      fitRates(
        [
          [1, 1],
          [1, 1],
        ],
        [3, 3],
      ).reduce((sum, rate) => sum + rate, 0),
    ).toBeCloseTo(3);
  });
});

describe('rates between measured ones', () => {
  it('lie between them, and stay as they are beyond', () => {
    const points = [
      [16, 1],
      [64, 3],
    ] as const;
    expect([8, 16, 32, 64, 500].map((at) => interpolate(points, at))).toEqual([1, 1, 2, 3, 3]);
    expect([28, 16, 40, 64, 112].map((at) => linearBetween(points, at))).toEqual([1.5, 1, 2, 3, 5]);
  });

  it('are those of a tile where every pair costs the same', () => {
    const { openMs, firstMs, maskedMs, runMs } = tileRate(madeUpCalibration(), 100, 64);
    expect(openMs).toBeCloseTo((100 * 100 * 64) / 1e6);
    expect(firstMs).toBeCloseTo(2 * openMs);
    expect(maskedMs).toBeCloseTo(1.5 * openMs);
    expect(runMs).toBeCloseTo(0.01);
  });
});

describe('a prediction', () => {
  it('counts every tile of the plan once', () => {
    fc.assert(
      fc.property(settings, fc.constantFrom(1, 5, 100), (setting, limit) => {
        const plan = planOf(setting);
        const { runs, first, open, masked } = countDispatches(dispatchesOf(plan, () => 0, limit));
        expect(first + open + masked).toBe(plan.tiles);
        expect(first).toBe(plan.blocks);
        expect(runs).toBeGreaterThan(0);
      }),
    );
  });

  it('is the sum of its phases, grows with the prompt, and is none for a black box', () => {
    const calibration = madeUpCalibration();
    const [short, long] = [400, 4000].map((tokens) =>
      predict(planOf({ tokens, blockSize: 64, scenario: { kind: 'causal' } }), calibration),
    );
    expect(short?.wallMs).toBeCloseTo(Object.values(short?.phases ?? {}).reduce((sum, time) => sum + time, 0));
    expect(long?.wallMs).toBeGreaterThan(20 * ((short?.wallMs ?? Infinity) - 5));
    expect(long?.peakBytes).toBeGreaterThan(short?.peakBytes ?? Infinity);
    expect(
      predict(planOf({ tokens: 400, blockSize: 64, scenario: { kind: 'causal' } }, {}, undefined, 'tight'), calibration),
    ).toBeUndefined();
  });

  it('goes by compiled layers where the device runs those', () => {
    const plan = planOf({ tokens: 400, blockSize: 64, scenario: { kind: 'causal' } });
    const calibration = madeUpCalibration({ layer: { layerMs: 2, attendNsPerFlop: 1, tokenwiseNsPerFlop: 0.5 } });
    const { attend, project, outputAndMlp } = plan.flopsByPhase;
    expect(predict(plan, calibration)?.wallMs).toBeCloseTo(2 * plan.model.layers + (attend + (project + outputAndMlp) / 2) / 1e6);
  });
});

describe('the break-even with dense attention', () => {
  it('is where the simulation begins to win, or nowhere', () => {
    const causal = planOf({ tokens: 1000, blockSize: 64, scenario: { kind: 'causal' } });
    const found = breakEven(causal, madeUpCalibration());
    expect(found?.fromTokens).toBeGreaterThan(0);
    const dear = madeUpCalibration({ dense: [{ headWidth: 6, nsPerPair: 1e-6 }] });
    expect(breakEven(causal, dear)?.fromTokens).toBeUndefined();
  });

  it('comes earlier for a window than for all keys', () => {
    const from = (scenario: Parameters<typeof planOf>[0]['scenario']): number =>
      breakEven(planOf({ tokens: 1000, blockSize: 64, scenario }), madeUpCalibration())?.fromTokens ?? Infinity;
    expect(from({ kind: 'sliding-window', window: 64 })).toBeLessThanOrEqual(from({ kind: 'full' }));
  });
});

describe('the fastest block', () => {
  it('is the one that is predicted to be fastest', () => {
    const calibration = madeUpCalibration();
    const scenario = { kind: 'sliding-window', window: 100 } as const;
    const { model } = planOf({ tokens: 3000, blockSize: 32, scenario });
    const { request } = settleRequest(3000, model, { ...defaultOptions, scenario, blockSize: automaticBlock }, [calibration]);
    const time = (inputLength: number): number =>
      predict(makePlan({ ...request, oracle: { ...request.oracle, inputLength } }), calibration)?.wallMs ?? Infinity;
    for (const inputLength of [32, 64, 128, 256, 512, 1024]) {
      expect(time(request.oracle.inputLength)).toBeLessThanOrEqual(time(inputLength));
    }
  });

  it('says where an automatic block size is only the default', () => {
    const { model } = planOf({ tokens: 3000, blockSize: 32, scenario: { kind: 'causal' } });
    const notesOf = (options: object, candidates = [madeUpCalibration()]): readonly string[] =>
      settledPlan(3000, model, { ...defaultOptions, blockSize: automaticBlock, ...options }, candidates).plan.notes;
    expect(notesOf({})).toEqual([]);
    expect(notesOf({ blockSize: 256 }, [])).toEqual([]);
    expect(notesOf({}, [])).toEqual([
      'Block size auto is the default, 256: no device is calibrated, so that no other is known to be faster.',
    ]);
    expect(notesOf({ construction: 'paper' })).toEqual(['Block size auto is the default, 256: times are not predicted under paper.']);
  });
});
