import * as vscode from 'vscode';
import { CancelledError, messageOf } from '../../core/errors';
import { formatDuration, formatError, formatNumberOf } from '../../core/format';
import { makeScenario, scenarioKinds, scenarioLabel, type Scenario } from '../../core/masks';
import type { SimulationOptions } from '../../core/options';
import type { OnProgress } from '../../core/report/progress';
import type { RunReport } from '../../core/report/report';
import type { EngineClient } from '../../engine/process/client';
import type { Activity } from '../../protocol/panel';
import type { ChoiceStore } from '../choice';
import { Disposable } from '../disposable';
import { engineSettings } from '../settings';
import type { RunHistory } from './run-history';

/** Text to run: a whole prompt or a selection. */
export interface RunSource {
  /** Named in the report. */
  readonly path: string;
  readonly text: string;
}

/** Runs prompts in the engine process, one request at a time, with progress and cancel. */
export class Runner extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<Activity>());
  /** Fires when a run starts, progresses, ends or fails. */
  readonly onDidChange = this.changed.event;
  private state: Activity = { state: 'idle' };
  private controller: AbortController | undefined;

  constructor(
    private readonly engine: EngineClient,
    private readonly choices: ChoiceStore,
    private readonly history: RunHistory,
    private readonly log: vscode.LogOutputChannel,
  ) {
    super();
    this.own({ dispose: () => this.controller?.abort() });
  }

  get activity(): Activity {
    return this.state;
  }

  /** Runs a prompt under the chosen scenario. */
  async simulate(source: RunSource): Promise<void> {
    const choice = this.choices.read();
    if (choice.error !== null) {
      this.fail(choice.error);
      return;
    }
    const reports = await this.run(source, choice.blockSize, [choice.scenario]);
    if (reports !== undefined) {
      const [{ prompt, run, fidelity }] = reports;
      const error = fidelity === null ? '' : `, max abs error ${formatError(fidelity.maxAbsError)}`;
      this.announce(`${formatNumberOf(prompt.tokens, 'token')} in ${formatDuration(run.wallMs)}: ${formatNumberOf(run.calls.total, 'call')}${error}.`);
    }
  }

  /** Runs a prompt under every scenario, with the parameters and the block size of the choice. */
  async compare(source: RunSource): Promise<void> {
    const choice = this.choices.read();
    if (choice.error !== null) {
      this.fail(choice.error);
      return;
    }
    const { parameters } = this.choices.choice;
    let scenarios: readonly Scenario[];
    try {
      scenarios = scenarioKinds.map((kind) => makeScenario(kind, parameters));
    } catch (error) {
      this.fail(messageOf(error));
      return;
    }
    const reports = await this.run(source, choice.blockSize, scenarios);
    if (reports !== undefined) {
      this.announce(`Compared ${reports.length} scenarios on ${formatNumberOf(reports[0].prompt.tokens, 'token')}.`);
    }
  }

  /** Stops what runs now. */
  cancel(): void {
    this.controller?.abort();
  }

  private async run(source: RunSource, blockSize: number, scenarios: readonly Scenario[]): Promise<RunReport[] | undefined> {
    if (this.controller !== undefined) {
      void vscode.window.showWarningMessage('Two Heads is already running a prompt; cancel it first.');
      return undefined;
    }
    const controller = new AbortController();
    this.controller = controller;
    try {
      return await vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title: 'Two Heads', cancellable: true },
        async (notification, token) => {
          token.onCancellationRequested(() => controller.abort());
          const settings = engineSettings();
          const reports: RunReport[] = [];
          for (const scenario of scenarios) {
            const title = `${scenarioLabel(scenario)}${scenarios.length > 1 ? ` (${reports.length + 1} of ${scenarios.length})` : ''}`;
            this.enter({ state: 'running', title, progress: null });
            const report = await this.call(source, { ...settings, scenario, blockSize }, title, controller.signal, notification);
            reports.push(report);
            await this.history.add(report);
          }
          this.enter({ state: 'idle' });
          return reports;
        },
      );
    } catch (error) {
      if (error instanceof CancelledError) {
        this.enter({ state: 'idle' });
        void vscode.window.showInformationMessage('Two Heads: the run was cancelled.');
      } else {
        this.fail(messageOf(error));
      }
      return undefined;
    } finally {
      this.controller = undefined;
    }
  }

  private call(
    { path, text }: RunSource,
    options: SimulationOptions,
    title: string,
    signal: AbortSignal,
    notification: vscode.Progress<{ message: string; increment: number }>,
  ): Promise<RunReport> {
    let shown = 0;
    const onProgress: OnProgress = (progress) => {
      notification.report({ message: `${title}: ${progress.message}`, increment: 100 * (progress.fraction - shown) });
      shown = progress.fraction;
      this.enter({ state: 'running', title, progress });
    };
    return this.engine.call('simulate', { path, text, options }, { signal, onProgress });
  }

  private fail(message: string): void {
    this.log.error(message);
    this.enter({ state: 'failed', message });
    void vscode.window.showErrorMessage(`Two Heads: ${message}`, 'Show Log').then((chosen) => chosen && this.log.show());
  }

  private announce(message: string): void {
    this.log.info(message);
    void vscode.window
      .showInformationMessage(`Two Heads: ${message}`, 'Open Panel')
      .then((chosen) => chosen && vscode.commands.executeCommand('twoHeads.openPanel'));
  }

  private enter(state: Activity): void {
    this.state = state;
    this.changed.fire(state);
  }
}
