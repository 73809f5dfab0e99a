import type { PackMeasurements, PackScenario } from '../../../core/pack/report';
import { PhaseClock } from '../../attend/runtime/clock';
import type { TokenwisePass } from '../../attend/tiles/tokenwise';
import type { Device } from '../../attend/runtime/provider';
import { OnnxKernel, packPass, type PackPass } from './packed-attention';
import { packLayout, type PackLayout } from './layout';

/** What every way of running the prompts shares. */
interface PackBench extends TokenwisePass {
  readonly device: Device;
  readonly scenario: PackScenario;
}

/** A way that was run: the last residual streams `[N, d]` of its packs, one after the other, and what they took. */
export interface RunWay {
  readonly hidden: Float32Array;
  readonly measured: PackMeasurements;
}

/**
 * Runs packs, each on its own: one pack of all prompts, or a pack of one for every prompt.
 *
 * The kernel's graphs are loaded before the clock starts, and released with all their memory when it is done.
 * @param tokens token ids of all packs, one after the other
 */
export async function runPacks(
  bench: PackBench,
  packs: readonly PackLayout[],
  tokens: Int32Array,
  onLayer: () => void,
  inspect?: PackPass['inspect'],
): Promise<RunWay> {
  const { model, device, scenario } = bench;
  const { heads, layers, width } = model.shape;
  const hidden = new Float32Array(tokens.length * width);
  const kernel = new OnnxKernel(device, scenario === 'causal');
  const clock = new PhaseClock();
  try {
    await kernel.prepare(packs.map((pack) => pack.tokens));
    const start = performance.now();
    let from = 0;
    for (const pack of packs) {
      const part = tokens.subarray(from, from + pack.tokens);
      hidden.set(await packPass({ ...bench, kernel, clock, onLayer, inspect }, pack, part), from * width);
      from += pack.tokens;
    }
    const { verify, attend } = clock.phases;
    return {
      hidden,
      measured: {
        calls: kernel.calls,
        scores: packs.reduce((scores, pack) => scores + layers * heads * pack.tokens ** 2, 0),
        wallMs: performance.now() - start - verify,
        attendMs: attend,
      },
    };
  } finally {
    await kernel.release();
  }
}

/** Tokens that are run before anything is measured. */
const warmUpTokens = 64;

/** Runs a few tokens unmeasured: code and sessions that run for the first time would count against the first way. */
export async function warmUp(bench: PackBench, tokens: Int32Array): Promise<void> {
  const few = tokens.subarray(0, warmUpTokens);
  const half = Math.ceil(few.length / 2);
  await runPacks(bench, [packLayout(few.length > 1 ? [half, few.length - half] : [1])], few, () => undefined);
}
