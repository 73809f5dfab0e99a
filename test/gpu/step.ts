import { messageOf } from '../../src/core/errors';
import type { Precision, Provider } from '../../src/core/options/table';
import { type Device, forPrecision, openDevice } from '../../src/engine/attend/runtime/provider';
import type { Figure, Section } from '../bench/section';

/** What every step is given. */
export interface GpuContext {
  /** Small sizes: checks that the steps work, on a software device or on a processor. */
  readonly quick: boolean;
  readonly providers: readonly Exclude<Provider, 'auto'>[];
}

/** Hands over a row of a step's table; one with a key that was used takes that row's place. Settles once it has left the process. */
export type Emit = (key: string, row: Readonly<Record<string, Figure>>) => Promise<void>;

/** A part of the check with a limit of its own. What it found until then counts. */
export interface Step {
  /** Seconds after which it is ended, where the whole check has four minutes; of more or less time it has the same share. */
  readonly limit: number;
  readonly section: Pick<Section, 'title' | 'method' | 'columns'>;
  readonly run: (context: GpuContext, emit: Emit) => Promise<void>;
}

/** Threads of the processor that a device is compared with. */
export const cpuThreads = 2;

/** Runs a part of a step: what it throws becomes a row's note, and the parts after it run. */
export async function attempt(emit: Emit, key: string, known: Readonly<Record<string, Figure>>, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await emit(key, { ...known, note: messageOf(error).replace(/\s+/g, ' ').slice(0, 300) });
  }
}

/** The devices of the named providers that open, for each precision that they have; for the others a row that says why not. */
export async function* devices(
  { providers, quick }: GpuContext,
  emit: Emit,
  precisions: readonly Precision[],
): AsyncGenerator<{ readonly device: Device; readonly precision: Precision }> {
  for (const provider of providers) {
    for (const precision of precisions) {
      const key = `${provider} ${precision}`;
      const found: Device[] = [];
      await attempt(emit, key, { provider, precision }, async () => {
        const device = await openDevice(provider, cpuThreads);
        // A processor computes float16 in float32 and is refused for it; in small sizes the graphs run there all the same.
        found.push(provider === 'cpu' && quick ? device : await forPrecision(device, precision));
      });
      for (const device of found) {
        yield { device, precision };
      }
      if (found.length === 0 && precision === 'float32') {
        break;
      }
    }
  }
}
