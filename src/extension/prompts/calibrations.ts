import * as vscode from 'vscode';
import type { CalibrationOptions, Provider } from '../../core/options/table';
import type { Calibration } from '../../core/predict/calibration';
import { Disposable } from '../disposable';

/** Calibrations of this machine's devices: read once per provider and number of threads, and again after a calibration. */
export class Calibrations extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires when a device was calibrated. */
  readonly onDidChange = this.changed.event;
  private readonly known = new Map<string, Promise<readonly Calibration[]>>();

  /** @param folder where the engine keeps calibrations */
  constructor(private readonly folder: string) {
    super();
  }

  /** The calibrations of the devices that the options allow. */
  candidates({ provider, threads }: CalibrationOptions): Promise<readonly Calibration[]> {
    const key = `${provider} ${threads}`;
    let candidates = this.known.get(key);
    if (candidates === undefined) {
      candidates = this.read(provider, threads);
      this.known.set(key, candidates);
    }
    return candidates;
  }

  /** Drops the cache; the next call reads again. */
  refresh(): void {
    this.known.clear();
    this.changed.fire();
  }

  private async read(provider: Provider, threads: number): Promise<readonly Calibration[]> {
    // Loaded at first use, because it pulls in the schema library.
    const { CalibrationStore } = await import('../../engine/store/calibrations');
    return new CalibrationStore(this.folder).candidates(provider, threads);
  }
}
