import type { BlackBoxShape } from '../../../core/construct/slice';
import type { Plan } from '../../../core/plan/plan';
import type { Range } from '../../../core/scenario/scenario';
import { numbersIn } from '../../../core/shards/cut';
import type { Architecture } from '../../read/model/architecture';
import type { LayerWeights } from '../../read/model/load';
import { RotaryTables } from '../../read/model/rope';
import { type BlackBox, type CallCounter, OnnxBlackBox } from '../black-box/black-box';
import { withExpertsOn } from '../graphs/experts';
import { outputAndMlpGraph, projectGraph } from '../graphs/tokenwise';
import { type Device, hasRuntimeOperators } from '../runtime/provider';
import { SessionPool } from '../runtime/session';
import type { AttentionResult, AttentionRun, ChosenRun, MassesRun, Oracle, RunningSums } from './oracle';
import { type DecodeStep, DecodeSteps, type SteppedToken } from './decode-steps';
import { TileAttention } from './tile-attention';

/** The small transformer on ONNX Runtime: one session per graph, weights passed with each call. */
export class OnnxOracle implements Oracle {
  private readonly blackBoxes: OnnxBlackBox[] = [];
  private readonly tiles: TileAttention;
  private readonly tokenwise: SessionPool;
  /** Steps of one token, while they are made: their sessions and those of the halves of layers would have packed weights twice. */
  private steps: DecodeSteps | undefined;
  private rotary: RotaryTables;
  private readonly architecture: Architecture;
  /** Single-head instances of the current round, and repeated ones among them. */
  private readonly open = { instances: 0, again: 0 };
  readonly calls: CallCounter = { attention: 0, tokenwise: 0, retries: 0, dispatches: 0 };

  /**
   * @param inputLength M, the unit for counting token-wise calls
   * @param tokens length of the sequence, for rotary embeddings that depend on it
   */
  constructor(
    architecture: Architecture,
    private readonly inputLength: number,
    readonly device: Device,
    tokens = 0,
  ) {
    this.architecture = withExpertsOn(architecture, device);
    this.tiles = new TileAttention(architecture.shape.headWidth, device, architecture.shape.scoreCap);
    this.tokenwise = new SessionPool(device);
    this.rotary = new RotaryTables(architecture.shape.headWidth, tokens);
  }

  /**
   * Sessions with weights inside keep no memory of their own: what a run computes between its products is new to it, and where that is
   * too large for what the allocator keeps, the system clears every page of it first.
   */
  get mostRows(): number | undefined {
    return this.device.activations === 'int8' ? 512 : undefined;
  }

  /** Keeps the weights that are read from files: see `SessionPool`. */
  keepWeights(): void {
    this.tokenwise.keepWeights();
  }

  rotateFor(tokens: number): void {
    this.rotary = new RotaryTables(this.architecture.shape.headWidth, tokens);
  }

  attend(run: AttentionRun): Promise<AttentionResult> {
    this.countInstances(run);
    return this.tiles.attend(run);
  }

  attendOn(run: AttentionRun): Promise<RunningSums> {
    this.countInstances(run);
    return this.tiles.attendOn(run);
  }

  attendApart(run: AttentionRun): Promise<AttentionResult> {
    this.open.again += run.instances;
    this.calls.dispatches += 1;
    return this.tiles.attendApart(run);
  }

  attendChosen(run: ChosenRun): Promise<Pick<RunningSums, 'weighted' | 'sum'>> {
    this.countInstances({ instances: run.of.length });
    return this.tiles.attendChosen(run);
  }

  tileMasses(run: MassesRun): Promise<Float32Array> {
    return this.tiles.masses(run);
  }

  closeRound(perCall: number): void {
    const retries = Math.ceil(this.open.again / perCall);
    this.calls.attention += Math.ceil(this.open.instances / perCall) + retries;
    this.calls.retries += retries;
    this.open.instances = 0;
    this.open.again = 0;
  }

