import { describe, expect, it } from 'vitest';
import { runPoints } from '../../../src/core/lab/frontier';
import { deviceRoof, roofAt, roofLine, rooflinePoints } from '../../../src/core/lab/roofline';
import { madeUpCalibration } from '../../support/calibration';
import { reportOf } from '../../support/reports';

// 10 GFLOP/s at best, and 10 us to start a native run: the corner is at 100 kFLOP.
const roof = deviceRoof(madeUpCalibration({ threads: 4 }));

describe('the roof of a device', () => {
  it('is the best product, and below its corner what starting a native run leaves', () => {
    expect(roof).toEqual({ provider: 'cpu', threads: 4, peakFlops: 1e10, runMs: 0.01 });
    expect([roofAt(roof, 1e4), roofAt(roof, 1e5), roofAt(roof, 1e9)].map(Math.round)).toEqual([1e9, 1e10, 1e10]);
    expect(roofLine(roof, 1e4, 1e6).map(({ x, y }) => [Math.round(x), Math.round(y)])).toEqual([
      [1e4, 1e9],
      [1e5, 1e10],
      [1e6, 1e10],
    ]);
    expect(roofLine(roof, 1e6, 1e7)).toHaveLength(2);
  });

  it('is flat where the fits found no start-up time', () => {
    const tiles = madeUpCalibration().tiles.map((rate) => ({ ...rate, runMs: -0.001 }));
    const flat = deviceRoof(madeUpCalibration({ tiles }));
    expect([flat.runMs, roofAt(flat, 1)]).toEqual([0, 1e10]);
  });
});

describe('runs under a roof', () => {
  it('are those of its device, with the share that they reach of what it allows', () => {
    const report = reportOf({});
    const run = (threads: number): typeof report => ({
      ...report,
      plan: { ...report.plan, flops: 1e9 },
      run: { ...report.run, provider: 'cpu', threads, wallMs: 500, calls: { ...report.run.calls, dispatches: 20 } },
    });
    const [point, ...others] = rooflinePoints(runPoints([run(4)]), roof);
    expect(others).toEqual([]);
    expect(point).toMatchObject({ flopsPerRun: 5e7, flopsPerSecond: 2e9 });
    expect(point.share).toBeCloseTo(0.2, 12);
    expect(rooflinePoints(runPoints([run(2)]), roof)).toEqual([]);
  });
});
