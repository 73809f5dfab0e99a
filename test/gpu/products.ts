import { InferenceSession, Tensor } from '../../src/engine/onnxruntime';
import type { Precision } from '../../src/core/options/table';
import { GraphBuilder } from '../../src/engine/attend/onnx/graph-builder';
import { type Device, openDevice, sessionOptions } from '../../src/engine/attend/runtime/provider';
import { uniformData } from '../bench/ours';
import { median, paired } from '../bench/section';
import { attempt, cpuThreads, devices, type Step } from './step';

/** Operations of one run, if its products are many: a run's own costs are small beside them. */
const operationsOfRun = { gpu: 1e12, cpu: 2e10 };

/** Most products in one run. */
const mostProducts = 64;

/** A chain of square products in one graph, of which one number is read: the rate of a provider's own MatMul. */
export class ProductChain {
  private constructor(
    private readonly session: InferenceSession,
    readonly size: number,
    readonly products: number,
  ) {}

  static async create(device: Device, precision: Precision, size: number, quick: boolean): Promise<ProductChain> {
    const budget = quick ? 0 : operationsOfRun[device.provider === 'cpu' ? 'cpu' : 'gpu'];
    const products = Math.min(mostProducts, Math.max(1, Math.round(budget / (2 * size ** 3))));
    const g = new GraphBuilder('products');
    // Of this size the products of any number of them stay as large as the first.
    const scale = Math.sqrt(3 / size);
    const data = uniformData(size * size).map((x) => scale * x);
    const matrix = g.floats([size, size], data);
    // Multiplied by an input: what is constant would be computed when the graph is loaded.
    let product = g.cast(g.multiply(matrix, g.input('factor', [1])), precision);
    const factor = g.cast(matrix, precision);
    for (let index = 0; index < products; index += 1) {
      product = g.matMul(product, factor);
    }
    g.output('corner', g.cast(g.slice(g.slice(product, 0, 0, 1), 1, 0, 1), 'float32'), [1, 1]);
    return new ProductChain(await InferenceSession.create(g.build(), sessionOptions(device)), size, products);
  }

  /** Runs the chain, and waits until it is computed. */
  async run(): Promise<void> {
    const { corner } = await this.session.run({ factor: new Tensor('float32', Float32Array.of(1), [1]) });
    if (!Number.isFinite((corner.data as Float32Array)[0])) {
      throw new Error(`products of ${this.size} came out as ${(corner.data as Float32Array)[0]}`);
    }
  }

  /** GFLOP/s of a run of so many milliseconds. */
  rate(ms: number): number {
    return (2 * this.products * this.size ** 3) / ms / 1e6;
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}

/** The rate of each provider's matrix products: the ceiling of what else it does. */
export const products: Step = {
  limit: 25,
  section: {
    title: 'MatMul',
    method: `Chains of square products in one graph, with constants on the device, of which one number is read. All ways of a size in turn; medians of the rounds. cpu: ${cpuThreads} threads, for comparison.`,
    columns: {
      provider: 'provider',
      precision: 'precision',
      size: 'size',
      products: 'products a run',
      ms: 'ms a product',
      rate: 'GFLOP/s',
      note: 'note',
    },
  },
  run: async (context, emit) => {
    const opened: { readonly device: Device; readonly precision: Precision }[] = [];
    for await (const each of devices(context, emit, ['float32', 'float16'])) {
      opened.push(each);
    }
    const cpu = { device: await openDevice('cpu', cpuThreads), precision: 'float32' } as const;
    for (const size of context.quick ? [64, 128] : [1024, 2048, 4096, 8192]) {
      const chains: Record<string, ProductChain> = {};
      const all = size <= 2048 && !context.providers.includes('cpu') ? [...opened, cpu] : opened;
      for (const { device, precision } of all) {
        const known = { provider: device.provider, precision, size };
        const key = Object.values(known).join();
        await attempt(emit, key, known, async () => {
          const chain = await ProductChain.create(device, precision, size, context.quick);
          // One that fails must not end the rounds of the others.
          await chain.run();
          chains[key] = chain;
        });
      }
      const ways = Object.fromEntries(Object.entries(chains).map(([key, chain]) => [key, () => chain.run()]));
      const times = await paired(ways, context.quick ? 2 : 5);
      for (const { device, precision } of all) {
        const known = { provider: device.provider, precision, size };
        const key = Object.values(known).join();
        if (key in chains) {
          const [chain, ms] = [chains[key], median(times[key])];
          await emit(key, { ...known, products: chain.products, ms: ms / chain.products, rate: chain.rate(ms), note: '' });
          await chain.release();
        }
      }
    }
  },
};
