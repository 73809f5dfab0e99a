import type { Range } from '../../../core/scenario/scenario';
import type { Architecture } from '../../read/model/architecture';
import type { LayerWeights } from '../../read/model/load';
import { rotatedColumns, type RotaryEmbedding, type RotaryTable } from '../../read/model/rope';
import { elementsOf, shapesOf, type Weight, type Weights } from '../../read/model/weights';
import { decodeStepGraph, type StepLayer } from '../graphs/decode-step';
import { type GivenWeights, usesCodes } from '../graphs/linear';
import { throwIfCancelled } from '../runtime/clock';
import { type Device, hasRuntimeOperators } from '../runtime/provider';
import { type FloatOperand, GraphSession, type Operand } from '../runtime/session';

/** Keys and values of a layer that the newest token reads, without its own. */
export interface CachedKeys {
  /** Both `[H_kv, 1, slots, m]`. */
  readonly keys: FloatOperand;
  readonly values: FloatOperand;
  /** Added to the scores of the slots and, behind them, to that of the token's own key. */
  readonly mask: Float32Array;
}

/** What a layer made of the newest token; the last three for checks only. */
export interface SteppedLayer {
  /** `[H_kv, m]` each. */
  readonly key: Float32Array;
  readonly value: Float32Array;
  /** The residual stream before the layer `[d]`. */
  readonly hidden?: Float32Array;
  /** `[H, m]` each. */
  readonly query?: Float32Array;
  readonly attended?: Float32Array;
}

/** What a step made: of each layer, and the last residual stream `[d]`. */
export interface SteppedToken {
  readonly layers: readonly SteppedLayer[];
  readonly next: Float32Array;
}

/** What one step is about. */
export interface DecodeStep {
  /** The residual stream before the first layer `[d]`. */
  readonly hidden: Float32Array;
  readonly position: number;
  /** Of each layer. */
  readonly caches: readonly CachedKeys[];
  readonly tableOf: (rotary: RotaryEmbedding) => RotaryTable;
  readonly signal: AbortSignal;
}

/** Layers of one run. */
interface Group {
  readonly layers: readonly LayerWeights[];
  readonly session: GraphSession;
  /** Of its weights that are not inside. */
  readonly operands: Readonly<Record<string, Operand>>;
}

/**
 * Bytes of weights that one run reads at most, but for a layer that has more: a run cannot be cancelled, and while its session is made,
 * packed weights are in memory three times.
 */
const mostWeightBytes = 256 * 1024 ** 2;

/** Layers of one run at most: a session takes some 10 ms a layer to make, and more runs take some 0.1 ms each. */
const mostLayers = 6;

/**
 * Steps of one token through all layers: a graph for as many layers as one run may have.
 *
 * Weights in float32 are operands of each run, which are not copied, and graphs that differ in nothing else share a session; packed ones
 * are inside, as one row is multiplied by them.
 */
export class DecodeSteps {
  private groups: readonly Group[] = [];
  private readonly sessions = new Map<string, GraphSession>();

  private constructor(private readonly architecture: Architecture) {}

  /** @param inspected whether steps give what checks look at */
  static async create(
    architecture: Architecture,
    layers: readonly LayerWeights[],
    device: Device,
    inspected: boolean,
  ): Promise<DecodeSteps> {
    const steps = new DecodeSteps(architecture);
    try {
      for (const { from, to } of groupsOf(layers, device)) {
        const own = layers.slice(from, to);
        const operands: Record<string, Operand> = {};
        const described = own.map(({ project, attend, outputAndMlp, rotary }, index): StepLayer => {
          addTo(operands, `${index}.`, attend);
          return {
            project: givenTo(operands, `${index}.project.`, project, device),
            outputAndMlp: givenTo(operands, `${index}.output.`, outputAndMlp, device),
            columns: rotary && rotatedColumns(rotary, architecture.shape.headWidth),
            sinks: attend.sinks !== undefined,
          };
        });
        const create = (): Promise<GraphSession> =>
          GraphSession.create(decodeStepGraph(architecture, described, inspected, hasRuntimeOperators(device)), device);
        const isBare = described.every(({ project, outputAndMlp }) => 'inputs' in project && 'inputs' in outputAndMlp);
        const name = isBare ? JSON.stringify(described) : `from ${from}`;
        const session = steps.sessions.get(name) ?? (await create());
        steps.sessions.set(name, session);
        steps.groups = [...steps.groups, { layers: own, session, operands }];
      }
      return steps;
    } catch (error) {
      await steps.release();
      throw error;
    }
  }

