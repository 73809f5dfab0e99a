import * as vscode from 'vscode';
import { errorShown } from '../../core/errors';
import { fitting, rowsPerMinute, versionDifferences, type WorkerState } from '../../core/fleet/worker-state';
import { formatCount, formatDuration, formatFigure, formatNumberOf, recentTime } from '../../core/format';
import { t } from '../../core/l10n';
import type { Calibration } from '../../core/predict/calibration';
import type { SeenFleet } from '../../fleet/process/fleet-methods';
import type { QueueState } from '../../fleet/state';
import { Disposable } from '../disposable';
import type { Calibrations } from '../prompts/calibrations';
import { threadsSetting } from '../settings';
import type { Fleet } from './fleet';

/** The view's id in the manifest. */
const machineTreeId = 'twoHeads.machine';

/** How often a broker is looked at while the view is visible, in milliseconds. */
const pollMs = 2000;

/** A node of the tree. */
type MachineNode =
  | { readonly kind: 'device'; readonly calibration: Calibration }
  | { readonly kind: 'no-broker' }
  | { readonly kind: 'broker' }
  | { readonly kind: 'worker'; readonly worker: WorkerState }
  | { readonly kind: 'fact'; readonly of: string; readonly name: string; readonly value: string }
  | { readonly kind: 'queue'; readonly queue: QueueState };

/** What was seen of the broker: what it has, or why nothing was seen. */
type Seen = { readonly fleet: SeenFleet; readonly error: null } | { readonly error: string };

/** This machine's devices, and the broker's workers and jobs. */
export class MachineTree extends Disposable implements vscode.TreeDataProvider<MachineNode> {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChangeTreeData = this.changed.event;
  private readonly view: vscode.TreeView<MachineNode>;
  private devices: readonly Calibration[] = [];
  private seen: Seen | undefined;
  /** Tells the look that counts from those at a broker that was set before. */
  private looks = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly fleet: Fleet,
    private readonly calibrations: Calibrations,
  ) {
    super();
    this.view = this.own(vscode.window.createTreeView(machineTreeId, { treeDataProvider: this }));
    this.own(this.view.onDidChangeVisibility(() => this.begin()));
    this.own(
      fleet.onDidChange(() => {
        this.seen = undefined;
        this.changed.fire();
        this.begin();
      }),
    );
    this.own(calibrations.onDidChange(() => void this.readDevices()));
    this.own({ dispose: () => this.end() });
    this.begin();
  }

  getChildren(node?: MachineNode): MachineNode[] {
    if (node === undefined) {
      const devices = this.devices.map((calibration): MachineNode => ({ kind: 'device', calibration }));
      // Where there is nothing at all, the view says what could be.
      return this.fleet.hasBroker ? [...devices, { kind: 'broker' }] : devices.length > 0 ? [...devices, { kind: 'no-broker' }] : [];
    }
    switch (node.kind) {
      case 'broker':
        return this.seen?.error === null ? childrenOf(this.seen.fleet) : [];
      case 'worker':
        return factsOf(node.worker);
      default:
        return [];
    }
  }

  getTreeItem(node: MachineNode): vscode.TreeItem {
    switch (node.kind) {
      case 'device':
        return deviceItem(node.calibration);
      case 'no-broker':
        return noBrokerItem();
      case 'broker':
        return this.brokerItem();
      case 'worker':
        return workerItem(node.worker, this.seen?.error === null ? versionDifferences(this.seen.fleet.own, node.worker) : []);
      case 'fact':
        return item(`${node.of} ${node.name}`, node.name, node.value);
      case 'queue':
        return queueItem(node.queue);
    }
  }

  /** Looks at once, and again and again while the view is visible. */
  private begin(): void {
    this.end();
    if (this.view.visible) {
      void this.readDevices();
      if (this.fleet.hasBroker) {
        void this.look(this.looks);
      }
    }
  }

  private end(): void {
    clearTimeout(this.timer);
    this.looks += 1;
  }

  private async look(number: number): Promise<void> {
    const seen = await this.fleet.look().then(
      (fleet): Seen => ({ fleet, error: null }),
      (error: unknown): Seen => ({ error: errorShown(error) }),
    );
    if (number === this.looks) {
      if (JSON.stringify(seen) !== JSON.stringify(this.seen)) {
        this.seen = seen;
        this.changed.fire();
      }
      this.timer = setTimeout(() => void this.look(number), pollMs);
    }
  }

  private async readDevices(): Promise<void> {
    try {
      this.devices = await this.calibrations.candidates({ provider: 'auto', threads: threadsSetting() });
    } catch {
      // What uses the setting says what is wrong with it.
      this.devices = [];
    }
    this.changed.fire();
  }

  private brokerItem(): vscode.TreeItem {
    const { seen } = this;
    const about =
      seen === undefined ? t('connecting...') : seen.error === null ? formatNumberOf(seen.fleet.workers.length, 'worker') : seen.error;
    const broker = item('broker', this.brokerName(), about, seen !== undefined && seen.error !== null ? 'warning' : 'server');
    broker.collapsibleState = vscode.TreeItemCollapsibleState.Expanded;
    broker.contextValue = 'broker';
    return broker;
  }

  private brokerName(): string {
    try {
      return this.fleet.name;
    } catch {
      // What is wrong with the address is said beside it.
      return t('Broker');
    }
  }
}

