import { separationStrength } from '../../../core/construct/separation';
import { packedAttentionGraph } from '../../attend/graphs/dense';
import type { PhaseClock } from '../../attend/runtime/clock';
import type { Device } from '../../attend/runtime/provider';
import { GraphSession } from '../../attend/runtime/session';
import { embed } from '../../attend/tiles/embed';
import { type HeadTensor, headTensor, type LayerTensors, rowsView } from '../../attend/tiles/layer';
import { outputAndMlp, project, type Stretch, stretches, type TokenwisePass } from '../../attend/tiles/tokenwise';
import { worse } from '../../attend/verify/difference';
import type { PackLayout, PromptPlace } from './layout';

/** Attends a whole layer in one call, all heads in it, and takes no mask. */
export interface AttentionKernel {
  attend(operands: LayerTensors): Promise<HeadTensor>;
}

/** The kernel on ONNX Runtime; it counts its calls. */
export class OnnxKernel implements AttentionKernel {
  private readonly sessions = new Map<number | undefined, Promise<GraphSession>>();
  private made = 0;

  /** @param causal whether the kernel's causal flag is set: a graph for each length then, one for all otherwise */
  constructor(
    private readonly device: Device,
    private readonly causal: boolean,
  ) {}

  /** Calls made so far. */
  get calls(): number {
    return this.made;
  }

  /** Loads the graphs for these lengths, so that no run waits for them. */
  async prepare(lengths: readonly number[]): Promise<void> {
    for (const tokens of lengths) {
      await this.session(tokens);
    }
  }

  async attend({ query, key, value }: LayerTensors): Promise<HeadTensor> {
    const session = await this.session(query.tokens);
    this.made += 1;
    // Consecutive query heads share a key head, so the heads of a group lie together already.
    const grouped = [key.heads, query.heads / key.heads, query.tokens, query.width];
    const shared = [key.heads, 1, query.tokens, query.width];
    const { out } = await session.run<'out'>({
      query: { data: query.data, shape: grouped },
      key: { data: key.data, shape: shared },
      value: { data: value.data, shape: shared },
    });
    return { heads: query.heads, tokens: query.tokens, width: query.width, data: out };
  }

  async release(): Promise<void> {
    for (const session of this.sessions.values()) {
      await (await session).release();
    }
    this.sessions.clear();
  }

  private session(tokens: number): Promise<GraphSession> {
    const length = this.causal ? tokens : undefined;
    const loaded = this.sessions.get(length) ?? GraphSession.create(packedAttentionGraph(length), this.device);
    this.sessions.set(length, loaded);
    return loaded;
  }
}

/** Attention of one layer over a packed sequence. */
export interface PackedLayer {
  /** `[H, N, m]`. */
  readonly out: HeadTensor;
  /** The largest weight that a query gave to another prompt's keys, as far as one separation column shows it. */
  readonly leak: number;
  /** By how much the weights that a query gave to its own prompt's keys miss 1, at most. */
  readonly missing: number;
}

/**
 * Attends all prompts of a layer in one call (theorem 4.2): rows are copied and separation vectors appended, nothing else.
 *
 * Queries get `u_c`, keys `v_c`. Values get `v_c` too, as a fused kernel has one width for all three, and that makes the
 * call tell on itself: where `v_c` is 0 a query of prompt c reads only what leaked, `B` times the weight of the others
 * whose vector is B there, and every other prompt has such a column. Where `v_c` is B it reads B times the weight of its own.
 */
export async function attendPacked({ query, key, value }: LayerTensors, layout: PackLayout, kernel: AttentionKernel): Promise<PackedLayer> {
  const wide = await kernel.attend({
    query: extend(query, layout, ({ separation }) => separation.query),
    key: extend(key, layout, ({ separation }) => separation.key),
    value: extend(value, layout, ({ separation }) => separation.key),
  });
  return { out: withoutSeparation(wide, layout, query.width), ...weightsOf(wide, layout, query.width) };
}

