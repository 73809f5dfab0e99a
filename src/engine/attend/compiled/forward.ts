import { InferenceSession, Tensor } from '../../onnxruntime';
import type { Precision } from '../../../core/options/table';
import { layerParts, type LayerPlan, partOfLayers } from '../../../core/plan/plan';
import { wholeStep } from '../../../core/plan/segments';
import { modelPosition, wholePrompt } from '../../../core/shards/cut';
import type { ForwardPass } from '../forward';
import { throwIfCancelled } from '../runtime/clock';
import { type Device, sessionOptions } from '../runtime/provider';
import { embed } from '../tiles/embed';
import type { AttendedLayer, LayerTensors } from '../tiles/layer';
import type { OnnxOracle } from '../tiles/onnx-oracle';
import { withExpertsOn } from '../graphs/experts';
import type { ModelFunction } from '../onnx/graph-builder';
import { GraphSession } from '../runtime/session';
import { compiledFunctions } from './functions';
import { layerGraph, oneHeadGraph } from './graphs';

/** A forward pass on the device of an oracle, which counts its calls. */
export type CompiledPass = Omit<ForwardPass, 'oracle'> & {
  readonly oracle: OnnxOracle;
  readonly precision: Precision;
  /** What the graphs call for the small transformer and its merges; those of the precision by default. */
  readonly functions?: readonly ModelFunction[];
};

/** Outputs of a layer's graph besides the residual stream, if it is inspected. */
const inspectedOutputs = ['query', 'key', 'value', 'out', 'logNormaliser'] as const;

/**
 * Runs the large transformer one compiled layer after another: each is one graph of small-transformer calls with its
 * weights inside, and the residual stream stays on the device between them.
 *
 * At most two layers' weights are on the device at a time.
 * @returns the last layer's residual stream `[N, d]`, before the final norm
 * @throws CancelledError between two layers, once the signal is aborted
 */
export async function compiledForward(pass: CompiledPass): Promise<Float32Array> {
  const { model, plan, clock, oracle } = pass;
  const { layers, width } = model.shape;
  const functions = pass.functions ?? compiledFunctions[pass.precision];
  const architecture = withExpertsOn(model, oracle.device);
  const parts = layerParts(plan);
  const partOf = partOfLayers(plan);
  const positions = pass.positions ?? wholePrompt(plan.tokens, plan.restarts);
  const whole = wholeStep(plan.tokens);
  let before: InferenceSession | undefined;
  let hidden: Tensor = new Tensor(
    'float32',
    embed(model, pass.tokens, (row) => modelPosition(positions, row)),
    [plan.tokens, width],
  );
  try {
    for (let layer = 0; layer < layers; layer += 1) {
      throwIfCancelled(pass.signal);
      pass.onProgress(layer / layers, 'layer', `layer ${layer + 1} of ${layers}`);
      const { probe } = pass;
      for (const part of probe?.due(layer) ?? []) {
        await clock.time('verify', async () =>
          probe?.inspect(part, await attendOneHead(parts[part].plan, probe.tensorsOf(whole), oracle.device, functions), whole),
        );
      }
      const { graph, instances } = layerGraph(
        parts[partOf[layer]].plan,
        architecture,
        model.layers[layer],
        pass.inspect !== undefined,
        positions,
      );
      const input = hidden;
      const stream = input.location === 'cpu' ? (input.data as Float32Array) : undefined;
      const results = await clock.time('layer', async () => {
        const session = await openLayer(graph.build({ functions }), oracle.device, layer === layers - 1, pass.inspect !== undefined);
        const made = await session.run({ hidden: input });
        // A tensor in device memory belongs to the session that created it, and must be disposed of before that session.
        input.dispose();
        await before?.release();
        before = session;
        return made;
      });
      oracle.countLayer(instances, plan);
      hidden = results.next;
      await pass.inspect?.(layer, ...inspected(results, pass, model.layers[layer].attend.sinks?.data), stream, whole);
      clock.endLayer(layer);
    }
    pass.onProgress(1, 'layer', `layer ${layers} of ${layers}`);
    return hidden.data as Float32Array;
  } finally {
    await before?.release();
  }
}

/** The attention of one more head, on the device and through the functions of the layers. */
async function attendOneHead(
  plan: LayerPlan,
  { query, key, value, sinks }: LayerTensors,
  device: Device,
  functions: readonly ModelFunction[],
): Promise<AttendedLayer> {
  const session = await GraphSession.create(oneHeadGraph(plan, sinks !== undefined).build({ functions }), device);
  try {
    const shape = [1, query.tokens, query.width];
    const { out, logNormaliser } = await session.run<'out' | 'logNormaliser'>({
      query: { data: query.data, shape },
      key: { data: key.data, shape },
      value: { data: value.data, shape },
      ...(sinks && { sinks: { data: sinks, shape: [1] } }),
    });
    return { out: { ...query, data: out }, logNormaliser: Float64Array.from(logNormaliser), rounds: 1 };
  } finally {
    await session.release();
  }
}

/** A layer's session; on WebGPU its residual stream stays in device memory, except for the last layer. */
async function openLayer(model: Uint8Array, device: Device, last: boolean, inspect: boolean): Promise<InferenceSession> {
  const resident = device.provider === 'webgpu' && !last;
  const locations = Object.fromEntries([
    ['next', 'gpu-buffer'],
    ...(inspect ? inspectedOutputs.map((name) => [name, 'cpu']) : []),
  ]) as Record<string, Tensor.DataLocation>;
  return InferenceSession.create(model, { ...sessionOptions(device), ...(resident && { preferredOutputLocation: locations }) });
}

function inspected(
  results: InferenceSession.OnnxValueMapType,
  { model, plan: { tokens } }: ForwardPass,
  sinks: Float32Array | undefined,
): [LayerTensors, AttendedLayer] {
  const { heads, keyValueHeads, headWidth, scoreCap } = model.shape;
  const tensor = (name: (typeof inspectedOutputs)[number], count: number): LayerTensors['query'] => ({
    heads: count,
    tokens,
    width: headWidth,
    data: results[name].data as Float32Array,
  });
  return [
    {
      query: tensor('query', heads),
      key: tensor('key', keyValueHeads),
      value: tensor('value', keyValueHeads),
      ...(scoreCap !== undefined && { scoreCap }),
      ...(sinks && { sinks }),
    },
    { out: tensor('out', heads), logNormaliser: Float64Array.from(results.logNormaliser.data as Float32Array), rounds: 1 },
  ];
}
