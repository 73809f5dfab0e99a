import type { Plan } from '../../src/core/plan/plan';
import { forward } from '../../src/engine/attend/forward';
import { PhaseClock } from '../../src/engine/attend/runtime/clock';
import type { Device } from '../../src/engine/attend/runtime/provider';
import { OnnxOracle } from '../../src/engine/attend/tiles/onnx-oracle';
import { OutputHead } from '../../src/engine/attend/verify/predictions';
import type { LoadedModel } from '../../src/engine/read/model/load';

/** Logits after each token of a sequence that is run whole, with the rope of its length: `[N]` of `[vocabulary]`. */
export async function wholeLogits(model: LoadedModel, tokens: Int32Array, plan: Plan, device: Device): Promise<Float32Array[]> {
  const oracle = new OnnxOracle(model, plan.oracle.inputLength, device, tokens.length);
  const head = new OutputHead(model, device);
  const given = { model, plan, tokens, oracle, clock: new PhaseClock(), signal: new AbortController().signal, onProgress: () => undefined };
  try {
    const logits = await head.logits(await forward(given));
    const { vocabulary } = model.shape;
    return Array.from(tokens, (_, row) => logits.slice(row * vocabulary, (row + 1) * vocabulary));
  } finally {
    await head.release();
    await oracle.release();
  }
}
