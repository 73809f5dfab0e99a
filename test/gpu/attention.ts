import { InferenceSession, Tensor } from '../../src/engine/onnxruntime';
import { referenceAttention } from '../../src/core/math/reference-attention';
import type { Precision } from '../../src/core/options/table';
import type { LayerPlan } from '../../src/core/plan/plan';
import { maskOf } from '../../src/core/scenario/scenario';
import type { ModelShape } from '../../src/core/shapes';
import { compiledFunctions } from '../../src/engine/attend/compiled/functions';
import { attentionGraph } from '../../src/engine/attend/compiled/graphs';
import { type Device, sessionOptions } from '../../src/engine/attend/runtime/provider';
import { headView, type LayerTensors } from '../../src/engine/attend/tiles/layer';
import { median, paired } from '../bench/section';
import { randomLayer } from '../support/layers';
import { planOf } from '../support/shapes';
import { relativeError } from './exact';
import { ProductChain } from './products';
import { canReside, Corner, putOnDevice, type Resident } from './resident';
import { attempt, devices, type Step } from './step';

const heads = 8;

/** N, m and the sizes M that are tried: sizes where heads are narrow, for each loads graphs of its own. */
const settings = [
  { tokens: 8192, width: 64, blocks: [1024, 2048, 512] },
  { tokens: 8192, width: 128, blocks: [1024] },
  { tokens: 32_768, width: 64, blocks: [1024, 2048] },
  { tokens: 32_768, width: 128, blocks: [1024] },
];
const quickSettings = [{ tokens: 200, width: 16, blocks: [64] }];

/** Rows of the last head that are compared with float64. */
const comparedRows = 8;

/** One layer's causal attention on a device, with its tensors there and with tensors that are copied, beside its products. */
export const attention: Step = {
  limit: 50,
  section: {
    title: `Causal attention of one layer, ${heads} heads, every tile in one graph`,
    method: `The same graph with queries, keys, values and results in device memory, and with them copied there and back each time; and a chain of the provider's own products of the same precision: in turn, medians of the rounds. Useful: operations of visible pairs only, with resident tensors where there are any. Share: of the products' rate in the same rounds. Error: ${comparedRows} rows of the last head against float64.`,
    columns: {
      provider: 'provider',
      precision: 'precision',
      tokens: 'N',
      width: 'm',
      block: 'M',
      resident: 'resident, ms',
      copied: 'copied, ms',
      rate: 'useful GFLOP/s',
      ceiling: 'MatMul, GFLOP/s',
      share: 'share, %',
      error: 'error',
      note: 'note',
    },
  },
  run: async (context, emit) => {
    const { quick } = context;
    for await (const { device, precision } of devices(context, emit, ['float32', 'float16'])) {
      const chain = await ProductChain.create(device, precision, quick ? 128 : 4096, quick);
      for (const { tokens, width, blocks } of quick ? quickSettings : settings) {
        const shape: ModelShape = {
          ...{ layers: 1, heads, keyValueHeads: heads, headWidth: width },
          ...{ width: heads * width, feedForwardWidth: 32, vocabulary: 2 },
        };
        const layer = randomLayer(tokens, shape, 1, 1);
        for (const block of blocks) {
          const plan = planOf({ tokens, blockSize: block, scenario: { kind: 'causal' } }, {}, shape);
          const known = { provider: device.provider, precision, tokens, width, block };
          await attempt(emit, Object.values(known).join(), known, async () => {
            const measured = await measure(plan, layer, device, precision, chain, quick ? 2 : tokens > 8192 ? 3 : 5);
            await emit(Object.values(known).join(), { ...known, ...measured, note: '' });
          });
        }
      }
      await chain.release();
    }
  },
};

async function measure(
  plan: LayerPlan,
  layer: LayerTensors,
  device: Device,
  precision: Precision,
  chain: ProductChain,
  rounds: number,
): Promise<Record<string, number | string>> {
  const { tokens, model } = plan;
  const shape = [heads, tokens, model.headWidth];
  const bytes = attentionGraph(plan).graph.build({ functions: compiledFunctions[precision] });
  const session = await InferenceSession.create(bytes, sessionOptions(device));
  const here = { query: layer.query.data, key: layer.key.data, value: layer.value.data };
  let out = new Float32Array();
  const there = canReside(device) ? await ResidentAttention.create(bytes, device, here, shape) : undefined;
  try {
    const ways: Record<string, () => Promise<unknown>> = {
      ceiling: () => chain.run(),
      ...(there && { resident: () => there.run() }),
      copied: async () => {
        const feeds: Record<string, Tensor> = {};
        Object.entries(here).forEach(([name, data]) => (feeds[name] = new Tensor('float32', data, shape)));
        out = (await session.run(feeds)).out.data as Float32Array<ArrayBuffer>;
      },
    };
    const times = await paired(ways, rounds);
    const copied = median(times.copied);
    const resident = there && median(times.resident);
    const rate = plan.flopsByPhase.attendVisible / (resident ?? copied) / 1e6;
    const ceiling = chain.rate(median(times.ceiling));
    return { resident: resident ?? '', copied, rate, ceiling, share: (100 * rate) / ceiling, error: errorOf(plan, layer, out) };
  } finally {
    await there?.release();
    await session.release();
  }
}

/** Attention whose operands and results stay in device memory. */
class ResidentAttention {
  private constructor(
    private readonly session: InferenceSession,
    private readonly operands: Readonly<Record<string, Resident>>,
    private readonly corner: Corner,
  ) {}

  static async create(
    bytes: Uint8Array,
    device: Device,
    data: Readonly<Record<string, Float32Array>>,
    shape: readonly number[],
  ): Promise<ResidentAttention> {
    const preferredOutputLocation = { out: 'gpu-buffer', logNormaliser: 'gpu-buffer' } as const;
    const session = await InferenceSession.create(bytes, { ...sessionOptions(device), preferredOutputLocation });
    const operands: Record<string, Resident> = {};
    for (const [name, numbers] of Object.entries(data)) {
      operands[name] = await putOnDevice(device, { data: numbers, shape });
    }
    return new ResidentAttention(session, operands, await Corner.create(device, shape));
  }

  /** Attends once, and waits until that is done. */
  async run(): Promise<void> {
    const feeds: Record<string, Tensor> = {};
    Object.entries(this.operands).forEach(([name, { tensor }]) => (feeds[name] = tensor));
    const { out, logNormaliser } = await this.session.run(feeds);
    await this.corner.read(out);
    out.dispose();
    logNormaliser.dispose();
  }

  async release(): Promise<void> {
    await this.corner.release();
    for (const operand of Object.values(this.operands)) {
      await operand.release();
    }
    await this.session.release();
  }
}

function errorOf({ tokens, scenario, model: { headWidth } }: LayerPlan, { query, key, value }: LayerTensors, out: Float32Array): number {
  const last = heads - 1;
  const rows = Array.from({ length: comparedRows }, (_, index) => Math.round(((index + 1) * tokens) / comparedRows) - 1);
  const head = { width: headWidth, queries: headView(query, last), keys: headView(key, last), values: headView(value, last) };
  const expected = referenceAttention(head, maskOf(scenario, tokens), 1, rows);
  const found = rows.flatMap((row) => {
    const from = (last * tokens + row) * headWidth;
    return [...out.subarray(from, from + headWidth)];
  });
  return relativeError(found, expected.out);
}
