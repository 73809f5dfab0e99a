import * as vscode from 'vscode';
import type { CalibrationOptions, Provider } from '../../core/options/table';
import type { Calibration, MachineLoad } from '../../core/predict/calibration';
import { isBusy } from '../../core/predict/load';
import { machineLoad } from '../../engine/load';
import { messageShown, t } from '../../core/l10n';
import { Disposable } from '../disposable';
import { showWarning } from '../notify';

/** Time between two looks at the machine, in milliseconds: times that are shown change with it, and should not flicker. */
const restMs = 10_000;

/** Cores by which what others want has to change before times are shown anew. */
const noticed = 0.5;

/**
 * Calibrations of this machine's devices, with how busy others keep it: read once per provider and number of threads, and again
 * after a calibration.
 */
export class Calibrations extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires when a device was calibrated. */
  readonly onDidChange = this.changed.event;
  private readonly known = new Map<string, Promise<readonly Calibration[]>>();

  private readonly told = new Set<string>();
  private now: MachineLoad | undefined;
  private looked = -Infinity;

  /**
   * @param folder where the engine keeps calibrations
   * @param isRunning whether this extension keeps the machine busy itself: then nothing is to be seen of others
   */
  constructor(
    private readonly folder: string,
    private readonly isRunning: () => boolean,
  ) {
    super();
  }

  /** The calibrations of the devices that the options allow. */
  async candidates({ provider, threads }: CalibrationOptions): Promise<readonly Calibration[]> {
    const key = `${provider} ${threads}`;
    let candidates = this.known.get(key);
    if (candidates === undefined) {
      candidates = this.read(provider, threads);
      this.known.set(key, candidates);
    }
    const known = await candidates;
    if (known.length > 0) {
      void this.look();
    }
    return known.map((calibration) => ({ ...calibration, now: this.now }));
  }

  /** Looks at what others want, at most every few seconds, while nothing waits for it. */
  private async look(): Promise<void> {
    if (this.isRunning() || performance.now() - this.looked < restMs) {
      return;
    }
    this.looked = performance.now();
    const [before, now] = [this.now, await machineLoad()];
    const wanted = (load: MachineLoad | undefined): number => (load !== undefined && isBusy(load) ? load.others : 0);
    // A run that began meanwhile would count as another program.
    if (!this.isRunning() && Math.abs(wanted(now) - wanted(before)) > noticed) {
      this.now = now;
      this.changed.fire();
    }
  }

  /** Drops the cache; the next call reads again. */
  refresh(): void {
    this.known.clear();
    this.changed.fire();
  }

  private async read(provider: Provider, threads: number): Promise<readonly Calibration[]> {
    // Loaded at first use, because it pulls in the schema library.
    const { CalibrationStore } = await import('../../engine/store/calibrations');
    const store = new CalibrationStore(this.folder);
    const [candidates, obstacles] = await Promise.all([store.candidates(provider, threads), store.obstacles(provider, threads)]);
    obstacles.filter((each) => !this.told.has(each)).forEach((each) => this.tell(each));
    return candidates;
  }

  /** Says once why a calibration that is there is not used, and offers to make it again. */
  private tell(obstacle: string): void {
    this.told.add(obstacle);
    const repeat = t('Calibrate this machine');
    showWarning(`Two Heads: ${messageShown(obstacle)}`, repeat).then(
      (chosen) => chosen === repeat && vscode.commands.executeCommand('twoHeads.calibrate'),
    );
  }
}
