import { join } from 'node:path';
import type { Calibration } from '../../src/core/predict/calibration';
import { predict } from '../../src/core/predict/predict';
import { scenarioLabel, type Scenario } from '../../src/core/scenario/scenario';
import { makePlan } from '../../src/core/plan/plan';
import { uniform } from '../../src/core/math/random';
import { loadModel, openModel } from '../../src/engine/read/model/load';
import { OnnxOracle } from '../../src/engine/attend/tiles/onnx-oracle';
import { PhaseClock } from '../../src/engine/attend/runtime/clock';
import { forward } from '../../src/engine/attend/forward';
import { openDevice } from '../../src/engine/attend/runtime/provider';
import { median, percentile, type BenchContext, type Figure, type Section } from './section';

/** Lengths, block sizes and scenarios that calibration does not measure. */
const lengths = [700, 1500, 3000, 6000, 9000];
const blockSizes = [96, 192, 384, 640];
const scenarios: readonly Scenario[] = [
  { kind: 'causal' },
  { kind: 'full' },
  { kind: 'sliding-window', window: 300 },
  { kind: 'attention-sink', window: 700, sinks: 8 },
];

/** Predicted against measured time of whole passes of the embedded model. */
export async function prediction({ quick, threads, log }: BenchContext, calibration: Calibration): Promise<Section> {
  const device = await openDevice('cpu', threads);
  const model = await loadModel(await openModel('tiny-docs-5m', join(process.cwd(), 'media', 'models')));
  const rows: Record<string, Figure>[] = [];
  for (const tokens of quick ? lengths.slice(0, 1) : lengths) {
    for (const inputLength of blockSizes) {
      for (const scenario of scenarios) {
        const plan = makePlan({
          tokens,
          model: model.shape,
          scenario,
          construction: 'fused',
          oracle: { inputLength, layers: 1, heads: model.shape.heads, causal: false },
          scoreBytes: calibration.scoreBytes,
        });
        const expected = predict(plan, calibration)?.wallMs ?? NaN;
        const next = uniform(tokens);
        const ids = Int32Array.from({ length: tokens }, () => Math.floor(next() * model.shape.vocabulary));
        const times: number[] = [];
        for (let repeat = 0; repeat < (quick ? 1 : 3); repeat += 1) {
          const oracle = new OnnxOracle(model, inputLength, device);
          const start = performance.now();
          await forward({
            model,
            plan,
            tokens: ids,
            oracle,
            clock: new PhaseClock(),
            signal: new AbortController().signal,
            onProgress: () => undefined,
          });
          times.push(performance.now() - start);
          await oracle.release();
        }
        const measured = median(times);
        rows.push({ tokens, inputLength, scenario: scenarioLabel(scenario), expected, measured, error: Math.abs(expected / measured - 1) });
      }
    }
    log(`prediction, N = ${tokens}`);
  }
  const errors = rows.map(({ error }) => Number(error));
  const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;
  return {
    name: 'prediction',
    title: 'Predicted against measured time of the embedded model',
    method:
      'Whole passes on fresh sessions at lengths, block sizes and scenarios that calibration does not measure; medians of three. The table shows the spread of the relative errors; the JSON document has every point.',
    columns: { tokens: 'N', inputLength: 'M', scenario: 'mask', expected: 'expected, ms', measured: 'measured, ms', error: 'error' },
    rows,
    goals: quick
      ? []
      : [
          {
            goal: 'Median error of predictions under 15%',
            measured: `median ${percent(median(errors))}, 90th percentile ${percent(percentile(errors, 0.9))}, ${rows.length} points`,
            reached: median(errors) < 0.15,
          },
        ],
  };
}
