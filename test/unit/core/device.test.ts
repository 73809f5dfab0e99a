import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitRates } from '../../../src/core/math/least-squares';
import { automaticBlock, defaultOptions } from '../../../src/core/options/table';
import { dispatchesOf } from '../../../src/core/plan/dispatches';
import { makePlan } from '../../../src/core/plan/plan';
import { breakEvenText } from '../../../src/core/hints/expected';
import { type Calibration, interpolate, linearBetween } from '../../../src/core/predict/calibration';
import { settledPlan, settleRequest } from '../../../src/core/predict/fastest';
import { countDispatches, predict, tileRate } from '../../../src/core/predict/predict';
import { breakEven, devicePrediction, withBreakEven } from '../../../src/core/predict/prediction';
import { settings } from '../../support/arbitrary';
import { fit, madeUpCalibration } from '../../support/calibration';
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
        fitRates(rows, times).rates.forEach((found, index) => expect(found).toBeCloseTo(x[index], 6));
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
      ).rates[1],
    ).toBe(0);
    expect(
      fitRates(
        [
          [1, 1],
          [1, 1],
        ],
        [3, 3],
      ).rates.reduce((sum, rate) => sum + rate, 0),
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
    expect(
      predict(planOf({ tokens: 400, blockSize: 64, scenario: { kind: 'causal' } }, {}, undefined, 'tight'), calibration),
    ).toBeUndefined();
  });

  it('goes by compiled layers where the device runs those', () => {
    const plan = planOf({ tokens: 400, blockSize: 64, scenario: { kind: 'causal' } });
    const calibration = madeUpCalibration({ layer: { layerMs: 2, attendNsPerFlop: 1, tokenwiseNsPerFlop: 0.5, fit } });
    const { attend, project, outputAndMlp } = plan.flopsByPhase;
    expect(predict(plan, calibration)?.wallMs).toBeCloseTo(2 * plan.model.layers + (attend + (project + outputAndMlp) / 2) / 1e6);
  });
});

describe('the break-even with dense attention', () => {
  const causal = planOf({ tokens: 1000, blockSize: 64, scenario: { kind: 'causal' } });
  const { dense } = madeUpCalibration();
  const scaled = (factor: number): Calibration =>
    madeUpCalibration({ dense: dense.map((rate) => ({ ...rate, nsPerPair: factor * rate.nsPerPair })) });

  it('is where the simulation begins to win over the fastest operator, or nowhere', () => {
    const found = breakEven(causal, scaled(3));
    expect(found?.operator).toBe('GroupQueryAttention');
    expect(found?.fromTokens).toBeLessThanOrEqual(8192);
    expect(breakEvenText(found ?? never())).toMatch(/ by GroupQueryAttention, the fastest dense operator; faster from [\d,]+ tokens on$/);
    const dear = breakEven(causal, scaled(1e-6));
    expect(dear?.fromTokens).toBeUndefined();
    expect(breakEvenText(dear ?? never())).toMatch(/; no break-even up to 8,192 tokens, as far as it was measured$/);
  });

  it('is said to be extrapolated beyond what was measured', () => {
    // Each simulated token takes as long as 20 dense ones: a window wins, but not before the longest measured length.
    const window = planOf({ tokens: 1000, blockSize: 64, scenario: { kind: 'sliding-window', window: 64 } });
    const factors = Array.from({ length: 40 }, (_, index) => 1.5 ** (10 - index));
    const found = factors.map((factor) => breakEven(window, scaled(factor))).find((each) => (each?.fromTokens ?? 0) > 8192);
    expect(breakEvenText(found ?? never())).toMatch(
      /no break-even up to 8,192 tokens, as far as it was measured; extrapolated, faster from (16,384|32,768|65,536) on$/,
    );
  });

  it('goes by the attention of the prediction, of the same load, and says how far both are off', () => {
    const calibration = madeUpCalibration({
      threads: 2,
      now: { cores: 2, others: 1 },
      pass: { ...madeUpCalibration().pass, attendFactor: 2 },
    });
    for (const tokens of [1000, 20_000]) {
      const plan = planOf({ tokens, blockSize: 64, scenario: { kind: 'causal' } });
      const prediction = withBreakEven(devicePrediction(plan, calibration, { peak: 0 }), plan, calibration) ?? never();
      expect(prediction.breakEven?.attentionMs).toBe(prediction.phases.gather + prediction.phases.attend);
      // What slows the simulation slows the operator too.
      expect(prediction.breakEven?.denseMs).toBeCloseTo(2 * (breakEven(plan, { ...calibration, now: undefined })?.denseMs ?? NaN));
      expect(breakEvenText(prediction.breakEven ?? never())).toMatch(/^[^(]+ \([^)]+ to [^)]+\) against [^(]+ \(residual 5%\) by /);
    }
  });

  it('is not known where the times of the operator or of whole passes differ too much', () => {
    const poor = { samples: 6, unknowns: 3, error: 1.01 };
    for (const calibration of [
      madeUpCalibration({ dense: dense.map((rate) => ({ ...rate, fit: poor })) }),
      madeUpCalibration({ pass: { ...madeUpCalibration().pass, fit: poor } }),
    ]) {
      const found = breakEven(causal, calibration) ?? never();
      expect(found).toMatchObject({ known: false, fromTokens: undefined });
      expect(breakEvenText(found)).toMatch(/; which of the two is faster is not known: calibrate again when the machine is quiet$/);
    }
  });

  it('leaves out an operator that masks causally, where queries look ahead', () => {
    const full = planOf({ tokens: 1000, blockSize: 64, scenario: { kind: 'full' } });
    expect(breakEven(full, madeUpCalibration())?.operator).toBe('MultiHeadAttention');
    expect(breakEven(full, madeUpCalibration({ dense: [] }))).toBeUndefined();
  });

  it('comes earlier for a window than for all keys', () => {
    const from = (scenario: Parameters<typeof planOf>[0]['scenario']): number =>
      breakEven(planOf({ tokens: 1000, blockSize: 64, scenario }), madeUpCalibration())?.fromTokens ?? Infinity;
    expect(from({ kind: 'sliding-window', window: 64 })).toBeLessThanOrEqual(from({ kind: 'full' }));
  });
});

function never(): never {
  throw new Error('nothing was found');
}

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
