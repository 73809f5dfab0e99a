import { messageOf } from '../../src/core/errors';
import { openDevice } from '../../src/engine/attend/runtime/provider';
import type { Figure } from '../bench/section';
import { attention } from './attention';
import { exact } from './exact';
import { prefill } from './prefill';
import { products } from './products';
import { cpuThreads, type GpuContext, type Step } from './step';
import { openedLine } from './vulkan';

/** The steps by name, in the order in which they run: what is checked comes before what is measured. */
export const steps: Readonly<Record<string, Step>> = { exact, products, attention, prefill };

/** What the process of the steps tells the one that started it. */
export type StepMessage =
  | { readonly kind: 'began'; readonly step: string }
  | { readonly kind: 'done'; readonly step: string }
  | { readonly kind: 'failed'; readonly step: string; readonly message: string }
  | { readonly kind: 'row'; readonly step: string; readonly key: string; readonly row: Readonly<Record<string, Figure>> };

/** Runs steps one after the other in this process, and tells its parent of each row at once: a step that is ended keeps its rows. */
export async function runSteps(names: readonly string[], context: GpuContext): Promise<void> {
  // Runs block this thread: a message that has not left yet would be lost with the process.
  const tell = (message: StepMessage): Promise<void> =>
    new Promise((resolve) => {
      process.send?.(message, undefined, undefined, () => resolve());
    });
  for (const step of names) {
    await tell({ kind: 'began', step });
    try {
      await steps[step].run(context, (key, row) => tell({ kind: 'row', step, key, row }));
      await tell({ kind: 'done', step });
    } catch (error) {
      await tell({ kind: 'failed', step, message: messageOf(error).replace(/\s+/g, ' ').slice(0, 300) });
    }
  }
}

/** Opens WebGPU, and prints on what or why not: see `findVulkan`. */
export async function probeWebGpu(): Promise<void> {
  try {
    process.stdout.write(openedLine((await openDevice('webgpu', cpuThreads)).name));
  } catch (error) {
    process.stdout.write(messageOf(error));
  }
}
