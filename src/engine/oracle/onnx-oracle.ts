import type { BlackBoxShape } from '../../core/constructions/slice';
import type { Plan } from '../../core/plan/plan';
import { OnnxBlackBox, type BlackBox } from '../black-box/black-box';
import { comparePredictionsGraph } from '../graphs/compare-predictions';
import { outputAndMlpGraph } from '../graphs/output-and-mlp';
import { projectGraph } from '../graphs/project';
import type { LayerWeights, LoadedModel } from '../model/load';
import type { ModelConfig } from '../model/config';
import { GraphSession } from '../runtime/graph-session';
import type { Device } from '../runtime/provider';
import type { AttentionResult, AttentionRun, CallCounter, Oracle, PredictionComparer, PredictionComparison, RunningSums } from './oracle';
import { RotaryTables } from './rotary';
import { TileAttention } from './tile-attention';

/** The small transformer on ONNX Runtime: one session per graph, weights given with each call. */
export class OnnxOracle implements Oracle, PredictionComparer {
  private readonly blackBoxes: OnnxBlackBox[] = [];
  private readonly tiles: TileAttention;
  private readonly rotary: RotaryTables;
  /** Single-head instances of the round that is not closed yet, and those that were run again. */
  private readonly open = { instances: 0, again: 0 };
  readonly calls: CallCounter = { attention: 0, tokenwise: 0, retries: 0, dispatches: 0 };

  private constructor(
    private readonly config: ModelConfig,
    private readonly inputLength: number,
    readonly device: Device,
    private readonly sessions: Readonly<Record<SessionName, GraphSession>>,
  ) {
    this.tiles = new TileAttention(config.shape.headWidth, device);
    this.rotary = new RotaryTables(config.shape.headWidth, config.ropeTheta);
  }

  /** Loads the graphs. @param inputLength M, by which token-wise calls are counted */
  static async create(config: ModelConfig, inputLength: number, device: Device): Promise<OnnxOracle> {
    const { shape, normEpsilon } = config;
    const load = (graph: Uint8Array): Promise<GraphSession> => GraphSession.create(graph, device);
    return new OnnxOracle(config, inputLength, device, {
      project: await load(projectGraph(shape, normEpsilon)),
      outputAndMlp: await load(outputAndMlpGraph(shape, normEpsilon)),
      comparePredictions: await load(comparePredictionsGraph(shape, normEpsilon)),
    });
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

  closeRound(perCall: number): void {
    const retries = Math.ceil(this.open.again / perCall);
    this.calls.attention += Math.ceil(this.open.instances / perCall) + retries;
    this.calls.retries += retries;
    this.open.instances = 0;
    this.open.again = 0;
  }

  async project(hidden: Float32Array, layer: LayerWeights, firstToken: number): Promise<Record<'query' | 'key' | 'value', Float32Array>> {
    const { width, headWidth, heads, keyValueHeads } = this.config.shape;
    const rows = this.countTokenwise(hidden.length / width);
    const { cos, sin } = this.rotary.get(rows, firstToken);
    return this.sessions.project.run({
      hidden: { data: hidden, shape: [rows, width] },
      norm: { data: layer.attentionNorm, shape: [width] },
      queryWeight: { data: layer.query, shape: [heads * headWidth, width] },
      keyWeight: { data: layer.key, shape: [keyValueHeads * headWidth, width] },
      valueWeight: { data: layer.value, shape: [keyValueHeads * headWidth, width] },
      cos: { data: cos, shape: [rows, headWidth] },
      sin: { data: sin, shape: [rows, headWidth] },
    });
  }

  async outputAndMlp(hidden: Float32Array, attended: Float32Array, layer: LayerWeights): Promise<Float32Array> {
    const { width, headWidth, heads, feedForwardWidth } = this.config.shape;
    const rows = this.countTokenwise(hidden.length / width);
    const { next } = await this.sessions.outputAndMlp.run<'next'>({
      hidden: { data: hidden, shape: [rows, width] },
      attended: { data: attended, shape: [heads, rows, headWidth] },
      outputWeight: { data: layer.output, shape: [width, heads * headWidth] },
      norm: { data: layer.mlpNorm, shape: [width] },
      gateWeight: { data: layer.gate, shape: [feedForwardWidth, width] },
      upWeight: { data: layer.up, shape: [feedForwardWidth, width] },
      downWeight: { data: layer.down, shape: [width, feedForwardWidth] },
    });
    return next;
  }

  async compare(model: LoadedModel, hidden: Float32Array, baseline: Float32Array, targets: BigInt64Array): Promise<PredictionComparison> {
    const { width, vocabulary } = this.config.shape;
    const rows = targets.length;
    return this.sessions.comparePredictions.run({
      hidden: { data: hidden, shape: [rows, width] },
      baseline: { data: baseline, shape: [rows, width] },
      norm: { data: model.finalNorm, shape: [width] },
      head: { data: model.head, shape: [vocabulary, width] },
      target: { data: targets, shape: [rows, 1] },
    });
  }

  blackBox(shape: BlackBoxShape): BlackBox {
    const blackBox = new OnnxBlackBox(shape, this.device, this.calls);
    this.blackBoxes.push(blackBox);
    return blackBox;
  }

  async release(): Promise<void> {
    await Promise.all(this.blackBoxes.map((blackBox) => blackBox.release()));
    await this.tiles.release();
    await Promise.all(Object.values(this.sessions).map((session) => session.release()));
  }

  private countInstances({ instances }: AttentionRun): void {
    this.open.instances += instances;
    this.calls.dispatches += 1;
  }

  /** Counts what one compiled layer of a plan carries: its attention calls and the two token-wise passes over its tokens. */
  countLayer(instances: number, { tokens, oracle }: Pick<Plan, 'tokens' | 'oracle'>): void {
    this.calls.attention += Math.ceil(instances / (oracle.heads * oracle.layers));
    this.calls.tokenwise += 2 * Math.ceil(tokens / oracle.inputLength);
    this.calls.dispatches += 1;
  }

  /** Counts a dispatch over `rows` tokens as one call per started M tokens; returns `rows`. */
  private countTokenwise(rows: number): number {
    this.calls.tokenwise += Math.ceil(rows / this.inputLength);
    this.calls.dispatches += 1;
    return rows;
  }
}

type SessionName = 'project' | 'outputAndMlp' | 'comparePredictions';
