import type { TileChoice } from '../../../core/chosen/choice';
import { type ChoiceReport, quantilesOf } from '../../../core/chosen/report';
import { causalTiles } from '../../../core/chosen/rule';
import { samplingError, type TilePart } from '../../../core/chosen/sampling-error';
import { type HeadTensors, scoreOf } from '../../../core/math/reference-attention';
import type { LayerPlan, Plan } from '../../../core/plan/plan';
import { type AttendedLayer, headTensors, type LayerTensors, rowsView } from '../tiles/layer';
import { throwIfCancelled } from '../runtime/clock';
import { DrawnRows } from './drawn-rows';
import { ExactRows, type HeadRow } from './exact-rows';

/** Query blocks, about, of which a row is looked at in every head of every layer. */
const lookedBlocks = 16;

/**
 * How far attention over chosen tiles is from that over all of them: at rows at random, by float64 attention over all keys, and by what the
 * sample says of itself. Nothing of it is an error of the run, which is held against the tiles that it chose.
 */
export class ChoiceCheck {
  private readonly heads: { readonly layer: number; readonly head: number; readonly tiles: number; readonly sampled: number }[] = [];
  private readonly measured: number[] = [];
  private readonly estimated: number[] = [];
  private within = 0;
  private readonly drawn: DrawnRows;
  private readonly exact: ExactRows;

  constructor(
    private readonly plan: Pick<Plan, 'tokens' | 'blocks' | 'blockSize' | 'model'>,
    seed: number,
    private readonly signal: AbortSignal,
  ) {
    this.drawn = new DrawnRows(plan, plan.model.heads, { from: 0, to: plan.tokens }, seed ^ 0x63686f69);
    this.exact = new ExactRows(1, false);
  }

  /** Looks at a layer. */
  async inspect(layer: number, tensors: LayerTensors, { out, logNormaliser, choice }: AttendedLayer): Promise<void> {
    if (choice === undefined) {
      return;
    }
    const group = tensors.query.heads / tensors.key.heads;
    for (let keyHead = 0; keyHead < tensors.key.heads; keyHead += 1) {
      throwIfCancelled(this.signal);
      const heads = Array.from({ length: group }, (_, index) => keyHead * group + index);
      heads.forEach((head) => this.heads.push({ layer, head, ...choice.tilesOf(head) }));
      const rows: HeadRow[] = heads.flatMap((head) =>
        this.rowsOf(layer, head).map((row) => ({ head, sight: { row, ranges: [{ from: 0, to: row + 1 }] } })),
      );
      this.exact.load(tensors, keyHead);
      for await (const exactRows of this.exact.of(tensors, rows)) {
        for (const { head, sight, out: exact } of exactRows) {
          const { row } = sight;
          const found = rowsView(out, head, row, row + 1);
          const size = norm(exact);
          const error = norm(exact.map((value, column) => value - found[column]));
          const estimate = estimateOf(
            headTensors(tensors, head),
            choice,
            { head, row },
            found,
            logNormaliser[head * out.tokens + row],
            this.plan,
          );
          this.measured.push(error === 0 ? 0 : error / size);
          if (estimate !== undefined) {
            this.estimated.push(estimate === 0 ? 0 : estimate / size);
            // Where all tiles were read, what is left is rounding.
            this.within += error <= 2 * estimate + 1e-5 * size ? 1 : 0;
          }
        }
      }
    }
  }

  /** What was found over all layers; undefined where no tiles were chosen. */
  result(): ChoiceReport | undefined {
    const { plan, heads, measured, estimated, within } = this;
    if (heads.length === 0) {
      return undefined;
    }
    const first = heads.filter(({ layer }) => layer === heads[0].layer);
    const sum = (of: 'tiles' | 'sampled'): number => first.reduce((total, head) => total + head[of], 0);
    return {
      tiles: sum('tiles'),
      sampled: sum('sampled'),
      causalTiles: first.length * causalTiles(plan.blocks),
      heads,
      rows: measured.length,
      measured: quantilesOf(measured),
      estimated: estimated.length === 0 ? null : { rows: estimated.length, ...quantilesOf(estimated), within: within / estimated.length },
    };
  }

  async release(): Promise<void> {
    await this.exact.release();
  }

  private rowsOf(layer: number, head: number): readonly number[] {
    const { tokens, blocks } = this.plan;
    const every = Math.max(1, Math.floor(blocks / lookedBlocks));
    // The first query block has nothing to choose; where it is the only one, its rows say that nothing was left out.
    return this.drawn
      .of(layer, head, { from: 0, to: tokens })
      .filter((_, block) => block % every === every - 1 && (block > 0 || blocks === 1));
  }
}

/** The error that a row's sample estimates; undefined where it has none with a spread. */
function estimateOf(
  tensors: HeadTensors,
  choice: TileChoice,
  { head, row }: { readonly head: number; readonly row: number },
  out: Float32Array,
  logNormaliser: number,
  { blockSize }: Pick<LayerPlan, 'blockSize'>,
): number | undefined {
  const { sampled, left } = choice.of(head, Math.floor(row / blockSize));
  if (choice.rule.sample === 0) {
    return undefined;
  }
  const parts = Array.from(sampled, (key) => partOf(tensors, row, key * blockSize, (key + 1) * blockSize, logNormaliser));
  return samplingError(parts, out, left);
}

/** What keys add to a row, relative to its normaliser. */
function partOf(tensors: HeadTensors, row: number, from: number, to: number, logNormaliser: number): TilePart {
  const { width, values } = tensors;
  const weighted = new Float64Array(width);
  let weight = 0;
  for (let key = from; key < to; key += 1) {
    const own = Math.exp(scoreOf(tensors, row, key) - logNormaliser);
    weight += own;
    for (let column = 0; column < width; column += 1) {
      weighted[column] += own * values[key * width + column];
    }
  }
  return { weighted, weight };
}

function norm(vector: Float64Array): number {
  return Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
}