/** A broker's workers, and the queues that have jobs or workers for them. */
function childrenOf({ workers, queues }: SeenFleet): MachineNode[] {
  const used = queues.filter(
    (queue) => queue.waiting + queue.active + queue.completed + queue.failed > 0 || fitting(queue, workers).length > 0,
  );
  return [
    ...workers.map((worker): MachineNode => ({ kind: 'worker', worker })),
    ...used.map((queue): MachineNode => ({ kind: 'queue', queue })),
  ];
}

/** A line of the tree, which a screen reader reads as one. */
function item(id: string, label: string, description: string, icon?: string): vscode.TreeItem {
  const made = new vscode.TreeItem(label);
  made.id = id;
  made.description = description;
  made.tooltip = `${label}: ${description}`;
  made.accessibilityInformation = { label: `${label}, ${description}` };
  if (icon !== undefined) {
    made.iconPath = new vscode.ThemeIcon(icon);
  }
  return made;
}

function deviceItem({ provider, device, threads, date, tookMs, onnxruntime }: Calibration): vscode.TreeItem {
  const figures = [device, formatNumberOf(threads, 'thread'), t('calibrated {0}', recentTime(date, new Date()))].join(' · ');
  const made = item(`device ${provider} ${threads}`, provider, figures, 'vm');
  made.tooltip = `${provider}: ${figures} · ${formatDuration(tookMs)} · ONNX Runtime ${onnxruntime}`;
  return made;
}

function noBrokerItem(): vscode.TreeItem {
  const made = item('no broker', t('No broker'), t('experiments run on this machine alone'), 'server');
  made.command = { command: 'workbench.action.openSettings', title: t('Open Settings'), arguments: ['twoHeads.fleet.broker'] };
  return made;
}

/** @param differing how its versions differ from the editor's, a few words each */
function workerItem(worker: WorkerState, differing: readonly string[]): vscode.TreeItem {
  const rate = rateText(worker);
  const about = differing.length > 0 ? differing.join(', ') : [...(rate === null ? [] : [rate]), worker.row ?? t('waits')].join(' · ');
  const icon = differing.length > 0 ? 'warning' : worker.row === null ? 'circle-outline' : 'circle-filled';
  const made = item(`worker ${worker.id}`, worker.id, about, icon);
  made.collapsibleState = vscode.TreeItemCollapsibleState.Collapsed;
  made.contextValue = 'worker';
  return made;
}

function factsOf(worker: WorkerState): MachineNode[] {
  const { device, provider, models, twoHeads, onnxruntime, row } = worker;
  const facts: readonly (readonly [string, string])[] = [
    [t('Device'), device],
    [t('Provider'), provider],
    [t('Models'), models.map(({ name, digest }) => `${name} (${digest.slice(0, 12)})`).join(', ')],
    [t('Version'), `Two Heads ${twoHeads}, ONNX Runtime ${onnxruntime}`],
    [t('Measures'), row ?? t('nothing now')],
    [t('Measured'), [formatNumberOf(worker.rows, 'row'), rateText(worker)].filter((text) => text !== null).join(' · ')],
  ];
  return facts.map(([name, value]) => ({ kind: 'fact', of: `worker ${worker.id}`, name, value }));
}

function rateText(worker: WorkerState): string | null {
  const rate = rowsPerMinute(worker);
  return rate === null ? null : t('{0} rows a minute', formatFigure(Number(rate.toPrecision(2))));
}

function queueItem({ queue, model, provider, twoHeads, waiting, active, completed, failed }: QueueState): vscode.TreeItem {
  const counts = [
    t('{0} waiting', formatCount(waiting)),
    t('{0} measured now', formatCount(active)),
    ...(completed > 0 ? [t('{0} to be fetched', formatCount(completed))] : []),
    ...(failed > 0 ? [t('{0} failed', formatCount(failed))] : []),
  ].join(', ');
  const made = item(`queue ${queue}`, t('Jobs for {0} on {1}', model, provider), counts, 'list-ordered');
  made.tooltip = `${t('Jobs for {0} on {1}', model, provider)}, Two Heads ${twoHeads}: ${counts}`;
  return made;
}
