import type * as vscode from 'vscode';
import { CancellationTokenSource, Disposable, EventEmitter, onReset } from './events';
import { Uri } from './values';

/** A page as its host sees it: what it is told, and what it says. */
export class FakeWebview {
  options: vscode.WebviewOptions = {};
  html = '';
  readonly cspSource = 'https://*.vscode-cdn.net';
  /** What the page has received. */
  readonly received: unknown[] = [];
  private readonly spoken = new EventEmitter<unknown>();
  readonly onDidReceiveMessage = this.spoken.event;
  private readonly heard = new EventEmitter<unknown>();
  /** Fires when the page has received something. */
  readonly onReceived = this.heard.event;

  constructor(private readonly isVisible: () => boolean) {}

  asWebviewUri(uri: vscode.Uri): Uri {
    return Uri.parse(`https://file+.vscode-resource.vscode-cdn.net${uri.path}`);
  }

  /** A hidden page hears nothing. */
  postMessage(message: unknown): Promise<boolean> {
    const visible = this.isVisible();
    if (visible) {
      // As between two processes: a copy of plain data.
      this.received.push(structuredClone(message));
      this.heard.fire(message);
    }
    return Promise.resolve(visible);
  }

  dispose(): void {
    this.spoken.dispose();
    this.heard.dispose();
  }

  /** The page says something. */
  say(message: unknown): void {
    this.spoken.fire(structuredClone(message));
  }
}

/** A view of the side bar that shows a page. */
export class FakeWebviewView {
  visible = true;
  readonly webview = new FakeWebview(() => this.visible);
  private readonly gone = new EventEmitter<void>();
  readonly onDidDispose = this.gone.event;

  /** The user closes the view: its page is gone. */
  close(): void {
    this.visible = false;
    this.gone.fire();
    this.gone.dispose();
    this.webview.dispose();
  }
}

/** An editor that shows a page. */
export class FakeWebviewPanel {
  visible = true;
  active = false;
  readonly webview = new FakeWebview(() => this.visible);
  title: string;
  revealed = 0;
  /** Where it is, and where it was last revealed, where that was said. */
  viewColumn: number | undefined;
  revealedIn: number | undefined;
  disposed = false;
  private readonly gone = new EventEmitter<void>();
  readonly onDidChangeViewState = new EventEmitter<unknown>().event;
  readonly onDidDispose = this.gone.event;

  constructor(
    readonly viewType: string,
    title: string,
    readonly place: unknown,
    readonly options: vscode.WebviewPanelOptions & vscode.WebviewOptions,
  ) {
    this.title = title;
  }

  reveal(column?: number): void {
    this.revealedIn = column;
    this.revealed += 1;
  }

  dispose(): void {
    if (!this.disposed) {
      this.disposed = true;
      this.gone.fire();
    }
  }
}

/** A tree: what is selected in it, and whether it is on screen. */
export class FakeTreeView<T> {
  /** As in an editor, none is on screen at first. */
  visible = false;
  selection: readonly T[] = [];
  private readonly shown = new EventEmitter<vscode.TreeViewVisibilityChangeEvent>();
  readonly onDidChangeVisibility = this.shown.event;

  constructor(
    readonly options: vscode.TreeViewOptions<T>,
    private readonly leave: () => void,
  ) {}

  /** The user shows or hides the view. */
  show(visible: boolean): void {
    this.visible = visible;
    this.shown.fire({ visible });
  }

  dispose(): void {
    this.shown.dispose();
    this.leave();
  }
}

/** What was made of each kind, by id or oldest first. */
export const webviewProviders = new Map<string, vscode.WebviewViewProvider>();
export const webviewViews = new Map<string, FakeWebviewView>();
export const webviewPanels: FakeWebviewPanel[] = [];
export const customEditors = new Map<string, vscode.CustomTextEditorProvider>();
export const panelSerializers = new Map<string, vscode.WebviewPanelSerializer>();
export const treeViews = new Map<string, FakeTreeView<unknown>>();
export const statusItems: FakeStatusItem[] = [];
export const progresses: ShownProgress[] = [];
export const logged: { readonly level: string; readonly line: string }[] = [];
export const shownLogs: string[] = [];
onReset(() => {
  [webviewProviders, webviewViews, treeViews, customEditors, panelSerializers].forEach((map) => map.clear());
  [webviewPanels, statusItems, progresses, logged, shownLogs].forEach((list) => list.splice(0));
});

