import { permutation } from '../../../core/math/random';
import { tilesPerDispatch } from '../../../core/plan/attention-cost';
import { type Dispatch, dispatchesOf, inPowersOfTwo, tileRows, type TileStack } from '../../../core/plan/dispatches';
import { blockEnd, blockStart } from '../../../core/plan/partition';
import type { LayerPlan } from '../../../core/plan/plan';
import { TileMasks } from '../../../core/plan/tile-masks';
import { isSampled, sampleSeed } from '../../../core/scenario/scenario';
import { maskScores } from '../graphs/attend';
import type { GraphBuilder, Value } from '../onnx/graph-builder';
import { callMergeStates, callMergeTiles, callSmallTransformer, type StateValues } from './functions';
import { interruptible } from '../../interruptible';

/** Queries, keys and values of a layer as values of a graph: `[H, N, m]`, `[H_kv, N, m]`; queries scaled by 1/sqrt(m). */
interface LayerValues {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/**
 * A layer's attention in a graph, and the number of single-head tiles that it reads: `instances`, H'L' of which make one
 * call.
 */
export interface CompiledAttention extends StateValues {
  readonly instances: number;
}

/**
 * Adds a layer's attention to a graph: every tile of the plan through the small transformer, states merged in the log
 * domain, so that nothing leaves the graph between tiles.
 *
 * Calls that read alike are one node with a batch axis, so the number of nodes grows as O(N / M), not with the tiles. A
 * short last block is padded to M tokens, hidden from all others. `out` is `[H, N, m]`, the log-normaliser `[H, N, 1]`.
 */
export function compileAttention(g: GraphBuilder, plan: LayerPlan, layer: LayerValues, scoreBytes: number): CompiledAttention {
  return new AttentionCompiler(g, plan).compile(layer, scoreBytes);
}

/** Blocks of a layer's tensors: query `[T, H_kv, H / H_kv, M, m]`, key and value `[T, H_kv, 1, M, m]`. */
type BlockValues = LayerValues;

class AttentionCompiler {
  private readonly masks: TileMasks;
  private readonly maskValues: Value[] = [];
  private readonly rows: number;

  constructor(
    private readonly g: GraphBuilder,
    private readonly plan: LayerPlan,
  ) {
    this.masks = new TileMasks(plan);
    this.rows = tileRows(plan);
  }

  compile(layer: LayerValues, scoreBytes: number): CompiledAttention {
    const { g, plan } = this;
    const blocks = this.intoBlocks(layer);
    const limit = tilesPerDispatch(this.rows, scoreBytes / plan.model.heads);
    const dispatches = interruptible(() => dispatchesOf(plan, this.masks.indexOf, limit));
    const parts: StateValues[] = [];
    let begun: { readonly dispatch: Dispatch; readonly state: StateValues } | undefined;
    let own: { readonly block: number; readonly state: StateValues } | undefined;
    for (const dispatch of dispatches) {
      const { firstBlock, blocks: count, further, continues, continued } = dispatch;
      let state = this.attend(blocks, dispatch);
      if (further.length > 0) {
        parts.push(
          ...further.map((stack, index) => this.withFurther(blocks, this.blockOf(state, index, count), firstBlock + index, stack)),
        );
        continue;
      }
      if (continues) {
        const before =
          own?.block === firstBlock
            ? own.state
            : begun && this.blockOf(begun.state, firstBlock - begun.dispatch.firstBlock, begun.dispatch.blocks);
        state = before === undefined ? state : callMergeStates(g, before, state);
      }
      if (!continued) {
        parts.push(state);
      } else if (continues || count === 1) {
        own = { block: firstBlock, state };
      }
      if (!continues) {
        begun = { dispatch, state };
      }
    }
    const instances = plan.model.heads * dispatches.reduce((sum, dispatch) => sum + dispatch.instances, 0);
    return { ...this.fromBlocks(parts), instances };
  }

  /** The state of one query block, with the keys of a stack that it alone reads. */
  private withFurther(layer: BlockValues, state: StateValues, block: number, stack: TileStack | undefined): StateValues {
    return stack === undefined
      ? state
      : callMergeStates(this.g, state, this.attend(layer, { firstBlock: block, blocks: 1, stacks: [stack], instances: stack.tiles }));
  }

