import type { Plan } from '../../src/core/plan/plan';
import { hiddenOf } from '../../src/engine/attend/pass';
import type { Device } from '../../src/engine/attend/runtime/provider';
import { OutputHead } from '../../src/engine/attend/verify/predictions';
import type { LoadedModel } from '../../src/engine/read/model/load';

/** Logits after each token of a sequence that is run whole, with the rope of its length: `[N]` of `[vocabulary]`. */
export async function wholeLogits(model: LoadedModel, tokens: Int32Array, plan: Plan, device: Device): Promise<Float32Array[]> {
  const head = new OutputHead(model, device);
  try {
    const logits = await head.logits(await hiddenOf(model, plan, tokens, device));
    const { vocabulary } = model.shape;
    return Array.from(tokens, (_, row) => logits.slice(row * vocabulary, (row + 1) * vocabulary));
  } finally {
    await head.release();
  }
}