  /** Runs of a step. */
  get dispatches(): number {
    return this.groups.length;
  }

  /** Runs a step. @throws CancelledError between two runs */
  async run({ hidden, position, caches, tableOf, signal }: DecodeStep): Promise<SteppedToken> {
    const { width } = this.architecture.shape;
    const stepped: SteppedLayer[] = [];
    let next = hidden;
    for (const { layers, session, operands } of this.groups) {
      const own = caches.slice(stepped.length, stepped.length + layers.length);
      throwIfCancelled(signal);
      const inputs: Record<string, Operand> = { ...operands, hidden: { data: next, shape: [1, width] } };
      if (this.architecture.alibi !== undefined) {
        inputs.positions = { data: Float32Array.of(position), shape: [1, 1] };
      }
      layers.forEach(({ rotary }, index) => {
        const { keys, values, mask } = own[index];
        inputs[`${index}.keys`] = keys;
        inputs[`${index}.values`] = values;
        inputs[`${index}.mask`] = { data: mask, shape: [mask.length] };
        if (rotary !== undefined) {
          const { cos, sin, columns } = tableOf(rotary);
          inputs[`${index}.cos`] = { data: cos, shape: [1, columns / 2] };
          inputs[`${index}.sin`] = { data: sin, shape: [1, columns / 2] };
        }
      });
      const found: Readonly<Record<string, Float32Array>> = await session.run(inputs);
      stepped.push(
        ...layers.map((_, index): SteppedLayer => {
          const of = (name: string): Float32Array => found[`${index}.${name}`];
          return { key: of('key'), value: of('value'), hidden: of('hidden'), query: of('query'), attended: of('attended') };
        }),
      );
      next = found.next;
    }
    return { layers: stepped, next };
  }

  async release(): Promise<void> {
    await Promise.all([...this.sessions.values()].map((session) => session.release()));
    this.sessions.clear();
    this.groups = [];
  }
}

/** How the graph gets some weights; those that are not inside are added to the operands. */
function givenTo<Name extends string>(
  operands: Record<string, Operand>,
  prefix: string,
  weights: Weights<Name>,
  device: Device,
): GivenWeights<Name> {
  if (usesCodes(weights, device)) {
    return { constants: weights, oneRow: true, activations: device.activations ?? 'float32' };
  }
  addTo(operands, prefix, weights);
  return { inputs: shapesOf(weights) };
}

function addTo<Name extends string>(operands: Record<string, Operand>, prefix: string, weights: Weights<Name>): void {
  // What is in a file is read now, and kept: every step needs it.
  Object.entries(weights as Readonly<Record<string, Weight>>).forEach(
    ([name, { shape, data }]) => (operands[prefix + name] = { shape, data }),
  );
}

/** Layers in groups that follow one another, of about as many layers each. */
function groupsOf(layers: readonly LayerWeights[], device: Device): readonly Range[] {
  const size = Math.ceil(layers.length / Math.ceil(layers.length / mostLayers));
  const groups: Range[] = [];
  let [from, bytes] = [0, 0];
  layers.forEach(({ project, outputAndMlp }, layer) => {
    const own = bytesOf(project, device) + bytesOf(outputAndMlp, device);
    if (layer > from && (layer - from === size || bytes + own > mostWeightBytes)) {
      groups.push({ from, to: layer });
      [from, bytes] = [layer, 0];
    }
    bytes += own;
  });
  return [...groups, { from, to: layers.length }];
}

/** Bytes of weights as a device multiplies by them. */
function bytesOf<Name extends string>(weights: Weights<Name>, device: Device): number {
  const inCodes = usesCodes(weights, device);
  return Object.values(weights as Readonly<Record<string, Weight>>).reduce((sum, { shape, codeBits }) => {
    // A scale in float32 for each block of 32, or of 16.
    return sum + elementsOf(shape) * (inCodes && codeBits !== undefined ? (codeBits + 1) / 8 : Float32Array.BYTES_PER_ELEMENT);
  }, 0);
}
