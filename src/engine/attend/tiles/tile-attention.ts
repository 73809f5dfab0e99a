import { attendGraph, type AttendShape, hiddenScore } from '../graphs/attend';
import { chosenTilesGraph, tileMassesGraph } from '../graphs/chosen-tiles';
import { type GraphSession, type Operand, SessionPool } from '../runtime/session';
import type { Device } from '../runtime/provider';
import type { AttentionResult, AttentionRun, ChosenRun, KeyStack, MassesRun, RunningSums } from './oracle';

/** What distinguishes a run's graph besides its stacks, and whether the open tiles of a single query block are joined. */
type Ends = Pick<AttendShape, 'continues' | 'continued'> & { readonly joins: boolean };

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
    return this.run(run, { joins: true, continues: run.carried !== undefined, continued: false });
  }

  /** Sums that a later run continues. */
  attendOn(run: AttentionRun): Promise<RunningSums> {
    return this.run(run, { joins: true, continues: run.carried !== undefined, continued: true });
  }

  /** Each tile of one stack separately. */
  attendApart(run: AttentionRun): Promise<AttentionResult> {
    return this.run(run, { joins: false, continues: false, continued: false });
  }

  /** Tiles of a head in any number, each of one query block. */
  async attendChosen({
    rows,
    blocks,
    query,
    reference,
    key,
    value,
    of,
    scales,
  }: ChosenRun): Promise<Pick<RunningSums, 'weighted' | 'sum'>> {
    const { headWidth, scoreCap } = this;
    const tiles = of.length;
    const session = await this.sessions.get(`chosen ${rows}`, () => chosenTilesGraph({ headWidth, rows, scoreCap }));
    return session.run<'weighted' | 'sum'>({
      query: { data: query, shape: [blocks, rows, headWidth] },
      reference: { data: reference, shape: [blocks, rows, 1] },
      key: { data: key, shape: [tiles, rows, headWidth] },
      value: { data: value, shape: [tiles, rows, headWidth] },
      of: { data: of, shape: [tiles] },
      scales: { data: scales, shape: [blocks, tiles] },
    });
  }

  /** Masses of key blocks for some queries. */
  async masses({ rows, heads, blocks, query, positions, key, sinks }: MassesRun): Promise<Float32Array> {
    const { headWidth, scoreCap } = this;
    const [queries, keys] = [positions.length / blocks, key.length / headWidth];
    const session = await this.sessions.get(`masses ${rows}`, () => tileMassesGraph({ headWidth, rows, scoreCap }));
    const { masses } = await session.run<'masses'>({
      query: { data: query, shape: [heads, blocks, queries, headWidth] },
      key: { data: key, shape: [keys, headWidth] },
      queryPosition: { data: positions, shape: [1, blocks, queries, 1] },
      keyPosition: { data: Float32Array.from({ length: keys }, (_, position) => position), shape: [keys] },
      sink: { data: sinks ?? new Float32Array(heads).fill(hiddenScore), shape: [heads, 1, 1, 1] },
    });
    return masses;
  }

  async release(): Promise<void> {
    await this.sessions.release();
  }

  private async run<Result>(
    { rows, blocks, query, stacks, further = [], carried, apart }: AttentionRun,
    { joins, ...ends }: Ends,
  ): Promise<Result> {
    const width = this.headWidth;
    const operands: Record<string, Operand> = { query: { data: query, shape: [blocks, rows, width] } };
    const kinds = stacks.map(({ tiles, mask }): AttendShape['stacks'][number]['tiles'] => {
      if (blocks > 1) {
        return tiles === 1 ? 'one' : 'each';
      }
      return joins && mask === undefined ? 'joined' : 'apart';
    });
    const read = ({ tiles, key, value, mask }: KeyStack, index: number, isJoined: boolean): void => {
      const keys = key.length / (tiles * width);
      const shape = isJoined ? [tiles * keys, width] : [tiles, keys, width];
      operands[`key${index}`] = { data: key, shape };
      operands[`value${index}`] = { data: value, shape };
      if (mask !== undefined) {
        operands[`mask${index}`] = { data: mask, shape: [rows, keys] };
      }
    };
    stacks.forEach((stack, index) => read(stack, index, kinds[index] === 'joined'));
    further.forEach((stack, block) => stack && read(stack, stacks.length + block, true));
    if (carried !== undefined) {
      operands.carriedReference = { data: carried.reference, shape: [blocks, rows, 1] };
      operands.carriedWeighted = { data: carried.weighted, shape: [blocks, rows, width] };
      operands.carriedSum = { data: carried.sum, shape: [blocks, rows, 1] };
    }
    const shape: AttendShape = {
      headWidth: this.headWidth,
      stacks: stacks.map(({ mask }, index) => ({ masked: mask !== undefined, tiles: kinds[index] })),
      further: further.some((stack) => stack !== undefined) ? further.map((stack) => stack !== undefined) : [],
      scoreCap: this.scoreCap,
      ...(apart === true && { apart: rows }),
      ...ends,
    };
    const session: GraphSession = await this.sessions.get(JSON.stringify(shape), () => attendGraph(shape));
    return (await session.run(operands)) as Result;
  }
}
