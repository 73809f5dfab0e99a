import { GraphBuilder } from '../../attend/onnx/graph-builder';
import type { Device } from '../../attend/runtime/provider';
import { GraphSession } from '../../attend/runtime/session';

/** The square product whose time is taken again and again: some milliseconds on a core. */
const paceRows = 512;

/** Runs at each look, of which the median counts. */
const paceRuns = 5;

/** Square products of which the best gives the peak: large enough to fill a processor's units, small enough to take tenths of a second. */
const peakRows = [512, 1024, 2048] as const;
const peakRuns = 3;

/** Times one product between the measurements: where it varies, so does the machine, whatever keeps it busy. */
export class Pacemaker {
  private readonly found: number[] = [];

  private constructor(
    private readonly session: GraphSession,
    private readonly data: Float32Array,
  ) {}

  static async create(device: Device): Promise<Pacemaker> {
    return new Pacemaker(await GraphSession.create(productGraph(paceRows), device), new Float32Array(paceRows ** 2).fill(0.5));
  }

  /** Times so far, in milliseconds. */
  get paces(): readonly number[] {
    return this.found;
  }

  async look(): Promise<void> {
    const times = await productTimes(this.session, this.data, paceRows, paceRuns);
    this.found.push(times.sort((a, b) => a - b)[paceRuns >> 1]);
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}

/**
 * Floating-point operations a second of the device's best large matrix product: an upper limit for all that products make.
 *
 * @param until time of `performance.now()` after which no larger one is tried
 */
export async function peakFlops(device: Device, until = Infinity): Promise<number> {
  let best = 0;
  for (const rows of peakRows) {
    if (best > 0 && performance.now() > until) {
      break;
    }
    const session = await GraphSession.create(productGraph(rows), device);
    try {
      const times = await productTimes(session, new Float32Array(rows ** 2).fill(0.5), rows, peakRuns);
      best = Math.max(best, (2 * rows ** 3 * 1000) / Math.min(...times));
    } finally {
      await session.release();
    }
  }
  return best;
}

function productGraph(rows: number): Uint8Array {
  const g = new GraphBuilder('product');
  // Summed on the device, so that no square is copied back.
  const product = g.matMul(g.input('left', [rows, rows]), g.input('right', [rows, rows]));
  g.output('sum', g.reduceSum(g.reduceSum(product, 1), 0), [1, 1]);
  return g.build();
}

/** Times of a product after one that warms up, in milliseconds. */
async function productTimes(session: GraphSession, data: Float32Array, rows: number, runs: number): Promise<number[]> {
  const operand = { data, shape: [rows, rows] };
  const times: number[] = [];
  for (let run = -1; run < runs; run += 1) {
    const start = performance.now();
    await session.run({ left: operand, right: operand });
    if (run >= 0) {
      times.push(performance.now() - start);
    }
  }
  return times;
}
