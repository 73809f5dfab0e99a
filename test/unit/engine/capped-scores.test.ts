import { describe, expect, it } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import { defaultPackOptions } from '../../../src/core/pack/report';
import { makePlan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { makeScenario, type ScenarioChoice } from '../../../src/core/scenario/scenario';
import { wholeStream } from '../../../src/engine/attend/forward';
import { passOf } from '../../../src/engine/attend/pass';
import { PhaseClock } from '../../../src/engine/attend/runtime/clock';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { OnnxOracle } from '../../../src/engine/attend/tiles/onnx-oracle';
import { FidelityCheck } from '../../../src/engine/attend/verify/fidelity';
import { parseConfig } from '../../../src/engine/read/model/config';
import type { LoadedModel } from '../../../src/engine/read/model/load';
import { promptFromText } from '../../../src/engine/read/prompt';
import { runPack } from '../../../src/engine/tasks/pack/pack';
import { modelsFolder } from '../../support/paths';
import { writeTinyTokenizer } from '../../support/tiny-tokenizer';
import { configOf, copyOf, goldenModel, load } from './malformed/golden-copy';
import { refusalOf } from './malformed/outcome';

/** Of a Gemma 2 that does not bend scores. */
function plainConfig(): string {
  return JSON.stringify({ ...configOf('gemma2'), attn_logit_softcapping: null });
}

const { signal } = new AbortController();

/** The error of a run of a model by the float64 reference. @param run what runs, if another model than the reference knows */
async function fidelityOf(model: LoadedModel, scenario: ScenarioChoice, executor: 'tiles' | 'compiled', run = model): Promise<number> {
  const tokens = Int32Array.from({ length: 50 }, (_, index) => 3 + ((index * 37) % 250));
  const device = await openDevice('cpu', 1);
  const oracle = new OnnxOracle(run, 16, device, tokens.length);
  const options = { ...defaultOptions, scenario, blockSize: 16 };
  const plan = makePlan(planRequest(tokens.length, run.shape, options));
  const check = new FidelityCheck(plan, { rows: 'all', seed: 1, precision: 'float32', threads: 1, signal });
  const { scoreCap } = model.shape;
  try {
    const pass = passOf(
      executor,
      'float32',
    )({
      model: run,
      plan,
      tokens,
      oracle,
      clock: new PhaseClock(),
      signal,
      onProgress: () => undefined,
      // The layer's own tensors know the cap, unless the model that runs does not.
      inspect: (layer, tensors, attended) =>
        check.inspect(layer, run === model || scoreCap === undefined ? tensors : { ...tensors, scoreCap }, attended),
    });
    await wholeStream(pass, plan);
    return check.result().maxAbsError;
  } finally {
    await check.release();
    await oracle.release();
  }
}

describe('scores that a model bends', () => {
  const scenarios: readonly [string, ScenarioChoice][] = [
    ['its own attention', { kind: 'native' }],
    ['sinks', makeScenario('attention-sink', { window: 6, sinks: 2 })],
    ['a mask that is written', { kind: 'custom', expression: 'k <= q and (q - k < 5 or k % 7 == 0)' }],
    ['a sample', makeScenario('average-case', { seed: 1 })],
  ];

  it.each(
    scenarios.slice(0, 3).flatMap(([name, scenario]) => (['tiles', 'compiled'] as const).map((way) => [name, way, scenario] as const)),
  )('are those of the float64 reference under %s by %s', async (_name, executor, scenario) => {
    const model = await goldenModel('gemma2');
    expect(await fidelityOf(model, scenario, executor)).toBeLessThan(1e-5);
    const plain = await load(copyOf('gemma2'), plainConfig());
    expect(await fidelityOf(model, scenario, executor, plain)).toBeGreaterThan(0.1);
  });

  it.each(scenarios)('are refused under %s by a construction that needs plain ones', async (_name, scenario) => {
    const { shape } = await goldenModel('gemma2');
    for (const construction of ['tight', 'paper'] as const) {
      const plan = () => makePlan(planRequest(50, shape, { ...defaultOptions, scenario, blockSize: 16, construction }));
      expect(await refusalOf(plan)).toBe(
        `Construction "${construction}" reads plain scores, and this model bends them to at most 5; use construction fused.`,
      );
    }
  });

  it('are refused in a pack, which keeps prompts apart by plain ones', async () => {
    const folder = copyOf('gemma2');
    writeTinyTokenizer(folder, 9, false);
    const context = { modelsFolder, signal, onProgress: () => undefined };
    const pack = () => runPack([promptFromText('a', 'a b')], { ...defaultPackOptions, model: folder }, context);
    expect(await refusalOf(pack)).toMatch(/^model bends its scores to at most 5, and theorem 4\.2 needs plain ones/);
  });

  it('are plain where a Gemma 2 says that they are', () => {
    expect(parseConfig(plainConfig(), 'config.json').shape).not.toHaveProperty('scoreCap');
  });
});
