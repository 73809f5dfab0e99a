import { GraphBuilder } from '../../attend/onnx/graph-builder';
import type { Device } from '../../attend/runtime/provider';
import { GraphSession } from '../../attend/runtime/session';

/** Fewest runs that a median is taken of, and the time after which there are no more. */
const fewestRuns = 3;
const enoughMs = 40;
const mostRuns = 9;

/** Median time of `act` in milliseconds, after one run that warms up. */
export async function medianMs(act: () => Promise<unknown>): Promise<number> {
  await act();
  const times: number[] = [];
  let spent = 0;
  while (times.length < fewestRuns || (spent < enoughMs && times.length < mostRuns)) {
    const start = performance.now();
    await act();
    const took = performance.now() - start;
    times.push(took);
    spent += took;
  }
  return medianOf(times);
}

/** The median of a list that is not empty, of its two middle values the larger. */
export function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Floats of the tensor that is copied: more than a processor's caches hold. */
const floats = 16 * 1024 * 1024;

/** Bytes per second that a device moves in an element-wise operator, each read and written once. */
export async function copyBandwidth(device: Device): Promise<number> {
  // The tensor is made and reduced on the device, so that no transfer from the host is timed: only the passes between.
  const timeOf = async (passes: number): Promise<number> => {
    const g = new GraphBuilder('bandwidth');
    let x = g.matMul(g.input('column', [4096, 1]), g.input('row', [1, floats / 4096]));
    for (let pass = 0; pass < passes; pass += 1) {
      x = g.relu(g.negate(x));
    }
    g.output('sum', g.reduceSum(g.reduceSum(x, 1), 0), [1, 1]);
    const session = await GraphSession.create(g.build(), device);
    const column = { data: new Float32Array(4096).fill(1), shape: [4096, 1] };
    const row = { data: new Float32Array(floats / 4096).fill(1), shape: [1, floats / 4096] };
    try {
      return await medianMs(() => session.run({ column, row }));
    } finally {
      await session.release();
    }
  };
  const [one, three] = [await timeOf(1), await timeOf(3)];
  // Two more rounds of two operators, each of which reads and writes the tensor.
  const bytes = 4 * 2 * 4 * floats;
  return (bytes * 1000) / Math.max(1e-3, three - one);
}
