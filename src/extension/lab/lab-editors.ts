import { posix } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../core/l10n';
import { Disposable } from '../disposable';
import type { ExperimentOutlooks } from '../experiments/experiment-outlooks';
import { type FeedSources, PanelFeed } from '../panel/panel-feed';
import type { Latest } from '../runs/latest';
import type { LabPart } from '../../protocol/panel';
import type { Engine } from '../tasks/engine';
import { ExperimentLab, RunsLab } from './file-labs';
import { LabPage, type LabSurroundings } from './lab-page';
import { PromptLab, type PromptLabSources } from './prompt-lab';

/** The editor of files, and the panel of the prompt in front; ids in the manifest. */
const fileLabType = 'twoHeads.lab';
const promptLabType = 'twoHeads.promptLab';

/** What labs are made of. */
interface LabSources extends PromptLabSources, LabSurroundings, Omit<FeedSources, 'openLab'> {
  readonly engine: Engine;
  readonly outlooks: ExperimentOutlooks;
  readonly evaluation: Latest<'evaluation'>;
  /** Runs an experiment file, by its path. */
  readonly runExperiment: (file: string) => Promise<void>;
}

/** The lab in the editor area: an editor of experiment files, results and runs, and a panel that follows the prompt in front. */
export class LabEditors extends Disposable implements vscode.CustomTextEditorProvider, vscode.WebviewPanelSerializer {
  private promptPanel: vscode.WebviewPanel | undefined;
  private promptPage: LabPage | undefined;
  /** Open editors of files, with their documents. */
  private readonly files = new Map<vscode.WebviewPanel, vscode.TextDocument>();

  constructor(private readonly sources: LabSources) {
    super();
    this.own(vscode.window.registerCustomEditorProvider(fileLabType, this, { supportsMultipleEditorsPerDocument: true }));
    this.own(vscode.window.registerWebviewPanelSerializer(promptLabType, this));
    this.own(sources.active.onDidChange(() => this.nameAfterPrompt()));
  }

  /** The document of the lab in front, if one of a file is. */
  get activeDocument(): vscode.TextDocument | undefined {
    return [...this.files].find(([panel]) => panel.active)?.[1];
  }

  /** Opens the lab of the prompt in front beside it, with a part of it in view; the focus stays in the text. */
  openPrompt(part: LabPart | null = null): void {
    if (this.promptPanel === undefined) {
      const place = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
      this.adopt(vscode.window.createWebviewPanel(promptLabType, this.promptTitle(), place, {}));
    } else {
      // In the prompt's own column it would cover the prompt, and then be the lab of none.
      const column = this.sources.active.prompt?.editor?.viewColumn;
      const covers = column !== undefined && column === this.promptPanel.viewColumn;
      this.promptPanel.reveal(covers ? vscode.ViewColumn.Beside : undefined, true);
    }
    if (part !== null) {
      this.promptPage?.show(part);
    }
  }

  /** Opens the lab of an experiment file, of results or of runs in place of its text, or beside it, where the focus stays in the text. */
  async openFile(uri: vscode.Uri, beside = false): Promise<void> {
    const place = beside ? [{ viewColumn: vscode.ViewColumn.Beside, preserveFocus: true }] : [];
    await vscode.commands.executeCommand('vscode.openWith', uri, fileLabType, ...place);
  }

  resolveCustomTextEditor(document: vscode.TextDocument, panel: vscode.WebviewPanel): void {
    const { engine, outlooks, evaluation, runExperiment } = this.sources;
    const isExperiment = /\.(two-heads\.json|jsonl)$/.test(document.uri.path);
    const source = isExperiment ? new ExperimentLab(document, outlooks, evaluation, runExperiment) : new RunsLab(document, engine);
    this.files.set(panel, document);
    panel.onDidDispose(() => this.files.delete(panel));
    this.own(new LabPage(panel, source, this.sources));
  }

  /** VS Code restores the panel after a reload. */
  deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    this.promptPanel?.dispose();
    this.adopt(panel);
    return Promise.resolve();
  }

  private adopt(panel: vscode.WebviewPanel): void {
    this.promptPanel = panel;
    panel.onDidDispose(() => (this.promptPanel = this.promptPanel === panel ? undefined : this.promptPanel));
    const feed = new PanelFeed(panel, { ...this.sources, openLab: (part) => this.openPrompt(part) });
    this.promptPage = this.own(new LabPage(panel, new PromptLab(this.sources), this.sources, feed));
    this.nameAfterPrompt();
  }

  private nameAfterPrompt(): void {
    if (this.promptPanel !== undefined) {
      this.promptPanel.title = this.promptTitle();
    }
  }

  private promptTitle(): string {
    const { prompt } = this.sources.active;
    return prompt === undefined ? t('Two Heads Lab') : t('Lab: {0}', posix.basename(prompt.document.uri.path));
  }
}
