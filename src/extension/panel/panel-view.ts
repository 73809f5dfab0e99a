import * as vscode from 'vscode';
import type { CostCurves } from '../../core/compare/cost-curves';
import { messageOf } from '../../core/errors';
import type { ExperimentSummary } from '../../core/evaluate/report';
import { t } from '../../core/l10n';
import type { LedgerReport } from '../../core/ledger/report';
import type { PromptCosts } from '../../engine/process/open-prompt';
import { withMarkedNumbers } from '../../protocol/numbers';
import type { HostMessage, PageMessage } from '../../protocol/panel';
import type { ChoiceStore } from '../choice';
import { Disposable } from '../disposable';
import type { ActivePrompt } from '../prompts/active-prompt';
import type { PromptPlans } from '../prompts/prompt-plans';
import type { Latest } from '../runs/latest';
import type { RunHistory } from '../runs/run-history';
import type { Runner } from '../tasks/runner';
import { settingsSection } from '../settings';
import type { SingleTask } from '../tasks/single-task';
import { panelHtml } from './page';
import { readPageMessage } from './page-messages';
import { panelSnapshot } from './snapshot';
import { editorPlace, PlaceWatcher, type PlannedFront, readTile, selectTile } from './tiles';
import { showError, showInformation } from '../notify';

/** The view's id in the manifest. */
const panelViewId = 'twoHeads.panel';

/** Delay that collects changes into one snapshot, in milliseconds. */
const gatherMs = 40;

/** What the panel shows and acts on. */
interface PanelSources {
  readonly active: ActivePrompt;
  readonly plans: PromptPlans;
  readonly choices: ChoiceStore;
  readonly runner: Runner;
  readonly task: SingleTask;
  readonly history: RunHistory;
  readonly ledger: Latest<LedgerReport>;
  readonly evaluation: Latest<ExperimentSummary>;
}

/** The side panel: sends snapshots and increments to its page, and handles the page's messages. */
export class PanelView extends Disposable implements vscode.WebviewViewProvider {
  private view: vscode.WebviewView | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** The costs that the page shows. */
  private costs: PromptCosts | undefined;
  /** The last values sent to the page of what is sent only on change; undefined before the first. */
  private sentCurves: CostCurves | null | undefined;
  private sentEvaluation: ExperimentSummary | null | undefined;

  /**
   * @param assets the folder with the page's script and style sheet
   * @param log takes a line about a message of the page that is none
   */
  constructor(
    private readonly assets: vscode.Uri,
    private readonly sources: PanelSources,
    private readonly log: (line: string) => void,
  ) {
    super();
    const { active, plans, choices, task, history, ledger, evaluation } = sources;
    this.own(vscode.window.registerWebviewViewProvider(panelViewId, this));
    this.own(active.onDidChange(() => this.refresh()));
    for (const event of [plans.onDidChange, plans.onDidFindCosts]) {
      this.own(event((document) => document === active.prompt?.document && this.refresh()));
    }
    this.own(choices.onDidChange(() => this.refresh()));
    this.own(history.onDidChange(() => this.refresh()));
    this.own(ledger.onDidChange(() => this.refresh()));
    this.own(evaluation.onDidChange(() => this.refresh()));
    this.own(
      task.onDidChange((activity) => {
        if (activity.state === 'running' && activity.progress !== null) {
          this.post({ type: 'progress', progress: activity.progress });
        } else {
          this.refresh();
        }
      }),
    );
    this.own(
      new PlaceWatcher(
        (editor) => editor === active.prompt?.editor && this.view?.visible === true,
        () => this.post({ type: 'place', place: editorPlace(this.front()) }),
      ),
    );
    this.own({ dispose: () => clearTimeout(this.timer) });
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    view.webview.options = { enableScripts: true, localResourceRoots: [this.assets] };
    view.webview.onDidReceiveMessage((given: unknown) => {
      const message = readPageMessage(given);
      if (typeof message === 'string') {
        this.log(`A message of the panel's page was dropped (${message}).`);
        return;
      }
      this.receive(message).catch((error: unknown) => void showError(`Two Heads: ${messageOf(error)}`));
    });
    view.onDidDispose(() => (this.view = undefined));
    view.webview.html = panelHtml(view.webview, this.assets);
  }

  /** Brings the panel to the front. */
  async reveal(): Promise<void> {
    await vscode.commands.executeCommand(`${panelViewId}.focus`);
  }

