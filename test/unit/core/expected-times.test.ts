import { describe, expect, it, onTestFinished } from 'vitest';
import german from '../../../l10n/bundle.l10n.de.json';
import { formatDuration, formatEstimate } from '../../../src/core/format';
import { calibrationNote, calibrationNotes, expectation, expectedDuration, predictionNotes } from '../../../src/core/hints/expected';
import { setTranslations } from '../../../src/core/l10n';
import { fitRates } from '../../../src/core/math/least-squares';
import { normal, uniform } from '../../../src/core/math/random';
import { fitPasses, type TimedPass } from '../../../src/core/predict/fit-passes';
import { timeInterval } from '../../../src/core/predict/interval';
import { calibrationLoad, idleLoad, loadEffect } from '../../../src/core/predict/load';
import { devicePrediction } from '../../../src/core/predict/prediction';
import { fit, madeUpCalibration } from '../../support/calibration';
import { planOf } from '../../support/shapes';

const passMs = ({ attendMs, tokenwiseMs }: Pick<TimedPass, 'attendMs' | 'tokenwiseMs'>): number => 8 + 1.1 * attendMs + 0.95 * tokenwiseMs;

/** These tests are about times. */
const noPeak = { peak: 0 };

describe('the interval of a predicted time', () => {
  it('holds about nine of ten runs, whatever single runs vary by', () => {
    for (const [spread, repeats] of [
      [0.12, 1],
      [0.12, 2],
      [0.3, 1],
    ]) {
      let inside = 0;
      const trials = 1000;
      for (let seed = 0; seed < trials; seed += 1) {
        const [next, noise] = [uniform(seed), normal(seed + 1e6)];
        const draw = (kind: number): TimedPass => {
          const parts = { attendMs: Math.exp(2 + 5 * next()), tokenwiseMs: Math.exp(2 + 5 * next()) };
          return { kind, ...parts, wallMs: passMs(parts) * Math.exp(spread * noise()) };
        };
        const pass = fitPasses(
          Array.from({ length: 14 }, (_, kind) => draw(kind)).flatMap((one) =>
            Array.from({ length: repeats }, () => ({ ...one, wallMs: passMs(one) * Math.exp(spread * noise()) })),
          ),
        );
        const unseen = draw(14);
        const expected = pass.startMs + pass.attendFactor * unseen.attendMs + pass.tokenwiseFactor * unseen.tokenwiseMs;
        const { lowMs, highMs } = timeInterval(expected, madeUpCalibration({ pass }), []);
        inside += lowMs <= unseen.wallMs && unseen.wallMs <= highMs ? 1 : 0;
      }
      expect(inside / trials).toBeGreaterThan(0.86);
      expect(inside / trials).toBeLessThan(0.975);
    }
  });

  it('is wider after a busy calibration, beyond what was measured, and on a machine that is busy now', () => {
    const plan = planOf({ tokens: 1000, blockSize: 64, scenario: { kind: 'causal' } });
    const width = (more: Parameters<typeof madeUpCalibration>[0], tokens = 1000): number => {
      const { interval } = devicePrediction({ ...plan, tokens }, madeUpCalibration(more), noPeak) ?? {};
      return (interval?.highMs ?? NaN) / (interval?.lowMs ?? NaN);
    };
    const busy = { cores: 2, others: 1 };
    const usual = width({ threads: 2 });
    expect(usual).toBeGreaterThan(1.2);
    expect(width({ threads: 2, load: { ...busy, spread: 0.1, busy: true } })).toBeGreaterThan(1.5 * usual);
    expect(width({ threads: 2, now: busy })).toBeCloseTo(2 * usual, 6);
    expect(width({ threads: 2, now: { cores: 2, others: 0.1 } })).toBeCloseTo(usual, 6);
    expect(width({ threads: 2 }, 80_000)).toBeGreaterThan(1.5 * usual);
  });

  it('ends at a factor of four either way, and says then that it is not reliable, and whose fault that is', () => {
    const { pass } = madeUpCalibration();
    const poor = madeUpCalibration({ pass: { ...pass, fit: { samples: 14, unknowns: 3, error: 1 } } });
    const interval = timeInterval(1000, poor, []);
    expect(interval.lowMs).toBeCloseTo(250);
    expect(interval.highMs).toBeCloseTo(4000);
    expect(interval.doubtful).toBe('calibration');
    expect(expectedDuration({ wallMs: 1000, interval })).toBe('1.0 s (not reliable: calibrate again)');
    const far = timeInterval(1000, madeUpCalibration(), [{ what: 'tokens', value: 2 ** 34, sampled: [256, 8192] }]);
    expect(far.doubtful).toBe('plan');
    expect(expectedDuration({ wallMs: 1000, interval: far })).toBe('1.0 s (not reliable)');
    expect(timeInterval(1000, madeUpCalibration(), [])).not.toHaveProperty('doubtful');
  });

  it('hardly widens for a few passes that were held up', () => {
    const noise = normal(7);
    const passes = Array.from({ length: 28 }, (_, index): TimedPass => {
      const parts = { attendMs: 10 * 1.4 ** (index % 14), tokenwiseMs: 500 / (1 + (index % 14)) };
      return { kind: index % 14, ...parts, wallMs: passMs(parts) * Math.exp(0.05 * noise()) };
    });
    const held = passes.map((pass, index) => (index % 9 === 4 ? { ...pass, wallMs: 20 * pass.wallMs } : pass));
    const [quiet, busy] = [fitPasses(passes), fitPasses(held)];
    expect(busy.fit.error).toBeGreaterThan(quiet.fit.error);
    expect(busy.fit.error).toBeLessThan(0.15);
    expect(busy.attendFactor / quiet.attendFactor).toBeCloseTo(1, 1);
    expect(busy.tokenwiseFactor / quiet.tokenwiseFactor).toBeCloseTo(1, 0);
  });

  it('waits for the thread that shares its core with another program', () => {
    const plan = planOf({ tokens: 1000, blockSize: 64, scenario: { kind: 'causal' } });
    const at = (now: { cores: number; others: number }): NonNullable<ReturnType<typeof devicePrediction>> =>
      devicePrediction(plan, madeUpCalibration({ threads: 2, now }), noPeak) ?? expect.fail('not predicted');
    const [quiet, busy] = [at({ cores: 2, others: 0 }), at({ cores: 2, others: 1 })];
    expect(busy.wallMs).toBeCloseTo(2 * quiet.wallMs);
    expect(at({ cores: 2, others: 0.5 }).wallMs).toBeCloseTo(1.5 * quiet.wallMs);
    // Beside two programs both threads share; beside four, each with two.
    expect(at({ cores: 2, others: 2 }).wallMs).toBeCloseTo(2 * quiet.wallMs);
    expect(at({ cores: 2, others: 4 }).wallMs).toBeCloseTo(3 * quiet.wallMs);
    expect(busy.wallMs).toBeCloseTo(Object.values(busy.phases).reduce((sum, time) => sum + time, 0));
    expect(busy.interval?.lowMs).toBeCloseTo(Math.SQRT2 * (quiet.interval?.lowMs ?? NaN));
    expect(busy.interval?.highMs).toBeCloseTo(2 ** 1.5 * (quiet.interval?.highMs ?? NaN));
    // Where there is a core for everyone, nothing is slower.
    expect(at({ cores: 8, others: 1 }).wallMs).toBe(quiet.wallMs);
  });

  it('expects less than was measured of a machine that is quiet again', () => {
    const load = { cores: 2, others: 1, spread: 0.1, busy: true };
    expect(loadEffect(madeUpCalibration({ threads: 2, load })).factor).toBeCloseTo(1 / 2);
    expect(loadEffect(madeUpCalibration({ threads: 2, load, now: load })).factor).toBe(1);
  });
});