/** A copy of `tensor` with its prompt's vector after each row. */
function extend(tensor: HeadTensor, layout: PackLayout, vectorOf: (place: PromptPlace) => Float32Array): HeadTensor {
  if (layout.separationWidth === 0) {
    return tensor;
  }
  const wide = headTensor(tensor.heads, tensor.tokens, tensor.width + layout.separationWidth);
  forEachRow(wide, layout, (row, place, head, token) => {
    row.set(rowsView(tensor, head, token, token + 1));
    row.set(vectorOf(place), tensor.width);
  });
  return wide;
}

/** A copy of the first `width` columns. */
function withoutSeparation(wide: HeadTensor, layout: PackLayout, width: number): HeadTensor {
  if (layout.separationWidth === 0) {
    return wide;
  }
  const out = headTensor(wide.heads, wide.tokens, width);
  forEachRow(wide, layout, (row, _place, head, token) => rowsView(out, head, token, token + 1).set(row.subarray(0, width)));
  return out;
}

/**
 * What the separation columns say of all rows: over B, the largest entry where a row's own prompt has 0, and the farthest from 1
 * where it has B. NaN counts as everything.
 */
function weightsOf(wide: HeadTensor, layout: PackLayout, width: number): Pick<PackedLayer, 'leak' | 'missing'> {
  let [leak, missing] = [0, 0];
  forEachRow(wide, layout, (row, { separation }) => {
    for (let column = 0; column < layout.separationWidth; column += 1) {
      const weight = row[width + column] / separationStrength;
      if (separation.key[column] === 0) {
        leak = worse(leak, weight);
      } else {
        missing = worse(missing, weight - 1);
      }
    }
  });
  return { leak, missing };
}

function forEachRow(
  tensor: HeadTensor,
  layout: PackLayout,
  visit: (row: Float32Array, place: PromptPlace, head: number, token: number) => void,
): void {
  for (let head = 0; head < tensor.heads; head += 1) {
    for (const place of layout.prompts) {
      for (let token = place.from; token < place.to; token += 1) {
        visit(rowsView(tensor, head, token, token + 1), place, head, token);
      }
    }
  }
}

/** Tokens that one token-wise dispatch takes at most, so that its intermediates stay bounded. */
const tokenwiseRows = 2048;

/** What a forward pass over a packed sequence needs. */
export interface PackPass extends TokenwisePass {
  readonly kernel: AttentionKernel;
  readonly clock: PhaseClock;
  /** Sees every layer's attention while its tensors are alive, to check it. */
  readonly inspect?: ((tensors: LayerTensors, attended: PackedLayer) => Promise<void>) | undefined;
  /** Told after every layer. */
  readonly onLayer: () => void;
}

/**
 * Runs the large transformer over a packed sequence: one attention call a layer, whatever the number of prompts.
 *
 * A prompt alone is a pack of one, and takes the same way through the same graphs.
 * @param tokens token ids of all prompts, one after the other `[N]`
 * @returns the last layer's residual stream `[N, d]`, before the final norm
 * @throws CancelledError between two calls, once the signal is aborted
 */
export async function packPass(pass: PackPass, layout: PackLayout, tokens: Int32Array): Promise<Float32Array> {
  const { model, kernel, clock } = pass;
  const hidden = embed(model, tokens, positionsIn(layout));
  for (const weights of model.layers) {
    const tensors = await clock.time('project', () => project(pass, hidden, weights, byPrompt(layout)));
    const attended = await clock.time('attend', () => attendPacked(tensors, layout, kernel));
    await clock.time('verify', () => pass.inspect?.(tensors, attended));
    await clock.time('mlp', () => outputAndMlp(pass, hidden, attended.out, weights, stretches(0, layout.tokens, tokenwiseRows)));
    pass.onLayer();
  }
  return hidden;
}

/** The position of a row in its own prompt. */
function positionsIn({ prompts }: PackLayout): (row: number) => number {
  const starts = prompts.flatMap(({ from, to }) => Array.from({ length: to - from }, () => from));
  return (row) => row - starts[row];
}

/** The pack cut prompt by prompt: each begins at position 0 of the rotary embedding, wherever it lies in the pack. */
function* byPrompt({ prompts }: PackLayout): Generator<Stretch> {
  for (const { from, to } of prompts) {
    yield* stretches(from, to, tokenwiseRows);
  }
}
