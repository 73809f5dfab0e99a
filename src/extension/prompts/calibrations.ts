import * as vscode from 'vscode';
import type { Provider } from '../../core/options/options';
import type { PlanRequest } from '../../core/plan/request';
import type { Calibration } from '../../core/predict/calibration';
import { fastestDevice } from '../../core/predict/fastest';
import { Disposable } from '../disposable';

/** What is known of this machine's devices: read once per provider and number of threads, and again after a calibration. */
export class Calibrations extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires when a device was calibrated. */
  readonly onDidChange = this.changed.event;
  private readonly known = new Map<string, Promise<readonly Calibration[]>>();

  /** @param folder where the engine keeps calibrations */
  constructor(private readonly folder: string) {
    super();
  }

  /** The calibration that a plan is predicted by, if there is one. */
  async choose(provider: Provider, threads: number, request: PlanRequest): Promise<Calibration | undefined> {
    const key = `${provider} ${threads}`;
    let candidates = this.known.get(key);
    if (candidates === undefined) {
      candidates = this.read(provider, threads);
      this.known.set(key, candidates);
    }
    return fastestDevice(request, await candidates);
  }

  /** Reads again at the next question. */
  refresh(): void {
    this.known.clear();
    this.changed.fire();
  }

  private async read(provider: Provider, threads: number): Promise<readonly Calibration[]> {
    // Loaded at first use: it brings the schema library.
    const { CalibrationStore } = await import('../../engine/store/calibrations');
    return new CalibrationStore(this.folder).candidates(provider, threads);
  }
}
