import { GraphBuilder } from '../../attend/onnx/graph-builder';
import type { Device } from '../../attend/runtime/provider';
import { GraphSession } from '../../attend/runtime/session';

/** Time after which a measurement is not repeated more often than it has to be, and the most repetitions. */
const enoughMs = 25;
const mostRuns = 7;

/** Median time of `act` in milliseconds, after one run that warms up. @param fewest runs that the median is taken of at least */
export async function medianMs(act: () => Promise<unknown>, { fewest = 3 } = {}): Promise<number> {
  await act();
  const times: number[] = [];
  let spent = 0;
  while (times.length < fewest || (spent < enoughMs && times.length < mostRuns)) {
    const start = performance.now();
    await act();
    const took = performance.now() - start;
    times.push(took);
    spent += took;
  }
  return medianOf(times);
}

/** Rounds of the same measurements: at least one, and more while another is expected to end in time. */
export class Rounds {
  private begun = 0;
  private readonly start = performance.now();

  /** @param deadline time of `performance.now()` by which a further round has to end */
  constructor(
    private readonly most: number,
    private readonly deadline: number,
  ) {}

  /** Rounds that have ended. */
  get done(): number {
    return Math.max(0, this.begun - 1);
  }

  /** Begins a round; false where there is to be none. */
  next(): boolean {
    const now = performance.now();
    const goesOn = this.begun === 0 || (this.begun < this.most && now + (now - this.start) / this.begun <= this.deadline);
    this.begun += goesOn ? 1 : 0;
    return goesOn;
  }
}

/** A part of a calibration: what of its time ends with it, from 0 to 1, and how many steps it has at most. */
export interface Stage {
  readonly share: number;
  readonly steps: number;
}

/**
 * The time of a calibration, shared out to its stages, so that none takes that of those after it: what a stage does not need is
 * left to the next. Progress goes by the same shares.
 */
export class Schedule {
  private readonly start = performance.now();
  private from = 0;
  private current: Stage = { share: 0, steps: 1 };
  private done = 0;
  private shown = 0;
  private missed = 0;

  /** @param longestMs when the last stage is to end, in milliseconds after the first began */
  constructor(private readonly longestMs: number) {}

  begin(stage: Stage): void {
    this.from = this.current.share;
    this.current = stage;
    this.done = 0;
  }

  /** Time of `performance.now()` at which the stage is to end. */
  get until(): number {
    return this.start + this.current.share * this.longestMs;
  }

  /** Whether there is time to measure one more thing of the stage; where there is none, that one is left out. */
  allows(): boolean {
    const allowed = performance.now() < this.until;
    this.missed += allowed ? 0 : 1;
    return allowed;
  }

  /** Measurements that were left out. */
  get leftOut(): number {
    return this.missed;
  }

  /** Counts a step of the stage. @returns the share of all that is behind it, which never falls */
  step(): number {
    const within = Math.min(1, this.done / this.current.steps);
    this.done += 1;
    this.shown = Math.max(this.shown, this.from + (this.current.share - this.from) * within);
    return this.shown;
  }
}

/** The median of a list that is not empty, of its two middle values the larger. */
export function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Floats of the tensor that is copied: more than a processor's caches hold. */
const floats = 8 * 1024 * 1024;

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