describe('what a prediction extrapolates', () => {
  const plan = planOf({ tokens: 1000, blockSize: 64, scenario: { kind: 'causal' } });

  it('is nothing within what was measured, and else each thing with why', () => {
    expect(devicePrediction(plan, madeUpCalibration(), noPeak)?.extrapolates).toEqual([]);
    const narrow = { tokens: { from: 100, to: 500 }, rows: { from: 128, to: 256 }, width: { from: 1, to: 2 } };
    const { sampled } = madeUpCalibration();
    const beyond = devicePrediction(plan, madeUpCalibration({ sampled: { ...sampled, ...narrow } }), noPeak, {
      executor: 'compiled',
      precision: 'float16',
      activations: 'int8',
    });
    expect(beyond?.extrapolates).toEqual([
      { what: 'tokens', value: 1000, sampled: [100, 500] },
      { what: 'rows', value: 64, sampled: [128, 256] },
      { what: 'width', value: plan.model.width, sampled: [1, 2] },
      { what: 'executor', value: 'compiled', sampled: ['tiles'] },
      { what: 'precision', value: 'float16', sampled: ['float32'] },
      { what: 'activations', value: 'int8', sampled: ['float32'] },
    ]);
    expect(predictionNotes(beyond ?? expect.fail())).toEqual([
      `The expected time goes beyond what calibration measured: N = 1,000 (measured 100 to 500), M = 64 (measured 128 to 256), width ${plan.model.width} (measured 1 to 2), executor compiled (measured tiles), precision float16 (measured float32), activations int8 (measured float32).`,
    ]);
  });
});

