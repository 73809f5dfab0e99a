import { InputError } from '../../../core/errors';
import { formatBytes, formatCount } from '../../../core/format';
import { referenceAttention } from '../../../core/math/reference-attention';
import type { PackFidelity, PackScenario } from '../../../core/pack/report';
import { maskOf } from '../../../core/scenario/scenario';
import { throwIfCancelled } from '../../attend/runtime/clock';
import { usableMemory } from '../../machine';
import { keyHeadOf, type LayerTensors, rowsView } from '../../attend/tiles/layer';
import { LargestDifference, spreadRows } from '../../attend/verify/fidelity';
import type { PackLayout } from './layout';
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
 * @param allowed bytes that the scores may take
 * @throws InputError that names what is needed, what there is, and the length that fits
 */
export function checkPackMemory(heads: number, tokens: number, scenario: PackScenario, allowed = usableMemory()): void {
  const perPair = pairBytes[scenario].score * heads + pairBytes[scenario].flag;
  const needed = perPair * tokens ** 2;
  if (needed > allowed) {
    const fitting = Math.floor(Math.sqrt(allowed / perPair));
    throw new InputError(
      `One ${scenario} call over ${formatCount(tokens)} tokens needs ${formatBytes(needed)} for the scores of ${heads} heads and ${formatBytes(allowed)} may be used; give prompts of at most ${formatCount(fitting)} tokens together.`,
    );
  }
}

/** Rows that are checked a head and layer, unless there are so many prompts that two of each are more. */
const sampledRows = 64;

/** Holds packed attention against exact float64 attention of every prompt alone, from the layer's own tensors. */
export class PackCheck {
  private readonly found = new LargestDifference();
  private readonly rows: readonly (readonly number[])[];
  private leak = 0;

  constructor(
    private readonly layout: PackLayout,
    private readonly scenario: PackScenario,
    private readonly signal: AbortSignal,
  ) {
    const rowsPerPrompt = Math.max(2, Math.ceil(sampledRows / layout.prompts.length));
    this.rows = layout.prompts.map(({ from, to }) => spreadRows(to - from, rowsPerPrompt));
  }

  /** Compares the checked rows of every prompt in every head of a layer. */
  async inspect(layer: LayerTensors, { out, leak }: PackedLayer): Promise<void> {
    this.leak = Math.max(this.leak, leak);
    for (let head = 0; head < layer.query.heads; head += 1) {
      const keyHead = keyHeadOf(layer, head);
      this.layout.prompts.forEach(({ from, to }, prompt) => {
        const tensors = {
          width: layer.query.width,
          queries: rowsView(layer.query, head, from, to),
          keys: rowsView(layer.key, keyHead, from, to),
          values: rowsView(layer.value, keyHead, from, to),
        };
        // The queries carry the factor 1/sqrt(m) already, hence scale 1.
        const exact = referenceAttention(tensors, maskOf({ kind: this.scenario }, to - from), 1, this.rows[prompt]);
        this.rows[prompt].forEach((row, index) =>
          this.found.addRow(
            rowsView(out, head, from + row, from + row + 1),
            exact.out.subarray(index * exact.width, (index + 1) * exact.width),
          ),
        );
      });
      await new Promise((resolve) => setImmediate(resolve));
      throwIfCancelled(this.signal);
    }
  }

  /** The worst of all layers inspected. */
  result(): PackFidelity {
    return {
      reference: "float64 attention of each prompt alone, from the packed run's queries, keys and values",
      rows: this.rows.reduce((total, rows) => total + rows.length, 0),
      ...this.found.result(),
      leak: this.leak,
    };
  }
}
