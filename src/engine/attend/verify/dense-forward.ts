import { denseSliceRows } from '../../../core/predict/run-memory';
import { InputError } from '../../../core/errors';
import type { SimulationOptions } from '../../../core/options/table';
import { tokenwiseRows } from '../../../core/plan/cost';
import { layerParts, partOfLayers, type Plan } from '../../../core/plan/plan';
import { type Mask, maskOf, visibleRanges } from '../../../core/scenario/scenario';
import type { LoadedModel } from '../../read/model/load';
import { hiddenScore } from '../graphs/attend';
import { denseSliceGraph } from '../graphs/dense-slice';
import { throwIfCancelled } from '../runtime/clock';
import type { Device } from '../runtime/provider';
import { SessionPool } from '../runtime/session';
import { embed } from '../tiles/embed';
import { headTensor, type HeadTensor, type LayerTensors, rowsView } from '../tiles/layer';
import type { Oracle } from '../tiles/oracle';
import { outputAndMlp, project, stretches } from '../tiles/tokenwise';

/** What a dense pass needs. */
interface DensePass {
  readonly model: LoadedModel;
  readonly device: Device;
  /** Of the attention that is wanted: its scenario counts, its tiles do not. */
  readonly plan: Plan;
  /** Token ids `[N]`. */
  readonly tokens: Int32Array;
  /** Projects and runs the MLP, token by token. */
  readonly oracle: Pick<Oracle, 'project' | 'outputAndMlp'>;
  readonly signal: AbortSignal;
  /** Called with the finished fraction, from 0 to 1. */
  readonly onProgress: (fraction: number, message: string) => void;
}

/**
 * The last residual stream `[N, d]` by dense attention: MatMul, softmax, MatMul of ONNX Runtime, over slices of query rows whose
 * masks come from the scenario's predicate. Nothing of it goes through tiles, so that what is wrong in those shows.
 *
 * Memory grows as O(N).
 * @throws CancelledError between two slices
 */
export async function denseForward(pass: DensePass): Promise<Float32Array> {
  const { model, plan, tokens, device } = pass;
  const parts = layerParts(plan).map((part) => maskOf(part.plan.scenario, plan.tokens));
  const partOf = partOfLayers(plan);
  const sessions = new SessionPool(device);
  const cut = (): ReturnType<typeof stretches> => stretches(0, plan.tokens, tokenwiseRows(plan.oracle.inputLength));
  const hidden = embed(model, tokens, (row) => row);
  try {
    for (const [layer, weights] of model.layers.entries()) {
      const tensors = await project(pass, hidden, weights, cut());
      const message = `layer ${layer + 1} of ${model.layers.length}, dense`;
      const out = await attend(sessions, tensors, parts[partOf[layer]], (share) => {
        throwIfCancelled(pass.signal);
        pass.onProgress((layer + share) / model.layers.length, message);
      });
      await outputAndMlp(pass, hidden, out, weights, cut());
    }
    return hidden;
  } finally {
    await sessions.release();
  }
}

/** Refuses a baseline that has nothing to be for. @throws InputError */
export function checkBaseline({ baseline, quality }: Pick<SimulationOptions, 'baseline' | 'quality'>): void {
  if (baseline === 'dense' && !quality) {
    throw new InputError('Baseline "dense" is what quality is measured against, and quality is off; leave out one of the two.');
  }
}

/** Attention of one layer, `[H, N, m]`. */
async function attend(sessions: SessionPool, tensors: LayerTensors, mask: Mask, onSlice: (share: number) => void): Promise<HeadTensor> {
  const { query, key, value, scoreCap, sinks } = tensors;
  const { tokens, width } = query;
  const group = query.heads / key.heads;
  const out = headTensor(query.heads, tokens, width);
  const shape = { headWidth: width, scoreCap, sinks: sinks !== undefined };
  const session = await sessions.get(JSON.stringify(shape), () => denseSliceGraph(shape));
  const most = denseSliceRows({ tokens, model: { heads: query.heads, keyValueHeads: key.heads } });
  for (let from = 0; from < tokens; from += most) {
    const to = Math.min(tokens, from + most);
    const slice = sliceMask(mask, from, to);
    const [rows, keys] = [to - from, slice.to - slice.from];
    for (let keyHead = 0; keyHead < key.heads; keyHead += 1) {
      const heads = Array.from({ length: group }, (_, index) => keyHead * group + index);
      const queries = new Float32Array(group * rows * width);
      heads.forEach((head, index) => queries.set(rowsView(query, head, from, to), index * rows * width));
      const result = await session.run<'out'>({
        query: { data: queries, shape: [group, rows, width] },
        key: { data: rowsView(key, keyHead, slice.from, slice.to), shape: [keys, width] },
        value: { data: rowsView(value, keyHead, slice.from, slice.to), shape: [keys, width] },
        mask: { data: slice.scores, shape: [rows, keys] },
        ...(sinks && {
          sink: {
            data: Float32Array.from({ length: group * rows }, (_, at) => sinks[heads[Math.floor(at / rows)]]),
            shape: [group, rows, 1],
          },
        }),
      });
      heads.forEach((head, index) =>
        rowsView(out, head, from, to).set(result.out.subarray(index * rows * width, (index + 1) * rows * width)),
      );
      onSlice((from + (rows * (keyHead + 1)) / key.heads) / tokens);
    }
  }
  return out;
}

/** What rows `[from, to)` see, over the keys from the first to the last of it: 0, and `hiddenScore` on what each does not see. */
function sliceMask(mask: Mask, from: number, to: number): { readonly from: number; readonly to: number; readonly scores: Float32Array } {
  const seen = Array.from({ length: to - from }, (_, row) => visibleRanges(mask, from + row).filter((range) => range.from < range.to));
  const ends = seen.flat();
  const first = ends.reduce((least, range) => Math.min(least, range.from), Infinity);
  const last = ends.reduce((most, range) => Math.max(most, range.to), 0);
  const keys = last - first;
  const scores = new Float32Array(seen.length * keys).fill(hiddenScore);
  seen.forEach((ranges, row) => ranges.forEach((range) => scores.fill(0, row * keys + range.from - first, row * keys + range.to - first)));
  return { from: first, to: last, scores };
}