function register<T>(map: Map<string, T>, id: string, value: T): Disposable {
  if (map.has(id)) {
    throw new Error(`${id} is registered already`);
  }
  map.set(id, value);
  return new Disposable(() => map.delete(id));
}

export function registerWebviewViewProvider(id: string, provider: vscode.WebviewViewProvider): Disposable {
  const registration = register(webviewProviders, id, provider);
  return Disposable.from(registration, { dispose: () => webviewViews.get(id)?.close() });
}

/** Shows a view of the side bar, as an editor does when it comes to the front for the first time. */
export function openView(id: string): FakeWebviewView {
  const provider = webviewProviders.get(id);
  if (provider === undefined) {
    throw new Error(`No view is registered as ${id}`);
  }
  const known = webviewViews.get(id);
  if (known?.visible === true) {
    return known;
  }
  const view = new FakeWebviewView();
  webviewViews.set(id, view);
  void provider.resolveWebviewView(view as unknown as vscode.WebviewView, { state: undefined }, new CancellationTokenSource().token);
  return view;
}

export function createWebviewPanel(
  viewType: string,
  title: string,
  place: unknown,
  options: vscode.WebviewPanelOptions & vscode.WebviewOptions,
): FakeWebviewPanel {
  const panel = new FakeWebviewPanel(viewType, title, place, options);
  webviewPanels.push(panel);
  return panel;
}

export function registerCustomEditorProvider(viewType: string, provider: vscode.CustomTextEditorProvider): Disposable {
  return register(customEditors, viewType, provider);
}

export function registerWebviewPanelSerializer(viewType: string, serializer: vscode.WebviewPanelSerializer): Disposable {
  return register(panelSerializers, viewType, serializer);
}

/** Opens a document in a custom editor, as an editor does where the user chooses it. */
export function openCustomEditor(viewType: string, document: unknown): FakeWebviewPanel {
  const panel = createWebviewPanel(viewType, '', undefined, {});
  panel.active = true;
  const token = new CancellationTokenSource().token;
  void customEditors
    .get(viewType)
    ?.resolveCustomTextEditor(document as vscode.TextDocument, panel as unknown as vscode.WebviewPanel, token);
  return panel;
}

export function createTreeView<T>(id: string, options: vscode.TreeViewOptions<T>): FakeTreeView<T> {
  const view = new FakeTreeView(options, () => treeViews.delete(id));
  register(treeViews, id, view as FakeTreeView<unknown>);
  return view;
}

/** An entry of the status bar. */
export class FakeStatusItem {
  name = '';
  text = '';
  tooltip: string | vscode.MarkdownString | undefined;
  command: string | undefined;
  visible = false;

  constructor(
    readonly id: string,
    readonly alignment: number,
    readonly priority: number,
  ) {}

  show(): void {
    this.visible = true;
  }

  hide(): void {
    this.visible = false;
  }

  dispose(): void {
    this.visible = false;
    statusItems.splice(statusItems.indexOf(this), 1);
  }
}

export function createStatusBarItem(id: string, alignment: number, priority: number): FakeStatusItem {
  const item = new FakeStatusItem(id, alignment, priority);
  statusItems.push(item);
  return item;
}

/** A notification of progress. */
interface ShownProgress {
  readonly options: vscode.ProgressOptions;
  readonly reports: { readonly message?: string; readonly increment?: number }[];
  /** The user presses Cancel. */
  readonly cancel: () => void;
  ended: boolean;
}

export async function withProgress<T>(
  options: vscode.ProgressOptions,
  task: (progress: vscode.Progress<{ message?: string; increment?: number }>, token: vscode.CancellationToken) => Thenable<T>,
): Promise<T> {
  const source = new CancellationTokenSource();
  const shown: ShownProgress = { options, reports: [], cancel: () => source.cancel(), ended: false };
  progresses.push(shown);
  try {
    return await task({ report: (report) => void shown.reports.push(report) }, source.token);
  } finally {
    shown.ended = true;
    source.dispose();
  }
}

/** A log of the output view; all write to the one that a test reads. */
export function createOutputChannel(name: string): vscode.LogOutputChannel {
  const writer = (level: string) => (line: string | Error) => void logged.push({ level, line: String(line) });
  const channel = {
    name,
    trace: writer('trace'),
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    show: () => void shownLogs.push(name),
    dispose: () => undefined,
  };
  return channel as unknown as vscode.LogOutputChannel;
}
