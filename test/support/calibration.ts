import { cpus } from 'node:os';
import { version as onnxruntime } from 'onnxruntime-node/package.json';
import { calibrationSchemaVersion, type Calibration } from '../../src/core/predict/calibration';

/** A made-up calibration of this machine's CPU, in round numbers. */
export function madeUpCalibration(more: Partial<Calibration> = {}): Calibration {
  const rate = (rows: number, headWidth: number): Calibration['tiles'][number] => {
    // One nanosecond a pair and head column, with a run of 10 us.
    const tile = (rows * rows * headWidth) / 1e6;
    return { rows, headWidth, runMs: 0.01, firstMs: 2 * tile, openMs: tile, maskedMs: 1.5 * tile };
  };
  const perFlop = { runMs: 0.1, nsPerFlop: 0.01 };
  return {
    schemaVersion: calibrationSchemaVersion,
    provider: 'cpu',
    device: cpus()[0]?.model.trim() ?? '',
    threads: cpus().length,
    onnxruntime,
    date: '2026-01-01T00:00:00.000Z',
    tookMs: 1000,
    scoreBytes: 1024 * 1024,
    tiles: [32, 128].flatMap((headWidth) => [16, 256].map((rows) => rate(rows, headWidth))),
    gatherNsPerFloat: 1,
    tokenwise: [64, 1024].map((width) => ({ width, project: perFlop, outputAndMlp: perFlop })),
    pass: { startMs: 5, factor: 1 },
    dense: [
      { headWidth: 32, nsPerPair: 40 },
      { headWidth: 128, nsPerPair: 160 },
    ],
    layer: null,
    bandwidth: 1e10,
    idleBytes: 100e6,
    ...more,
  };
}
