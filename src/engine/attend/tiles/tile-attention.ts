import { attendGraph, type AttendShape } from '../graphs/attend';
import { type GraphSession, type Operand, SessionPool } from '../runtime/session';
import type { Device } from '../runtime/provider';
import type { AttentionResult, AttentionRun, KeyStack, RunningSums } from './oracle';

/** What distinguishes a run's graph besides its stacks. */
type Ends = Pick<AttendShape, 'summed' | 'continues' | 'continued'>;

/** Attention calls on ONNX Runtime: one session per arrangement of tiles, created at first use. */
export class TileAttention {
  private readonly sessions: SessionPool;

  /**
   * @param headWidth m
   * @param scoreCap c, where scores s are bent to `c tanh(s / c)`
   */
  constructor(
    private readonly headWidth: number,
    device: Device,
    private readonly scoreCap?: number,
  ) {
    this.sessions = new SessionPool(device);
  }

  /** A query's whole attention, or the rest of it. */
  attend(run: AttentionRun): Promise<AttentionResult> {
    return this.run(run, { summed: run.blocks === 1, continues: run.carried !== undefined, continued: false });
  }

  /** Sums that a later run continues. */
  attendOn(run: AttentionRun): Promise<RunningSums> {
    return this.run(run, { summed: run.blocks === 1, continues: run.carried !== undefined, continued: true });
  }

  /** Each tile of one stack separately. */
  attendApart(run: AttentionRun): Promise<AttentionResult> {
    return this.run(run, { summed: false, continues: false, continued: false });
  }

  async release(): Promise<void> {
    await this.sessions.release();
  }

  private async run<Result>({ rows, blocks, query, stacks, further = [], carried, apart }: AttentionRun, ends: Ends): Promise<Result> {
    const width = this.headWidth;
    const operands: Record<string, Operand> = { query: { data: query, shape: [blocks, rows, width] } };
    const read = ({ tiles, key, value, mask }: KeyStack, index: number): void => {
      const keys = key.length / (tiles * width);
      operands[`key${index}`] = { data: key, shape: [tiles, keys, width] };
      operands[`value${index}`] = { data: value, shape: [tiles, keys, width] };
      if (mask !== undefined) {
        operands[`mask${index}`] = { data: mask, shape: [rows, keys] };
      }
    };
    stacks.forEach(read);
    further.forEach((stack, block) => stack && read(stack, stacks.length + block));
    if (carried !== undefined) {
      operands.carriedReference = { data: carried.reference, shape: [blocks, rows, 1] };
      operands.carriedWeighted = { data: carried.weighted, shape: [blocks, rows, width] };
      operands.carriedSum = { data: carried.sum, shape: [blocks, rows, 1] };
    }
    const shape: AttendShape = {
      headWidth: this.headWidth,
      stacks: stacks.map(({ tiles, mask }) => ({
        masked: mask !== undefined,
        tiles: blocks === 1 ? 'any' : tiles === 1 ? 'one' : 'each',
      })),
      further: further.some((stack) => stack !== undefined) ? further.map((stack) => stack !== undefined) : [],
      scoreCap: this.scoreCap,
      ...(apart === true && { apart }),
      ...ends,
    };
    const session: GraphSession = await this.sessions.get(JSON.stringify(shape), () => attendGraph(shape));
    return (await session.run(operands)) as Result;
  }
}
