import { emptyState, mergeRow } from '../../src/core/math/attention-state';
import type { CallCounter } from '../../src/engine/attend/black-box/black-box';
import type { AttentionResult, AttentionRun, KeyStack, Oracle, RunningSums } from '../../src/engine/attend/tiles/oracle';
import { denseAttention, toRows } from './dense-attention';

/** An oracle in plain float64 that only attends: executors are tested against it without ONNX Runtime. */
export class Float64Oracle implements Pick<Oracle, 'attend' | 'attendOn' | 'attendApart' | 'closeRound' | 'calls'> {
  readonly calls: CallCounter = { attention: 0, tokenwise: 0, retries: 0, dispatches: 0 };
  private instances = 0;

  attend(run: AttentionRun): Promise<AttentionResult> {
    this.count(run);
    const parts = run.stacks.map((_, index) => this.stackStates(run, index));
    const further = run.further?.some((stack) => stack !== undefined) ? [this.furtherStates(run, run.further)] : [];
    const whole = [...parts, ...further].reduce((left, right) => mergeAll(left, right), carriedStates(run));
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

  /** States `[blocks, M]` over the keys that only one query block reads. */
  private furtherStates({ query, blocks, ...run }: AttentionRun, further: readonly (KeyStack | undefined)[]): States {
    const size = query.length / blocks;
    const states = further.map((stack, block): States => {
      const own = { ...run, blocks: 1, query: query.subarray(block * size, (block + 1) * size), stacks: stack ? [stack] : [] };
      return stack ? this.stackStates(own, 0) : carriedStates({ ...own, carried: undefined });
    });
    return {
      out: joined(...states.map(({ out }) => out)),
      logNormaliser: joined(...states.map(({ logNormaliser }) => logNormaliser)),
    };
  }

  /** States `[blocks, M]` over the keys of one stack. */
  private stackStates({ rows, blocks, query, stacks }: AttentionRun, index: number): States {
    const { key, value, tiles, mask } = stacks[index];
    const width = query.length / (blocks * rows);
    const perTile = key.length / (tiles * width);
    const part = (buffer: Float32Array, at: number, count: number, own = perTile): number[][] =>
      toRows(buffer.subarray(at * own * width, (at + count) * own * width), width);
    let states: States | undefined;
    for (let block = 0; block < blocks; block += 1) {
      // One query block reads all tiles of a stack; of several, each reads its own or all read the only one.
      const [from, count] = blocks === 1 ? [0, tiles] : [tiles === 1 ? 0 : block, 1];
      const keys = part(key, from, count);
      // Hidden pairs carry a huge negative score: the same contract as the ONNX graph's.
      const state = denseAttention(
        part(query, block, 1, rows),
        keys,
        part(value, from, count),
        (q, k) => (mask?.[q * perTile + (k % perTile)] ?? 0) > -1e29,
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

function joined(...parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}
