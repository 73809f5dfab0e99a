import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import { makePlan, type Plan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { runVerdict, type Verdict } from '../../../src/core/report/verdict';
import { makeScenario, type Range } from '../../../src/core/scenario/scenario';
import { passOf } from '../../../src/engine/attend/pass';
import { type Device, openDevice } from '../../../src/engine/attend/runtime/provider';
import { hiddenScore } from '../../../src/engine/attend/graphs/attend';
import type { CachedKeys } from '../../../src/engine/attend/tiles/decode-steps';
import { OnnxOracle } from '../../../src/engine/attend/tiles/onnx-oracle';
import { FidelityCheck } from '../../../src/engine/attend/verify/fidelity';
import { OutputHead } from '../../../src/engine/attend/verify/predictions';
import { type LayerWeights, type LoadedModel, loadModel, openModel } from '../../../src/engine/read/model/load';
import { Decoder } from '../../../src/engine/tasks/generate/decoder';
import { DecodingCheck } from '../../../src/engine/tasks/generate/decoding-check';
import { LayerCache } from '../../../src/engine/tasks/generate/layer-cache';
import { modelsFolder } from '../../support/paths';

const signal = new AbortController().signal;
const blockSize = 16;
const prompt = Int32Array.from({ length: 40 }, (_, position) => (position * 37) % 200);
const added = [3, 99, 120, 7, 45, 60];

describe('faults put into decoding', () => {
  let device: Device;
  let model: LoadedModel;
  beforeAll(async () => {
    device = await openDevice('cpu', 1);
    model = await loadModel(await openModel('tiny-docs-5m', modelsFolder));
  });

  /** Continues a prompt with a fault in the oracle, or in the model that is run, and judges it. */
  async function verdictOf(
    fault: (oracle: OnnxOracle) => { begin?: () => void; restore?: () => void } = () => ({}),
    { own = model, checked = model }: { own?: LoadedModel; checked?: LoadedModel } = {},
  ): Promise<Verdict> {
    const scenario = makeScenario('sliding-window', { window: 20 });
    const plan: Plan = makePlan(planRequest(prompt.length, model.shape, { ...defaultOptions, scenario, blockSize }));
    const oracle = new OnnxOracle(model, blockSize, device, prompt.length);
    const head = new OutputHead(model, device);
    const checks = {
      decoding: new DecodingCheck(checked, plan, 'float32'),
      wholeOf: (whole: Plan) =>
        new FidelityCheck(whole, {
          rows: 'drawn',
          seed: 1,
          precision: 'float32',
          threads: 1,
          signal,
          sinks: own.layers.some(({ attend }) => attend.sinks !== undefined),
        }),
    };
    const faulty = fault(oracle);
    try {
      const decoder = new Decoder({ model: own, plan, oracle, head, pass: passOf('tiles', 'float32'), checks, signal });
      await decoder.prefill(prompt, () => undefined);
      faulty.begin?.();
      for (const token of added) {
        await decoder.step(token);
      }
      const { fidelity } = decoder;
      return runVerdict({ ...plan, fidelity, sampling: null, quality: null, native: false, precision: 'float32' });
    } finally {
      faulty.restore?.();
      await Promise.all([head, oracle].map((each) => each.release()));
    }
  }

  afterAll(() => vi.restoreAllMocks());

  it('are not there by default', async () => {
    expect(await verdictOf()).toMatchObject({ kind: 'exact' });
  });

  type Step = Parameters<OnnxOracle['decodeStep']>[1];
  type Layers = Parameters<OnnxOracle['decodeStep']>[0];

  /** A fault in what the oracle is asked to do at a step. */
  function asked(change: (step: Step, layers: Layers) => { readonly step?: Partial<Step>; readonly layers?: Layers }) {
    return (oracle: OnnxOracle): object => {
      const decodeStep = oracle.decodeStep.bind(oracle);
      oracle.decodeStep = (layers, step, counts) => {
        const changed = change(step, layers);
        return decodeStep(changed.layers ?? layers, { ...step, ...changed.step }, counts);
      };
      return {};
    };
  }

  /** A fault in what a step reads of its caches. */
  function cached(change: (cache: CachedKeys) => Partial<CachedKeys>): ReturnType<typeof asked> {
    return asked(({ caches }) => ({ step: { caches: caches.map((cache) => ({ ...cache, ...change(cache) })) } }));
  }

  it.each<[string, ReturnType<typeof asked>]>([
    ['the values of a cache are zeros', cached(({ values }) => ({ values: { ...values, data: new Float32Array(values.data.length) } }))],
    [
      'its keys are moved by one slot',
      cached(({ keys: { data, shape } }) => ({ keys: { shape, data: Float32Array.from(data, (_, at) => Number(data.at(at - 32))) } })),
    ],
    ['one of its keys is hidden', cached(({ mask }) => ({ mask: mask.map((score, slot) => (slot === 3 ? hiddenScore : score)) }))],
    ['a free slot is seen', cached(({ mask }) => ({ mask: new Float32Array(mask.length) }))],
    ['a token does not see itself', cached(({ mask }) => ({ mask: mask.with(-1, hiddenScore) }))],
    ['a cache is that of another layer', asked(({ caches: [first, ...others] }) => ({ step: { caches: [...others, first] } }))],
    ['a token has another’s position', asked(({ position }) => ({ step: { position: position + 1 } }))],
    ['a token is another', asked(({ hidden }) => ({ step: { hidden: hidden.map((x) => 1.001 * x) } }))],
    [
      'a layer has another’s second half',
      asked((_, layers) => ({
        layers: layers.map((each, layer) => (layer === 4 ? { ...each, outputAndMlp: layers[3].outputAndMlp } : each)),
      })),
    ],
    [
      'a layer’s network is off by 2%',
      asked((_, layers) => ({ layers: layers.map((each, layer) => (layer === 5 ? scaledDown(each, 1.02) : each)) })),
    ],
  ])('are found where %s', async (_what, fault) => {
    expect(await verdictOf(fault)).toMatchObject({ kind: 'failed' });
  });

  function scaledDown(layer: LayerWeights, factor: number): LayerWeights {
    const { downWeight } = layer.outputAndMlp;
    const scaled = { shape: downWeight?.shape ?? [], data: downWeight?.data.map((x) => factor * x) ?? new Float32Array() };
    return { ...layer, outputAndMlp: { ...layer.outputAndMlp, downWeight: scaled } };
  }

  it('are found where the mask is one key short', async () => {
    const short = (): { restore: () => void } => {
      // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its object below
      const { keep } = LayerCache.prototype;
      const spy = vi.spyOn(LayerCache.prototype, 'keep').mockImplementation(function (this: LayerCache, visible) {
        keep.call(this, { ...visible, start: visible.start + 1 });
      });
      return { restore: () => spy.mockRestore() };
    };
    expect(await verdictOf(short)).toMatchObject({ kind: 'failed' });
  });

  it('are found where learned sinks are left out', async () => {
    const sinks = { data: new Float32Array(model.shape.heads).fill(2), shape: [model.shape.heads] };
    const layers = model.layers.map((layer) => ({ ...layer, attend: { ...layer.attend, sinks } }));
    const withSinks = { ...model, layers } as LoadedModel;
    expect(await verdictOf(undefined, { own: withSinks, checked: withSinks })).toMatchObject({ kind: 'exact' });
    expect(await verdictOf(undefined, { checked: withSinks })).toMatchObject({ kind: 'failed' });
  });

  it('are found where the prompt had another’s rope', async () => {
    const whole = (oracle: OnnxOracle): object => {
      const project = oracle.project.bind(oracle);
      const moved = ({ from, to }: Range): Range => ({ from: 2 * from + 1, to: from + 1 + to });
      oracle.project = (hidden, weights, positions) => project(hidden, weights, positions.map(moved));
      return {};
    };
    expect(await verdictOf(whole)).toMatchObject({ kind: 'failed' });
  });

  it('are found where steps are not looked at', async () => {
    const spy = vi.spyOn(DecodingCheck.prototype, 'inspectStep').mockReturnValue();
    const verdict = await verdictOf();
    spy.mockRestore();
    expect(verdict).toMatchObject({ kind: 'failed', reason: expect.stringContaining('layers of decoding steps') as string });
  });
});
