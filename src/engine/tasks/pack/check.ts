import { InputError } from '../../../core/errors';
import { formatBytes, formatCount } from '../../../core/format';
import { type RoundedRow, roundingBound, type RoundingUse, roundingUse, worseRounding } from '../../../core/math/rounding';
import { referenceAttention } from '../../../core/math/reference-attention';
import { spreadRows } from '../../../core/math/spread-rows';
import type { PackFidelity, PackScenario } from '../../../core/pack/report';
import type { ModelShape } from '../../../core/shapes';
import { maskOf } from '../../../core/scenario/scenario';
import { throwIfCancelled } from '../../attend/runtime/clock';
import { usableMemory } from '../../memory';
import { type HeadTensor, keyHeadOf, type LayerTensors, rowsView } from '../../attend/tiles/layer';
import { LargestDifference, largestOf } from '../../attend/verify/difference';
import type { PackLayout, PromptPlace } from './layout';
import type { PackedLayer } from './packed-attention';

/**
 * Bytes that a pair of tokens takes: per head for its score, and once for the causal flag.
 *
 * Scores and their softmax are float32, 8 bytes together. A causal flag is added to the scores, which ONNX Runtime does in
 * a second copy, and it keeps both beside those that it planned from the first call; the flag itself is folded in three steps.
 */
const pairBytes: Readonly<Record<PackScenario, { readonly score: number; readonly flag: number }>> = {
  full: { score: 8, flag: 0 },
  causal: { score: 16, flag: 12 },
};

/**
 * Refuses a packed length over the user's limit.
 *
 * @throws InputError that names the length and the limit
 */
export function checkPackedLength(tokens: number, maxTokens: number): void {
  if (tokens > maxTokens) {
    throw new InputError(
      `The prompts have ${formatCount(tokens)} tokens together and the limit is ${formatCount(maxTokens)}, because one call without a mask holds N^2 scores; give fewer prompts or raise --max-tokens.`,
    );
  }
}

/**
 * Refuses a packed length whose scores would not fit into memory, before the model is loaded.
 *
 * @param beside bytes that the model and the rest of the run take
 * @param allowed bytes that all of it may take
 * @throws InputError that names what is needed, what there is, and the length that fits
 */
export function checkPackMemory(heads: number, tokens: number, scenario: PackScenario, beside: number, allowed = usableMemory()): void {
  const perPair = pairBytes[scenario].score * heads + pairBytes[scenario].flag;
  const needed = perPair * tokens ** 2;
  if (needed + beside > allowed) {
    const fitting = Math.floor(Math.sqrt(Math.max(0, allowed - beside) / perPair));
    throw new InputError(
      `One ${scenario} call over ${formatCount(tokens)} tokens needs ${formatBytes(needed)} for the scores of ${heads} heads, ${formatBytes(beside)} for the model and the rest of the run, and ${formatBytes(allowed)} may be used; ${fitting < 2 ? 'use a smaller model' : `give prompts of at most ${formatCount(fitting)} tokens together`}.`,
    );
  }
}

/** Rows that are checked a head and layer, unless there are so many prompts that two of each are more. */
const sampledRows = 64;

/** Holds packed attention against exact float64 attention of every prompt alone, from the layer's own tensors. */
export class PackCheck {
  private readonly found = new LargestDifference();
  private readonly rows: readonly (readonly number[])[];
  private rounding: RoundingUse | undefined;
  private leak = 0;
  private missing = 0;
  /** Layers, heads of them, prompts of those and rows of those that were looked at. */
  private readonly looked = { layers: 0, heads: 0, prompts: 0, rows: 0 };

  constructor(
    private readonly layout: PackLayout,
    private readonly scenario: PackScenario,
    private readonly signal: AbortSignal,
  ) {
    const rowsPerPrompt = Math.max(2, Math.ceil(sampledRows / layout.prompts.length));
    this.rows = layout.prompts.map(({ from, to }) => spreadRows(to - from, rowsPerPrompt));
  }

  /** Compares the checked rows of every prompt in every head of a layer. */
  async inspect(layer: LayerTensors, { out, leak, missing }: PackedLayer): Promise<void> {
    this.leak = Math.max(this.leak, leak);
    this.missing = Math.max(this.missing, missing);
    // Weights are a softmax's: what they sum up to does not depend on the rounding of scores.
    this.use(missing, { width: layer.query.width, products: 0, callKeys: this.layout.tokens });
    for (let head = 0; head < layer.query.heads; head += 1) {
      this.layout.prompts.forEach((place, prompt) => this.inspectPrompt(layer, out, head, place, this.rows[prompt]));
      this.looked.heads += 1;
      await new Promise((resolve) => setImmediate(resolve));
      throwIfCancelled(this.signal);
    }
    this.looked.layers += 1;
  }

  /** The worst of all layers inspected. @param asked layers and heads that were to be */
  result({ layers, heads }: Pick<ModelShape, 'layers' | 'heads'>): PackFidelity {
    const rows = this.rows.reduce((total, own) => total + own.length, 0);
    const { looked, layout } = this;
    return {
      reference: "float64 attention of each prompt alone, from the packed run's queries, keys and values",
      rows,
      ...this.found.result(),
      leak: this.leak,
      missing: this.missing,
      rounding: this.rounding,
      coverage: {
        layers: { asked: layers, compared: looked.layers },
        heads: { asked: layers * heads, compared: looked.heads },
        blocks: { asked: layers * heads * layout.prompts.length, compared: looked.prompts },
        rows: { asked: layers * heads * rows, compared: looked.rows },
        probes: { asked: 0, compared: 0 },
        probeRows: { asked: 0, compared: 0 },
      },
    };
  }

  private inspectPrompt(layer: LayerTensors, out: HeadTensor, head: number, { from, to }: PromptPlace, rows: readonly number[]): void {
    const keyHead = keyHeadOf(layer, head);
    const { width } = layer.query;
    const tensors = {
      width,
      queries: rowsView(layer.query, head, from, to),
      keys: rowsView(layer.key, keyHead, from, to),
      values: rowsView(layer.value, keyHead, from, to),
    };
    // The queries carry the factor 1/sqrt(m) already, hence scale 1.
    const exact = referenceAttention(tensors, maskOf({ kind: this.scenario }, to - from), 1, rows);
    const [largestKey, largestValue] = [largestOf(tensors.keys), largestOf(tensors.values)];
    rows.forEach((row, index) => {
      const ofRow = exact.out.subarray(index * width, (index + 1) * width);
      const difference = this.found.addRow(rowsView(out, head, from + row, from + row + 1), ofRow);
      const query = tensors.queries.subarray(row * width, (row + 1) * width);
      const products = largestKey * query.reduce((sum, x) => sum + Math.abs(x), 0);
      this.use(difference === 0 ? 0 : difference / largestValue, { width, products, callKeys: to - from });
      this.looked.rows += 1;
    });
    this.looked.prompts += 1;
  }

  /** @param relative error of a row, relative to the largest value in size */
  private use(relative: number, row: Pick<RoundedRow, 'width' | 'products' | 'callKeys'>): void {
    const use = roundingUse(relative, 0, roundingBound({ ...row, calls: 1, precision: 'float32' }));
    this.rounding = this.rounding === undefined ? use : worseRounding(this.rounding, use);
  }
}