describe('the words for expected times', () => {
  it('have two digits, and a unit once where all share it', () => {
    expect(formatEstimate(2613, { lowMs: 2240, highMs: 3380 })).toBe('2.6 s (2.2 to 3.4)');
    expect(formatEstimate(950, { lowMs: 803, highMs: 1240 })).toBe('950 ms (800 ms to 1.2 s)');
    expect(formatEstimate(9.96, { lowMs: 0.21, highMs: 47 })).toBe('10 ms (0.2 to 47)');
    expect(formatEstimate(0.0123, { lowMs: 0.0062, highMs: 0.4 })).toBe('12 µs (6.2 µs to 0.4 ms)');
    expect(formatDuration(0.0006)).toBe('0.6 µs');
    expect(formatDuration(0.04)).toBe('40 µs');
    expect(formatDuration(0)).toBe('0.0 ms');
    expect(formatEstimate(47_300)).toBe('47 s');
    expect(formatEstimate(245_000, { lowMs: 99_600, highMs: 8e6 })).toBe('4 min 10 s (1 min 40 s to 2 h 13 min)');
  });

  it('mark what is extrapolated and a busy machine, in English and in German', () => {
    const load = { cores: 2, calibration: 1.22, repeat: true, now: 0.96 };
    const extrapolates = [{ what: 'tokens', value: 131_072, sampled: [256, 8192] }] as const;
    const prediction = { wallMs: 2600, interval: { lowMs: 2200, highMs: 3400 }, peakBytes: 2 ** 28, extrapolates, load };
    expect(expectation(prediction)).toBe('about 2.6 s (2.2 to 3.4) · 256 MiB · extrapolated · machine busy');
    expect(predictionNotes(prediction)).toEqual([
      'The expected time goes beyond what calibration measured: N = 131,072 (measured 256 to 8,192).',
      'Other programs want 1 of 2 cores now: the run takes longer, and its time is less certain.',
      'This machine was calibrated while other programs wanted 1.2 of 2 cores: calibrate it again when it is quiet.',
    ]);
    // A queue that is longer than the cores are many.
    const [busy] = predictionNotes({ load: { cores: 2, calibration: 0, repeat: false, now: 8 } });
    expect(busy).toBe('Other programs keep all 2 cores busy now: the run takes longer, and its time is less certain.');
    expect(calibrationNote({ cores: 2, others: 0 })).toMatch(/^Times varied/);
    const quiet = { cores: 2, others: 0, spread: 0, busy: false };
    expect(calibrationNotes({ load: quiet })).toEqual([]);
    expect(calibrationNotes({ load: { ...quiet, busy: true }, leftOut: 3 })).toEqual([
      calibrationNote({ cores: 2, others: 0 }),
      'Time was up before all was measured: 3 measurements left out; calibrate again when the machine is quiet.',
    ]);
    setTranslations(german);
    onTestFinished(() => setTranslations(undefined));
    expect(expectation(prediction)).toBe('etwa 2.6 s (2.2 bis 3.4) · 256 MiB · extrapoliert · Rechner beschäftigt');
    expect(predictionNotes(prediction)[0]).toBe(
      'Die erwartete Zeit geht über das hinaus, was die Kalibrierung gemessen hat: N = 131,072 (gemessen 256 bis 8,192).',
    );
  });

  it('say nothing more where all is as it was measured, or a report is older', () => {
    expect(predictionNotes({ extrapolates: [], load: { cores: 2, calibration: 0, repeat: false, now: 0 } })).toEqual([]);
    expect(expectation({ wallMs: 2600, peakBytes: 2 ** 28 })).toMatch(/2\.6 s/);
    expect(predictionNotes({})).toEqual([]);
  });
});

