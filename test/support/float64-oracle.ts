import { emptyState, mergeRow } from '../../src/core/math/attention-state';
import type { CallCounter } from '../../src/engine/attend/black-box/black-box';
import type { AttentionResult, AttentionRun, Oracle, RunningSums } from '../../src/engine/attend/tiles/oracle';
import { denseAttention, toRows } from './dense-attention';

/** An oracle in plain float64 that only attends: executors are tested against it without ONNX Runtime. */
export class Float64Oracle implements Pick<Oracle, 'attend' | 'attendOn' | 'attendApart' | 'closeRound' | 'calls'> {
  readonly calls: CallCounter = { attention: 0, tokenwise: 0, retries: 0, dispatches: 0 };
  private instances = 0;

  attend(run: AttentionRun): Promise<AttentionResult> {
    this.count(run);
    const parts = run.stacks.map((_, index) => this.stackStates(run, index));
    const whole = parts.reduce((left, right) => mergeAll(left, right), carriedStates(run));
    return Promise.resolve({ ...whole, logSum: new Float32Array(whole.logNormaliser.length) });
  }

  async attendOn(run: AttentionRun): Promise<RunningSums> {
    const { out, logNormaliser } = await this.attend(run);
    return { reference: logNormaliser, weighted: out, sum: new Float32Array(logNormaliser.length).fill(1) };
  }

  attendApart(): Promise<AttentionResult> {
    throw new Error('Nothing overflows in float64.');
  }

  closeRound(perCall: number): void {
    this.calls.attention += Math.ceil(this.instances / perCall);
    this.instances = 0;
  }

  /** States `[blocks, M]` over the keys of one stack. */
  private stackStates({ rows, blocks, query, stacks, plainKeys }: AttentionRun, index: number): States {
    const { key, value, tiles, mask } = stacks[index];
    const width = query.length / (blocks * rows);
    const part = (buffer: Float32Array, at: number, count: number, columns: number): number[][] =>
      toRows(buffer.subarray(at * rows * columns, (at + count) * rows * columns), columns);
    let states: States | undefined;
    for (let block = 0; block < blocks; block += 1) {
      // One query block reads all tiles of a stack; of several, each reads its own or all read the only one.
      const [from, count] = blocks === 1 ? [0, tiles] : [tiles === 1 ? 0 : block, 1];
      const keys = part(key, from, count, plainKeys ? width : width + 1).map((row) => row.slice(0, width));
      // Hidden pairs carry a huge negative score: the same contract as the ONNX graph's.
      const state = denseAttention(
        part(query, block, 1, width),
        keys,
        part(value, from, count, width),
        (q, k) => (mask?.[q * rows + (k % rows)] ?? 0) > -1e29,
      );
      const own: States = { out: Float32Array.from(state.out.flat()), logNormaliser: Float32Array.from(state.logNormaliser) };
      states =
        states === undefined ? own : { out: joined(states.out, own.out), logNormaliser: joined(states.logNormaliser, own.logNormaliser) };
    }
    return states ?? { out: new Float32Array(), logNormaliser: new Float32Array() };
  }

  private count({ instances }: AttentionRun): void {
    this.instances += instances;
    this.calls.dispatches += 1;
  }
}

interface States {
  readonly out: Float32Array;
  readonly logNormaliser: Float32Array;
}

function carriedStates({ carried, rows, blocks, query }: AttentionRun): States {
  if (carried === undefined) {
    const empty = emptyState(rows * blocks, query.length / (rows * blocks));
    return { out: Float32Array.from(empty.out), logNormaliser: Float32Array.from(empty.logNormaliser) };
  }
  return { out: carried.weighted, logNormaliser: carried.reference };
}

function mergeAll(left: States, right: States): States {
  const rows = left.logNormaliser.length;
  const width = left.out.length / rows;
  const merged = { rows, width, out: left.out.slice(), logNormaliser: left.logNormaliser.slice() };
  for (let row = 0; row < rows; row += 1) {
    mergeRow(merged, row, { rows, width, ...right }, row);
  }
  return merged;
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  return Float32Array.from([...a, ...b]);
}
