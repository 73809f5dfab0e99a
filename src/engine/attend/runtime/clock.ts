import { CancelledError } from '../../../core/errors';
import { layerPhases, type LayerTimes, type Phase, type Phases } from '../../../core/report/phases';

/** Adds up the wall time of a run's phases. */
export class PhaseClock {
  private readonly spent: Record<Phase, number> = {
    tokenize: 0,
    project: 0,
    gather: 0,
    attend: 0,
    merge: 0,
    layer: 0,
    mlp: 0,
    verify: 0,
    quality: 0,
  };

  private readonly ofLayers: LayerTimes[] = [];

  /** Milliseconds per phase so far. */
  get phases(): Phases {
    return { ...this.spent };
  }

  /** Milliseconds per phase of each finished layer. */
  get layers(): readonly LayerTimes[] {
    return [...this.ofLayers];
  }

  /** Ends a layer: the time since the previous layer ended is its own. */
  endLayer(): void {
    const before = (phase: (typeof layerPhases)[number]): number => this.ofLayers.reduce((sum, layer) => sum + layer[phase], 0);
    this.ofLayers.push(Object.fromEntries(layerPhases.map((phase) => [phase, this.spent[phase] - before(phase)])) as LayerTimes);
  }

  /** Runs `work` and adds its time to a phase. */
  async time<T>(phase: Phase, work: () => T | Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.spent[phase] += performance.now() - start;
    }
  }

  /** Runs synchronous `work` and adds its time to a phase. */
  timeSync<T>(phase: Phase, work: () => T): T {
    const start = performance.now();
    const result = work();
    this.spent[phase] += performance.now() - start;
    return result;
  }

  /** Adds the time since `start` (from `performance.now()`) to a phase. */
  add(phase: Phase, start: number): void {
    this.spent[phase] += performance.now() - start;
  }
}

/** Throws once a run is cancelled. */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new CancelledError();
  }
}