  private async receive(message: PageMessage): Promise<void> {
    switch (message.type) {
      case 'ready':
        this.sentCurves = undefined;
        this.sentEvaluation = undefined;
        this.sendSnapshot();
        break;
      case 'choose':
        await this.sources.choices.set(message.choice);
        break;
      case 'simulate':
        await vscode.commands.executeCommand('twoHeads.simulateFile');
        break;
      case 'compare':
        await vscode.commands.executeCommand('twoHeads.compareScenarios');
        break;
      case 'run-ledger':
        await this.sources.runner.runLedger();
        break;
      case 'evaluate':
        await vscode.commands.executeCommand('twoHeads.evaluate');
        break;
      case 'calibrate':
        await this.sources.runner.calibrate();
        break;
      case 'open-settings':
        await vscode.commands.executeCommand('workbench.action.openSettings', settingsSection);
        break;
      case 'cancel':
        this.sources.task.cancel();
        break;
      case 'select-tile':
        await selectTile(this.front(), message);
        break;
      case 'save-picture':
        await savePicture(this.front().document?.uri, message);
        break;
      case 'read-tile': {
        const texts = readTile(this.front(), message);
        if (texts !== undefined) {
          this.post({ type: 'tile-text', request: message.request, ...texts });
        }
        break;
      }
    }
  }

  /** The active prompt with its plan. */
  private front(): PlannedFront {
    const { active, plans } = this.sources;
    const { document, editor } = active.prompt ?? {};
    return { document, editor, planned: document && plans.get(document) };
  }

  private refresh(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.sendSnapshot(), gatherMs);
  }

  private sendSnapshot(): void {
    // A hidden page gets no messages; it requests a snapshot when it becomes visible again.
    if (this.view?.visible !== true) {
      return;
    }
    const { choices, task, history, ledger, plans } = this.sources;
    const front = this.front();
    // The costs that are shown stay until those of the new plan are known.
    const found = front.document && plans.costs(front.document);
    const costs = found ?? (front.planned?.error === null ? this.costs : undefined);
    this.costs = costs;
    const snapshot = panelSnapshot({
      ...front,
      costs,
      choice: choices.choice,
      read: choices.read(),
      activity: task.activity,
      runs: history.runs,
      ledger: ledger.report,
    });
    this.post({ type: 'snapshot', snapshot });
    this.sendChanges(costs?.curves ?? null, this.sources.evaluation.report);
  }

  /** Sends data that is large and seldom changes, if it changed. */
  private sendChanges(curves: CostCurves | null, evaluation: ExperimentSummary | null): void {
    if (curves !== this.sentCurves) {
      this.sentCurves = curves;
      this.post({ type: 'cost-curves', curves });
    }
    if (evaluation !== this.sentEvaluation) {
      this.sentEvaluation = evaluation;
      this.post({ type: 'evaluation', evaluation });
    }
  }

  private post(message: HostMessage): void {
    void this.view?.webview.postMessage(withMarkedNumbers(message));
  }
}

/** Writes a picture of a prompt's map to a file that the user chooses. */
async function savePicture(
  prompt: vscode.Uri | undefined,
  { format, data }: PageMessage & { readonly type: 'save-picture' },
): Promise<void> {
  const target = await vscode.window.showSaveDialog({
    title: t('Save the Tile Map'),
    filters: { [format.toUpperCase()]: [format] },
    ...defaultTarget(prompt, format),
  });
  if (target === undefined) {
    return;
  }
  try {
    await vscode.workspace.fs.writeFile(target, data);
    void showInformation(t('Tile map saved as {0}.', vscode.workspace.asRelativePath(target)));
  } catch (error) {
    void showError(t('Could not save the tile map: {0}', messageOf(error)));
  }
}

/** Next to the prompt, under its name; a prompt that was never saved has no folder. */
function defaultTarget(prompt: vscode.Uri | undefined, format: string): { readonly defaultUri?: vscode.Uri } {
  if (prompt === undefined || prompt.scheme === 'untitled') {
    const folder = vscode.workspace.workspaceFolders?.at(0)?.uri;
    return folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder, `tile-map.${format}`) };
  }
  const name = prompt.path.slice(prompt.path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
  return { defaultUri: vscode.Uri.joinPath(prompt, '..', `${name}-tile-map.${format}`) };
}
