import { referenceAttention } from '../../../core/math/reference-attention';
import { maskOf } from '../../../core/scenario/scenario';
import type { PackFidelity, PackScenario } from '../../../core/pack/report';
import { throwIfCancelled } from '../../run/cancel';
import { rowsView } from '../../run/head-tensor';
import { keyHeadOf, type LayerTensors } from '../../attend/tiles/layer';
import { LargestDifference } from '../../verify/difference';
import { spreadRows } from '../../attend/verify/fidelity';
import type { PackLayout } from '../../pack/layout';
import type { PackedLayer } from './packed-attention';

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
