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
  /** Of the layers' phases, when the latest layer ended. */
  private ended: LayerTimes = this.layerTimes();

  /** Milliseconds per phase so far. */
  get phases(): Phases {
    return { ...this.spent };
  }

  /** Milliseconds per phase of each finished layer. */
  get layers(): readonly LayerTimes[] {
    return [...this.ofLayers];
  }

  /** Ends a layer, or a step of it: the time since the one before ended is its own. */
  endLayer(layer: number): void {
    const [now, before, own] = [this.layerTimes(), this.ended, this.ofLayers.at(layer)];
    const times = layerPhases.map((phase) => [phase, (own?.[phase] ?? 0) + now[phase] - before[phase]]);
    this.ofLayers[layer] = Object.fromEntries(times) as LayerTimes;
    this.ended = now;
  }

  private layerTimes(): LayerTimes {
    return Object.fromEntries(layerPhases.map((phase) => [phase, this.spent[phase]])) as LayerTimes;
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

  /** Runs `work`, whose time is all of one phase, whatever phases it would add to itself. */
  async aside<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    const before = this.phases;
    const start = performance.now();
    try {
      return await work();
    } finally {
      Object.assign(this.spent, before);
      this.add(phase, start);
    }
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