  async project(
    hidden: Float32Array,
    { project: weights, rotary }: LayerWeights,
    positions: readonly Range[],
  ): Promise<Record<'query' | 'key' | 'value', Float32Array>> {
    await this.endSteps();
    const { width } = this.architecture.shape;
    const rows = this.countTokenwise(hidden.length / width);
    const table = rotary && this.rotary.over(rotary, positions);
    const { session, operands } = await this.tokenwise.withWeights(`project ${table?.columns}`, weights, rows, (given) =>
      projectGraph(this.architecture, given, table?.columns, hasRuntimeOperators(this.device)),
    );
    return session.run({
      hidden: { data: hidden, shape: [rows, width] },
      ...operands,
      ...(this.architecture.alibi && {
        positions: { data: Float32Array.from(numbersIn(positions)), shape: [rows, 1] },
      }),
      ...(table && {
        cos: { data: table.cos, shape: [rows, table.columns / 2] },
        sin: { data: table.sin, shape: [rows, table.columns / 2] },
      }),
    });
  }

  async outputAndMlp(hidden: Float32Array, attended: Float32Array, { outputAndMlp: weights }: LayerWeights): Promise<Float32Array> {
    const { width, headWidth, heads } = this.architecture.shape;
    const rows = this.countTokenwise(hidden.length / width);
    const { session, operands } = await this.tokenwise.withWeights('output', weights, rows, (given) =>
      outputAndMlpGraph(this.architecture, given, hasRuntimeOperators(this.device)),
    );
    const { next } = await session.run<'next'>({
      hidden: { data: hidden, shape: [rows, width] },
      attended: { data: attended, shape: [heads, rows, headWidth] },
      ...operands,
    });
    return next;
  }

  /**
   * Runs one token through all layers, in as few dispatches as may be: see `DecodeSteps`.
   *
   * @param layers of the model, the same at each step
   * @param instances single-head tiles of each layer's attention, which count as calls of `perCall` each
   * @param inspected whether to give what checks look at
   * @throws CancelledError between two dispatches
   */
  async decodeStep(
    layers: readonly LayerWeights[],
    step: Omit<DecodeStep, 'tableOf'>,
    { instances, perCall, inspected }: { readonly instances: readonly number[]; readonly perCall: number; readonly inspected: boolean },
  ): Promise<SteppedToken> {
    if (this.steps === undefined) {
      await this.tokenwise.release();
      this.steps = await DecodeSteps.create(this.architecture, layers, this.device, inspected);
    }
    instances.forEach((ofLayer) => (this.calls.attention += Math.ceil(ofLayer / perCall)));
    // Two for each layer, as of any rows up to M.
    this.calls.tokenwise += 2 * layers.length;
    this.calls.dispatches += this.steps.dispatches;
    return this.steps.run({ ...step, tableOf: (rotary) => this.rotary.get(rotary, 1, step.position) });
  }

  private async endSteps(): Promise<void> {
    await this.steps?.release();
    this.steps = undefined;
  }

  async uncounted<T>(work: () => Promise<T>): Promise<T> {
    const [calls, open] = [{ ...this.calls }, { ...this.open }];
    try {
      return await work();
    } finally {
      Object.assign(this.calls, calls);
      Object.assign(this.open, open);
    }
  }

  blackBox(shape: BlackBoxShape): BlackBox {
    const blackBox = new OnnxBlackBox(shape, this.device, this.calls);
    this.blackBoxes.push(blackBox);
    return blackBox;
  }

  async release(): Promise<void> {
    await Promise.all(this.blackBoxes.map((blackBox) => blackBox.release()));
    await this.tiles.release();
    await this.tokenwise.release();
    await this.endSteps();
  }

  private countInstances({ instances }: Pick<AttentionRun, 'instances'>): void {
    this.open.instances += instances;
    this.calls.dispatches += 1;
  }

  /** Counts the calls of one compiled layer: its attention calls and the two token-wise passes over its tokens. */
  countLayer(instances: number, { tokens, oracle }: Pick<Plan, 'tokens' | 'oracle'>): void {
    this.calls.attention += Math.ceil(instances / (oracle.heads * oracle.layers));
    this.calls.tokenwise += 2 * Math.ceil(tokens / oracle.inputLength);
    this.calls.dispatches += 1;
  }

  /** Counts a dispatch over `rows` tokens as ceil(rows / M) calls; returns `rows`. */
  private countTokenwise(rows: number): number {
    this.calls.tokenwise += Math.ceil(rows / this.inputLength);
    this.calls.dispatches += 1;
    return rows;
  }
}