describe('fitting rates with limits', () => {
  it('keep to limits where the unlimited fit would not', () => {
    const rows = [
      [1, 1],
      [1, 2],
      [1, 4],
    ];
    expect(fitRates(rows, [5, 5, 5]).rates).toEqual([expect.closeTo(5), 0]);
    const { rates, error } = fitRates(rows, [5, 5, 5], [0, 1]);
    expect(rates[1]).toBe(1);
    expect(error).toBeGreaterThan(0.1);
  });
});

describe('how busy a machine is', () => {
  const paces = Array.from({ length: 40 }, (_, index) => 5 + 0.05 * (index % 3));
  const time = { cores: 2, wallMs: 10_000 };

  it('is not at all where this process has the cores', () => {
    expect(calibrationLoad({ ...time, busyMs: 17_000, ownMs: 16_800 }, 2, paces)).toMatchObject({ busy: false });
    expect(calibrationLoad({ ...time, busyMs: 9000, ownMs: 9100 }, 2, [])).toEqual({ cores: 2, others: 0, spread: 0, busy: false });
  });

  it('is what others wanted, of which they got a share', () => {
    // One program that spins beside two threads gets two thirds of a core.
    const { others, busy } = calibrationLoad({ ...time, busyMs: 20_000, ownMs: 13_333 }, 2, paces);
    expect(others).toBeCloseTo(1, 2);
    expect(busy).toBe(true);
    // On eight cores there is room for it.
    expect(calibrationLoad({ cores: 8, wallMs: 10_000, busyMs: 30_000, ownMs: 20_000 }, 2, paces).others).toBeCloseTo(1);
  });

  it('shows in times that vary, even where no other program is seen', () => {
    const slowed = paces.map((pace, index) => (index % 2 === 0 ? pace : 1.7 * pace));
    expect(calibrationLoad({ ...time, busyMs: 17_000, ownMs: 17_000 }, 2, slowed)).toMatchObject({ others: 0, busy: true });
    // A few slow moments are not enough.
    expect(calibrationLoad({ ...time, busyMs: 17_000, ownMs: 17_000 }, 2, [...paces, 50, 80, 60]).busy).toBe(false);
  });

  it('is now what others use, and what queues where they use all', () => {
    expect(idleLoad({ cores: 2, wallMs: 150, busyMs: 170, ownMs: 20 }, [0.1]).others).toBeCloseTo(1);
    expect(idleLoad({ cores: 2, wallMs: 150, busyMs: 300, ownMs: 0 }, [5]).others).toBe(5);
    expect(idleLoad({ cores: 2, wallMs: 150, busyMs: 300, ownMs: 0 }, [0]).others).toBe(2);
    expect(idleLoad({ cores: 2, wallMs: 0, busyMs: 0, ownMs: 0 }, [0]).others).toBe(0);
    // Beside work of its own, a full machine is as full: what is left for others is not all that they want.
    expect(idleLoad({ cores: 2, wallMs: 300, busyMs: 600, ownMs: 80 }, [6]).others).toBe(6);
    expect(idleLoad({ cores: 2, wallMs: 300, busyMs: 600, ownMs: 600 }, [0]).others).toBe(0);
    // A few programs that start and end at once do not make it jump.
    expect(idleLoad({ cores: 2, wallMs: 300, busyMs: 600, ownMs: 0 }, [3, 3, 40, 3, 2, 35, 3]).others).toBe(3);
  });

  it('does not matter to a device that is no processor', () => {
    expect(loadEffect(madeUpCalibration({ provider: 'webgpu', now: { cores: 2, others: 2 } }))).toEqual({ factor: 1, doubt: 0 });
    expect(fit.samples).toBeGreaterThan(fit.unknowns);
  });
});
