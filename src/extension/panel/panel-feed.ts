import * as vscode from 'vscode';
import type { CostCurves } from '../../core/compare/cost-curves';
import { errorShown } from '../../core/errors';
import { t } from '../../core/l10n';
import type { PromptCosts } from '../../engine/process/open-prompt';
import { withMarkedNumbers } from '../../protocol/numbers';
import type { HostMessage, LabPart, PageMessage } from '../../protocol/panel';
import type { ChoiceStore } from '../choice';
import { Disposable } from '../disposable';
import type { ActivePrompt } from '../prompts/active-prompt';
import type { PromptPlans } from '../prompts/prompt-plans';
import type { Latest } from '../runs/latest';
import type { RunHistory } from '../runs/run-history';
import type { Runner } from '../tasks/runner';
import { settingsSection } from '../settings';
import type { SingleTask } from '../tasks/single-task';
import { panelSnapshot } from './snapshot';
import { editorPlace, PlaceWatcher, type PlannedFront, readTile, selectTile } from './tiles';
import { showError, showInformation } from '../notify';

/** Delay that collects changes into one snapshot, in milliseconds. */
const gatherMs = 40;

/** What a feed sends and acts on. */
export interface FeedSources {
  readonly active: ActivePrompt;
  readonly plans: PromptPlans;
  readonly choices: ChoiceStore;
  readonly runner: Runner;
  readonly task: SingleTask;
  readonly history: RunHistory;
  readonly ledger: Latest<'ledger'>;
  /** Opens the lab of the prompt in front beside it, with a part of it unfolded and in view. */
  readonly openLab: (part: LabPart | null) => void;
}

/** A page that is fed: a view or a panel, while it has one. */
export interface FedPage {
  readonly visible: boolean;
  readonly webview: vscode.Webview;
}

/** What the prompt in front costs and how it ran, for a page that shows it: snapshots and increments, and what the page asks for. */
export class PanelFeed extends Disposable {
  private timer: NodeJS.Timeout | undefined;
  /** The costs that the page shows. */
  private costs: PromptCosts | undefined;
  /** The last curves sent to the page, which are sent only on change; undefined before the first. */
  private sentCurves: CostCurves | null | undefined;

  constructor(
    private readonly page: FedPage,
    private readonly sources: FeedSources,
  ) {
    super();
    const { active, plans, choices, task, history, ledger } = sources;
    for (const event of [active.onDidChange, choices.onDidChange, history.onDidChange, ledger.onDidChange]) {
      this.own(event(() => this.refresh()));
    }
    for (const event of [plans.onDidChange, plans.onDidFindCosts]) {
      this.own(event((document) => document === active.prompt?.document && this.refresh()));
    }
    this.own(
      task.follow(
        (progress) => this.post({ type: 'progress', progress }),
        () => this.refresh(),
      ),
    );
    this.own(
      new PlaceWatcher(
        (editor) => editor === active.prompt?.editor && page.visible,
        () => this.post({ type: 'place', place: editorPlace(this.front()) }),
      ),
    );
    this.own({ dispose: () => clearTimeout(this.timer) });
  }

  /** Does what the page asks for. */
  async receive(message: PageMessage): Promise<void> {
    switch (message.type) {
      case 'ready':
        this.sentCurves = undefined;
        this.send();
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
      case 'open-lab':
        this.sources.openLab(message.part);
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
    this.timer = setTimeout(() => this.send(), gatherMs);
  }

  private send(): void {
    // A hidden page gets no messages; it requests a snapshot when it becomes visible again.
    if (!this.page.visible) {
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
    const curves = costs?.curves ?? null;
    if (curves !== this.sentCurves) {
      this.sentCurves = curves;
      this.post({ type: 'cost-curves', curves });
    }
  }

  private post(message: HostMessage): void {
    void this.page.webview.postMessage(withMarkedNumbers(message));
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
    void showError(t('Could not save the tile map: {0}', errorShown(error)));
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
