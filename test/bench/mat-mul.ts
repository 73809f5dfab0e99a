import { InferenceSession, Tensor } from '../../src/engine/onnxruntime';
import { GraphBuilder } from '../../src/engine/attend/onnx/graph-builder';
import { openDevice, sessionOptions, type Device } from '../../src/engine/attend/runtime/provider';
import { uniformData } from './ours';
import { median, paired, type BenchContext, type Section } from './section';

/** A batch of matrix products `[batch, rows, inner] x [batch, inner, columns]`. */
interface Product {
  readonly name: string;
  readonly batch: number;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

const square = (size: number): Product => ({ name: `square ${size}`, batch: 1, rows: size, inner: size, columns: size });
const scores = (rows: number, batch: number): Product => ({
  name: `${batch} score tiles of ${rows}`,
  batch,
  rows,
  inner: 64,
  columns: rows,
});
const values = (rows: number, batch: number): Product => ({
  name: `${batch} value tiles of ${rows}`,
  batch,
  rows,
  inner: rows,
  columns: 64,
});

const products: readonly Product[] = [
  square(512),
  square(1024),
  square(2048),
  scores(256, 16),
  values(256, 16),
  scores(512, 4),
  values(512, 4),
  scores(1024, 2),
  values(1024, 2),
];

/** The products that were the fastest in trials: the ceiling of a round is the best of them. */
const ceilings: readonly Product[] = [square(1024), scores(512, 4), values(512, 4)];

interface Loaded {
  readonly product: Product;
  readonly run: () => Promise<unknown>;
}

const loaded = new Map<string, Promise<Loaded>>();

/** GFLOP/s of the fastest product now, each the median of a few runs. */
export async function bestMatMulRate(device: Device): Promise<number> {
  const ways = await Promise.all(ceilings.map((product) => load(product, device)));
  const times = await paired(Object.fromEntries(ways.map(({ product, run }) => [product.name, run])), 5);
  return Math.max(...ways.map(({ product }) => rateOf(product, median(times[product.name]))));
}

/** The machine's matrix-product rates: the ceiling of everything else. */
export async function matMul({ threads, quick, log }: BenchContext): Promise<Section> {
  const device = await openDevice('cpu', threads);
  log('matrix products');
  const ways = await Promise.all((quick ? products.slice(0, 2) : products).map((product) => load(product, device)));
  const times = await paired(Object.fromEntries(ways.map(({ product, run }) => [product.name, run])), quick ? 2 : 15);
  return {
    name: 'matMul',
    title: 'MatMul, float32: the ceiling',
    method: 'Every product once a round, in an order drawn anew; medians of the rounds.',
    columns: { product: 'product', ms: 'ms', rate: 'GFLOP/s' },
    rows: ways.map(({ product }) => ({
      product: product.name,
      ms: median(times[product.name]),
      rate: rateOf(product, median(times[product.name])),
    })),
    goals: [],
  };
}

function rateOf({ batch, rows, inner, columns }: Product, ms: number): number {
  return (2 * batch * rows * inner * columns) / ms / 1e6;
}

function load(product: Product, device: Device): Promise<Loaded> {
  let made = loaded.get(product.name);
  if (made === undefined) {
    made = create(product, device);
    loaded.set(product.name, made);
  }
  return made;
}

async function create(product: Product, device: Device): Promise<Loaded> {
  const { batch, rows, inner, columns } = product;
  const g = new GraphBuilder('mat-mul');
  g.output('c', g.matMul(g.input('a', [batch, rows, inner]), g.input('b', [batch, inner, columns])), [batch, rows, columns]);
  const session = await InferenceSession.create(g.build(), sessionOptions(device));
  const feeds = {
    a: new Tensor('float32', uniformData(batch * rows * inner), [batch, rows, inner]),
    b: new Tensor('float32', uniformData(batch * inner * columns), [batch, inner, columns]),
  };
  return { product, run: () => session.run(feeds) };
}