  /** The state of a dispatch's query blocks over the keys of its stacks. */
  private attend(
    layer: BlockValues,
    { firstBlock, blocks, stacks, instances }: Pick<Dispatch, 'firstBlock' | 'blocks' | 'stacks' | 'instances'>,
  ): StateValues {
    const { g } = this;
    const query = this.blocksOf(layer.query, firstBlock, blocks);
    const parts = blocks === 1 ? stacks.flatMap(inPowersOfTwo) : stacks;
    const states = parts.map((stack) => {
      const [key, value] = [layer.key, layer.value].map((tensor) => this.blocksOf(tensor, stack.from, stack.tiles));
      return callSmallTransformer(g, query, key, value, { mask: this.maskOf(stack), cap: this.plan.model.scoreCap });
    });
    if (blocks > 1) {
      return states.reduce((left, right) => callMergeStates(g, left, right));
    }
    return instances === 1
      ? states[0]
      : callMergeTiles(g, {
          out: this.join(states.map(({ out }) => out)),
          logNormaliser: this.join(states.map((state) => state.logNormaliser)),
        });
  }

  private join(values: readonly Value[]): Value {
    return values.length === 1 ? values[0] : this.g.concat(0, ...values);
  }

  private blocksOf(tensor: Value, from: number, count: number): Value {
    return count === this.plan.blocks ? tensor : this.g.slice(tensor, 0, from, from + count);
  }

  private blockOf(state: StateValues, index: number, blocks: number): StateValues {
    const at = (value: Value): Value => (blocks === 1 ? value : this.g.slice(value, 0, index, index + 1));
    return { out: at(state.out), logNormaliser: at(state.logNormaliser) };
  }

  private maskOf({ mask }: TileStack): Value | undefined {
    return mask === undefined ? undefined : (this.maskValues[mask] ??= this.g.floats([this.rows, this.rows], maskScores(this.masks, mask)));
  }

  private intoBlocks({ query, key, value }: LayerValues): BlockValues {
    const { g, plan, rows } = this;
    const { heads, keyValueHeads, headWidth } = plan.model;
    const padding = plan.blocks * rows - plan.tokens;
    const seed = sampleSeed(plan.scenario);
    const order = seed === undefined ? undefined : permutation(plan.tokens, seed);
    const sampled = order && g.indices(order);
    const cut = (tensor: Value, shared: number): Value => {
      const padded = padding === 0 ? tensor : g.padEnd(tensor, 3, 1, padding);
      return g.transpose(g.reshape(padded, [keyValueHeads, shared, plan.blocks, rows, headWidth]), [2, 0, 1, 3, 4]);
    };
    const keys = (tensor: Value): Value => cut(sampled === undefined ? tensor : g.gather(tensor, sampled, 1), 1);
    return { query: cut(query, heads / keyValueHeads), key: keys(key), value: keys(value) };
  }

  /**
   * Joins `[T, H_kv, H / H_kv, M, ...]` parts to `[H, N, ...]`; if the plan samples, the sums are scaled up to all N keys.
   */
  private fromBlocks(parts: readonly StateValues[]): StateValues {
    const { g, plan, rows } = this;
    const { heads, headWidth } = plan.model;
    const join = (values: readonly Value[], width: number): Value => {
      const whole = g.reshape(g.transpose(this.join(values), [1, 2, 0, 3, 4]), [heads, plan.blocks * rows, width]);
      return plan.blocks * rows === plan.tokens ? whole : g.slice(whole, 1, 0, plan.tokens);
    };
    const logNormaliser = join(
      parts.map((part) => part.logNormaliser),
      1,
    );
    return {
      out: join(
        parts.map((part) => part.out),
        headWidth,
      ),
      logNormaliser: isSampled(plan.scenario) ? g.add(logNormaliser, this.sampleScale()) : logNormaliser,
    };
  }

  /** Theorem 4.1: the logarithm of N over the sample's size, `[1, N, 1]`. */
  private sampleScale(): Value {
    const { tokens, blockSize } = this.plan;
    const scale = Float32Array.from({ length: tokens }, (_, token) => {
      const block = Math.floor(token / blockSize);
      return Math.log(tokens / (blockEnd(this.plan, block) - blockStart(this.plan, block)));
    });
    return this.g.floats([1, tokens, 1], scale);
  }
}
