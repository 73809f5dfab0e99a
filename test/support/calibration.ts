import { cpus } from 'node:os';
import { version as onnxruntime } from 'onnxruntime-node/package.json';
import { calibrationSchemaVersion, denseOperators, type Calibration } from '../../src/core/predict/calibration';

/** A residual of 5% from a dozen samples. */
export const fit = { samples: 14, unknowns: 3, error: 0.05 };

/** Dense operators, of which the first is twice as fast as the last. */
const dense: Calibration['dense'] = [32, 128].flatMap((headWidth) =>
  denseOperators.map((operator, index) => ({
    operator,
    headWidth,
    callMs: 0.01,
    nsPerToken: headWidth,
    nsPerPair: (0.6 + 0.3 * index) * headWidth,
    tokens: { from: 256, to: 8192 },
    fit,
  })),
);

/** A made-up calibration of this machine's CPU, in round numbers. */
export function madeUpCalibration(more: Partial<Calibration> = {}): Calibration {
  const rate = (rows: number, headWidth: number): Calibration['tiles'][number] => {
    // One nanosecond a pair and head column, with a run of 10 us.
    const tile = (rows * rows * headWidth) / 1e6;
    return { rows, headWidth, runMs: 0.01, firstMs: 2 * tile, openMs: tile, maskedMs: 1.5 * tile, fit };
  };
  const perFlop = { runMs: 0.1, nsPerFlop: 0.01, fit };
  return {
    schemaVersion: calibrationSchemaVersion,
    provider: 'cpu',
    device: cpus()[0]?.model.trim() ?? '',
    threads: cpus().length,
    onnxruntime,
    date: '2026-01-01T00:00:00.000Z',
    tookMs: 1000,
    load: { cores: 2, others: 0, spread: 0.02, busy: false },
    peakFlops: 1e10,
    refused: 0,
    sampled: {
      tokens: { from: 100, to: 10_000 },
      rows: { from: 16, to: 1024 },
      width: { from: 8, to: 1024 },
      headWidth: { from: 4, to: 128 },
      layers: { from: 1, to: 32 },
    },
    scoreBytes: 1024 * 1024,
    tiles: [32, 128].flatMap((headWidth) => [16, 256].map((rows) => rate(rows, headWidth))),
    gatherNsPerFloat: 1,
    tokenwise: [64, 1024].map((width) => ({ width, project: perFlop, outputAndMlp: perFlop })),
    pass: { startMs: 5, attendFactor: 1, tokenwiseFactor: 1, fit },
    dense,
    layer: null,
    bandwidth: 1e10,
    idleBytes: 100e6,
    ...more,
  };
}
