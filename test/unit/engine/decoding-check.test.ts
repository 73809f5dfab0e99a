import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import { makePlan, type Plan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { runVerdict, type Verdict } from '../../../src/core/report/verdict';
import { makeScenario } from '../../../src/core/scenario/scenario';
import { passOf } from '../../../src/engine/attend/pass';
import { type Device, openDevice } from '../../../src/engine/attend/runtime/provider';
import { OnnxOracle } from '../../../src/engine/attend/tiles/onnx-oracle';
import { FidelityCheck } from '../../../src/engine/attend/verify/fidelity';
import { OutputHead } from '../../../src/engine/attend/verify/predictions';
import { type LoadedModel, loadModel, openModel } from '../../../src/engine/read/model/load';
import { LayerCache } from '../../../src/engine/tasks/generate/cached-attention';
import { Decoder } from '../../../src/engine/tasks/generate/decoder';
import { DecodingCheck } from '../../../src/engine/tasks/generate/decoding-check';
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
    const [oracle, clean] = [0, 1].map(() => new OnnxOracle(model, blockSize, device, prompt.length));
    const head = new OutputHead(model, device);
    const checks = {
      decoding: new DecodingCheck(checked, plan, clean, 'float32'),
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
      const decoder = new Decoder({ model: own, plan, oracle, head, pass: passOf('tiles', 'float32'), checks, signal }, added.length);
      await decoder.prefill(prompt, () => undefined);
      faulty.begin?.();
      for (const token of added) {
        await decoder.step(token);
      }
      const { fidelity } = decoder;
      return runVerdict({ ...plan, fidelity, sampling: null, quality: null, native: false, precision: 'float32' });
    } finally {
      faulty.restore?.();
      await Promise.all([head, oracle, clean].map((each) => each.release()));
    }
  }

  afterAll(() => vi.restoreAllMocks());

  it('are not there by default', async () => {
    expect(await verdictOf()).toMatchObject({ kind: 'exact' });
  });

  it('are found where cached attention gives zeros', async () => {
    const zeros = (oracle: OnnxOracle): { begin: () => void } => {
      const attend = oracle.attend.bind(oracle);
      const begin = (): void => {
        oracle.attend = async (run) => {
          const result = await attend(run);
          return { ...result, out: new Float32Array(result.out.length) };
        };
      };
      return { begin };
    };
    expect(await verdictOf(zeros)).toMatchObject({ kind: 'failed' });
  });

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

  it('are found where a token has another’s position, and where a rope is another’s', async () => {
    const moved = (oracle: OnnxOracle): { begin: () => void } => {
      const project = oracle.project.bind(oracle);
      const begin = (): void => {
        oracle.project = (hidden, weights, position) => project(hidden, weights, position + 1);
      };
      return { begin };
    };
    expect(await verdictOf(moved)).toMatchObject({ kind: 'failed' });
    const whole = (oracle: OnnxOracle): object => {
      const project = oracle.project.bind(oracle);
      oracle.project = (hidden, weights, position) => project(hidden, weights, 2 * position + 1);
      return {};
    };
    expect(await verdictOf(whole)).toMatchObject({ kind: 'failed' });
  });

  it('are found where steps are not looked at', async () => {
    const spy = vi.spyOn(DecodingCheck.prototype, 'inspectStep').mockResolvedValue();
    const verdict = await verdictOf();
    spy.mockRestore();
    expect(verdict).toMatchObject({ kind: 'failed', reason: expect.stringContaining('layers of decoding steps') as string });
  });
});
