import { permutation } from '../../../core/math/random';
import { makePlan, type Plan } from '../../../core/plan/plan';
import type { Fit, PassRate, Range, Sampled } from '../../../core/predict/calibration';
import { fitPasses, type TimedPass } from '../../../core/predict/fit-passes';
import { tilewisePhases, type TilewiseRates } from '../../../core/predict/predict';
import type { Scenario } from '../../../core/scenario/scenario';
import type { ModelShape } from '../../../core/shapes';
import { hiddenOf } from '../../attend/pass';
import type { Device } from '../../attend/runtime/provider';
import type { LoadedModel } from '../../read/model/load';
import { layerModel, layerShape } from './layer-rate';
import { Rounds, type Schedule } from './timing';

/** A pass that is timed: d, layers, N, M and a scenario. */
interface Sample {
  readonly width: number;
  /** m; that of `layerShape` by default. */
  readonly headWidth?: number;
  readonly layers: number;
  readonly tokens: number;
  readonly blockSize: number;
  readonly scenario: Scenario;
}

/**
 * Passes over all that plans may have, between the sizes at which rates were measured as well as at them: their residual is what a
 * run is off by.
 */
const samples: readonly Sample[] = [
  { width: 256, layers: 4, tokens: 256, blockSize: 64, scenario: { kind: 'causal' } },
  { width: 256, layers: 4, tokens: 1024, blockSize: 128, scenario: { kind: 'sliding-window', window: 200 } },
  { width: 256, layers: 4, tokens: 2048, blockSize: 256, scenario: { kind: 'causal' } },
  { width: 256, layers: 4, tokens: 4096, blockSize: 256, scenario: { kind: 'sliding-window', window: 512 } },
  { width: 256, layers: 4, tokens: 3000, blockSize: 384, scenario: { kind: 'full' } },
  { width: 256, layers: 2, tokens: 8192, blockSize: 512, scenario: { kind: 'causal' } },
  { width: 256, layers: 4, tokens: 6000, blockSize: 192, scenario: { kind: 'sliding-window', window: 300 } },
  { width: 128, layers: 6, tokens: 700, blockSize: 96, scenario: { kind: 'causal' } },
  { width: 128, layers: 6, tokens: 2500, blockSize: 192, scenario: { kind: 'attention-sink', window: 700, sinks: 8 } },
  { width: 128, layers: 32, tokens: 500, blockSize: 128, scenario: { kind: 'local-window', window: 100 } },
  { width: 576, layers: 2, tokens: 512, blockSize: 32, scenario: { kind: 'full' } },
  { width: 576, layers: 2, tokens: 1500, blockSize: 640, scenario: { kind: 'causal' } },
  { width: 576, layers: 2, tokens: 2048, blockSize: 1024, scenario: { kind: 'causal' } },
  { width: 1024, headWidth: 128, layers: 1, tokens: 1000, blockSize: 256, scenario: { kind: 'average-case', seed: 1 } },
];

/** Kinds that are timed in any case: more than the three rates that are fitted to them. The first ones are the shortest. */
const fewestKinds = 4;

/** Rounds over all passes, each in an order of its own. */
const passRounds = 2;

/**
 * Holds whole passes, each on sessions of its own as a run's are, against the sum of their parts, and says what they covered.
 *
 * @param deadline time of `performance.now()` by which a further round has to end
 * @param schedule says whether there is time for another kind
 * @param step called before each pass; may stop it by throwing
 */
export async function passRate(
  device: Device,
  rates: TilewiseRates,
  scoreBytes: number,
  deadline: number,
  schedule: Schedule,
  step: () => Promise<void>,
): Promise<{ readonly pass: PassRate & Fit; readonly sampled: Sampled }> {
  const models = new Map<string, LoadedModel>();
  const modelOf = (sample: Sample): LoadedModel => {
    const key = `${sample.width} ${sample.layers}`;
    const model = models.get(key) ?? layerModel(shapeOf(sample));
    models.set(key, model);
    return model;
  };
  const passes: TimedPass[] = [];
  const rounds = new Rounds(passRounds, deadline);
  while (rounds.next()) {
    const first = rounds.done === 0;
    // The order of the first round is that in which kinds are left out where time is up.
    for (const index of first ? samples.keys() : permutation(samples.length, rounds.done)) {
      if (passes.length >= fewestKinds && !(first ? schedule.allows() : performance.now() < schedule.until)) {
        continue;
      }
      await step();
      const sample = samples[index];
      const model = modelOf(sample);
      const plan = planOf(sample, model, scoreBytes);
      const { project, gather, attend, mlp } = tilewisePhases(plan, rates);
      passes.push({ kind: index, attendMs: gather + attend, tokenwiseMs: project + mlp, wallMs: await timeOf(plan, model, device) });
    }
  }
  return { pass: fitPasses(passes), sampled: covered([...new Set(passes.map(({ kind }) => samples[kind]))]) };
}

/** Where heads are wider than a layer of that width usually has them, there are fewer. */
function shapeOf({ width, headWidth, layers }: Sample): ModelShape {
  const shape = { ...layerShape(width), layers };
  return headWidth === undefined ? shape : { ...shape, headWidth, heads: width / headWidth, keyValueHeads: width / headWidth / 2 };
}

function planOf({ tokens, blockSize, scenario }: Sample, { shape }: LoadedModel, scoreBytes: number): Plan {
  const oracle = { inputLength: blockSize, layers: 1, heads: shape.heads, causal: false };
  return makePlan({ tokens, model: shape, scenario, construction: 'fused', oracle, scoreBytes });
}

async function timeOf(plan: Plan, model: LoadedModel, device: Device): Promise<number> {
  const start = performance.now();
  await hiddenOf(model, plan, new Int32Array(plan.tokens), device);
  return performance.now() - start;
}

/** What passes had, from the smallest to the largest. */
function covered(timed: readonly Sample[]): Sampled {
  const range = (of: (sample: Sample) => number): Range => ({ from: Math.min(...timed.map(of)), to: Math.max(...timed.map(of)) });
  return {
    tokens: range(({ tokens }) => tokens),
    rows: range(({ blockSize }) => blockSize),
    width: range(({ width }) => width),
    headWidth: range((sample) => shapeOf(sample).headWidth),
    layers: range(({ layers }) => layers),
  };
}
