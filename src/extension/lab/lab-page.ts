import * as vscode from 'vscode';
import type { Range } from '../../core/scenario/scenario';
import { withMarkedNumbers } from '../../protocol/numbers';
import type { LabAtlas, LabExperiment, LabHostMessage, LabPageMessage, LabSnapshot } from '../../protocol/lab';
import type { LabPart, PageMessage } from '../../protocol/panel';
import { Disposable } from '../disposable';
import { openPage } from '../panel/page';
import type { PanelFeed } from '../panel/panel-feed';
import type { SingleTask } from '../tasks/single-task';
import { isLabMessage, readLabMessage } from './lab-messages';

/** Delay that collects changes into one message, in milliseconds. */
const gatherMs = 40;

/** What a lab is of: the prompt in front, or a file. */
export interface LabSource extends Disposable {
  /** Fires when anything of it changes. */
  readonly onDidChange: vscode.Event<void>;
  /** Fires when tokens are selected in the text editor, or none any more. */
  readonly onDidSelect: vscode.Event<Range | null>;
  snapshot(activity: LabSnapshot['activity']): LabSnapshot;
  /** The same object while it has not changed. */
  readonly atlas: LabAtlas | null;
  /** The same object while it has not changed. */
  readonly experiment: LabExperiment | null;
  /** Does what the page asks for. */
  act(message: SourceMessage): unknown;
}

/** Messages that are for the source alone. */
export type SourceMessage = Exclude<LabPageMessage, { readonly type: 'ready' | 'cancel' | 'open-text' }>;

/** What all labs need. */
export interface LabSurroundings {
  /** The folder with the page's script and style sheet. */
  readonly assets: vscode.Uri;
  readonly task: SingleTask;
  /** Takes a line about a message of the page that is none. */
  readonly log: (line: string) => void;
}

/** One editor with the lab's page: sends what its source has, and hands on what the page asks for. */
export class LabPage extends Disposable {
  private timer: NodeJS.Timeout | undefined;
  /** What the page has of that which is sent only on change; undefined before the first. */
  private sentAtlas: LabAtlas | null | undefined;
  private sentExperiment: LabExperiment | null | undefined;
  /** Whether the page hears; one that was hidden begins anew. */
  private isReady = false;
  /** What is to be shown once it does. */
  private wanted: LabPart | null = null;

  /** @param feed what the side panel shows too; none of files */
  constructor(
    private readonly panel: vscode.WebviewPanel,
    private readonly source: LabSource,
    private readonly surroundings: LabSurroundings,
    private readonly feed?: PanelFeed,
  ) {
    super();
    const { assets, task, log } = surroundings;
    this.own(source);
    if (feed !== undefined) {
      this.own(feed);
    }
    this.own(panel.onDidChangeViewState(() => (this.isReady &&= panel.visible)));
    this.own(source.onDidChange(() => this.refresh()));
    this.own(source.onDidSelect((range) => this.post({ type: 'selected', range })));
    this.own(
      task.follow(
        (progress) => this.post({ type: 'progress', progress }),
        () => this.refresh(),
      ),
    );
    this.own({ dispose: () => clearTimeout(this.timer) });
    panel.onDidDispose(() => this.dispose());
    this.own(openPage('lab', panel.webview, assets, { read: readLabMessage, receive: (message) => this.receive(message), log }));
  }

  /** Unfolds a part of the page and scrolls to it. */
  show(part: LabPart): void {
    this.wanted = part;
    this.showWanted();
  }

  private showWanted(): void {
    if (this.wanted !== null && this.isReady) {
      this.post({ type: 'show', part: this.wanted });
      this.wanted = null;
    }
  }

  private async receive(message: LabPageMessage | PageMessage): Promise<void> {
    if (!isLabMessage(message)) {
      await this.feed?.receive(message);
      return;
    }
    switch (message.type) {
      case 'ready':
        this.isReady = true;
        await this.feed?.receive(message);
        this.sentAtlas = undefined;
        this.sentExperiment = undefined;
        this.send();
        this.showWanted();
        break;
      case 'cancel':
        this.surroundings.task.cancel();
        break;
      case 'open-text':
        await vscode.commands.executeCommand('twoHeads.reopenAsText');
        break;
      default:
        await this.source.act(message);
    }
  }

  private refresh(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), gatherMs);
  }

  private send(): void {
    const { source } = this;
    const { atlas, experiment } = source;
    this.post({ type: 'lab', snapshot: source.snapshot(this.surroundings.task.activity) });
    if (experiment !== this.sentExperiment) {
      this.sentExperiment = experiment;
      this.post({ type: 'experiment', experiment });
    }
    if (atlas !== this.sentAtlas) {
      this.sentAtlas = atlas;
      this.post({ type: 'atlas', atlas });
    }
  }

  private post(message: LabHostMessage): void {
    // A hidden page hears nothing; it says that it is ready when it is shown again.
    if (this.panel.visible) {
      void this.panel.webview.postMessage(withMarkedNumbers(message));
    }
  }
}
