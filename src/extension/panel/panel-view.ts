import * as vscode from 'vscode';
import { Disposable } from '../disposable';
import { openPage } from './page';
import { readPageMessage } from './page-messages';
import { type FeedSources, PanelFeed } from './panel-feed';

/** The view's id in the manifest. */
const panelViewId = 'twoHeads.panel';

/** The side panel: the prompt in front at a glance. */
export class PanelView extends Disposable implements vscode.WebviewViewProvider {
  /**
   * @param assets the folder with the page's script and style sheet
   * @param log takes a line about a message of the page that is none
   */
  constructor(
    private readonly assets: vscode.Uri,
    private readonly sources: FeedSources,
    private readonly log: (line: string) => void,
  ) {
    super();
    this.own(vscode.window.registerWebviewViewProvider(panelViewId, this));
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const feed = this.own(new PanelFeed(view, this.sources));
    view.onDidDispose(() => feed.dispose());
    openPage('panel', view.webview, this.assets, {
      read: readPageMessage,
      receive: (message) => feed.receive(message),
      log: this.log,
    });
  }

  /** Brings the panel to the front. */
  async reveal(): Promise<void> {
    await vscode.commands.executeCommand(`${panelViewId}.focus`);
  }
}
