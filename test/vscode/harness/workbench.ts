/**
 * A real VS Code for tests, from npm alone.
 *
 * - `install.ts` puts code-server's VS Code server into `.vscode-test/` (once), `browser.ts` finds a Chromium.
 * - `server.ts` starts that server with a fresh data folder, installs the VSIX with VS Code's own command line, and knows
 *   every process below it. The extension runs in a real Node extension host, the workbench in a headless page.
 * - `probe/` is a second, tiny extension that answers what the page shows only in part: selections, settings, clipboard.
 * - Everything else is done as a user does it: palette, keys, mouse, and reading the screen (`page-readers.ts`).
 *
 * Reading methods answer at once with what is there now; wrap them in `eventually` / `eventuallyText` (`wait.ts`) where
 * VS Code needs time. Doing methods wait for what they need, within a limit, and say what they saw instead.
 * Only what is on screen can be read: scroll (`goToLine`) to see lenses and hints further down.
 */
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Frame, Locator, Page } from 'playwright-core';
import { launchBrowser } from './browser';
import { Editor } from './editor';
import { WAIT_LIMIT_MS } from './limits';
import { isHarnessNoise } from './noise';
import { readStatusItems } from './page-readers';
import type { ProbeAnswers, Question } from './probe/protocol';
import { killAll, type RunningProcess } from './processes';
import { quietSettings } from './quiet-settings';
import { QuickInput } from './quick-input';
import { VsCodeServer, type Settings } from './server';
import { eventually, until } from './wait';
import { findPage, findWebview } from './webviews';

/** The side bar's width at the start, in pixels. */
const SIDE_BAR_WIDTH = 300;
const VIEWPORT = { width: 1600, height: 1000 };

/** The bar in a notification while what it tells of runs. */
const RUNNING = '.monaco-progress-container.active';

/** What a test starts VS Code with. */
export interface WorkbenchOptions {
  /** The packaged extension under test. */
  readonly vsix: string;
  /** The folder or workspace file to open: an absolute path. */
  readonly workspace: string;
  /** Where screenshots go; made when missing. */
  readonly artifacts: string;
  /** User settings on top of the quiet ones. */
  readonly settings?: Settings;
  /** The language of the editor and its extensions, such as `de`; English where left out. */
  readonly language?: string;
  /** Environment of the server, and so of the extension host. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** One VS Code with its page. `start` it, drive it, `close` it. */
export class Workbench {
  /** The page itself, for what no method here does. */
  readonly page: Page;
  readonly quickInput: QuickInput;
  readonly editor: Editor;
  private errors: string[] = [];
  private readonly outside: string[] = [];
  private settings: Settings;
  private sideBarWidth = SIDE_BAR_WIDTH;

  private constructor(
    private readonly server: VsCodeServer,
    private readonly browser: Browser,
    page: Page,
    private readonly options: WorkbenchOptions,
  ) {
    this.page = page;
    this.quickInput = new QuickInput(page, server);
    this.editor = new Editor(page, this.quickInput, server);
    this.settings = startSettings(options);
    page.setDefaultTimeout(WAIT_LIMIT_MS);
    this.listenToPage();
  }

  /** Installs what is missing, starts VS Code with the VSIX, and waits until workbench and extension host answer. */
  static async start(options: WorkbenchOptions): Promise<Workbench> {
    await mkdir(options.artifacts, { recursive: true });
    const server = await VsCodeServer.start(options.vsix, startSettings(options), options.environment ?? {});
    let browser: Browser | undefined;
    try {
      browser = await launchBrowser();
      const context = await browser.newContext({ viewport: VIEWPORT, permissions: ['clipboard-read', 'clipboard-write'] });
      if (options.language !== undefined) {
        // Where a language pack would put it. The workbench's own texts stay English: no pack is installed.
        await context.addInitScript(`globalThis._VSCODE_NLS_LANGUAGE = ${JSON.stringify(options.language)}`);
      }
      const workbench = new Workbench(server, browser, await context.newPage(), options);
      await workbench.load();
      return workbench;
    } catch (error) {
      await browser?.close();
      await server.dispose();
      throw error;
    }
  }

  /** Loads the page anew, as a user who presses reload: a new extension host, the same settings and extensions. */
  async reload(): Promise<void> {
    const before = this.extensionHostPid();
    const printed = this.errors.length;
    await this.page.goto('about:blank');
    // A page that goes away complains of what it can no longer write or wait for: that is VS Code's own farewell.
    this.errors.length = printed;
    killAll([{ pid: before }]);
    await this.load();
  }

  /** Opens a file by its absolute path. */
  open(file: string): Promise<void> {
    return this.editor.open(file);
  }

  /** Opens a notebook by its absolute path in its own editor. */
  async openNotebook(file: string): Promise<void> {
    await this.server.ask('showNotebook', pathToFileURL(file).href);
    await this.page
      .locator(`.tab.active[data-resource-name="${basename(file)}"]`)
      .first()
      .waitFor({ state: 'visible' });
    // A cell has no height before its text is drawn.
    await this.page.locator('.notebook-editor .cell-list-container .monaco-list-row').first().waitFor({ state: 'attached' });
  }

  /** Runs the palette command with exactly this title, category included. */
  command(title: string): Promise<void> {
    return this.quickInput.command(title);
  }

  /** Picks the entry, or exactly the entries, with this label in the open quick pick. */
  quickPick(label: string | readonly string[]): Promise<void> {
    return typeof label === 'string' ? this.quickInput.choose(label) : this.quickInput.chooseMany(label);
  }

  /** Shows a view by its name (`Plan`) as the palette's `view` list has it, wherever it lives. */
  async showView(name: string): Promise<void> {
    await this.quickInput.chooseFrom(`view ${name}`, name);
  }

  /** Drags the side bar's border until the side bar is about so many pixels wide. */
  async setSideBarWidth(pixels: number): Promise<void> {
    this.sideBarWidth = pixels;
    const sideBar = this.page.locator('.part.sidebar');
    await eventually(`a side bar of ${pixels} pixels`, async () => {
      const { x, y, width, height } = (await sideBar.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
      if (Math.abs(width - pixels) < 5) {
        // Away from the border, which lights up under the mouse.
        await this.page.mouse.move(x + width / 2, y);
        return { found: true };
      }
      await this.page.mouse.move(x + width, y + height / 2);
      await this.page.mouse.down();
      await this.page.mouse.move(x + pixels, y + height / 2, { steps: 5 });
      await this.page.mouse.up();
      return { seen: width };
    });
  }

  /** The inner frame of a visible webview: see {@link findWebview}. */
  webview(titleOrIndex: string | number): Promise<Frame> {
    return findWebview(this.page, titleOrIndex);
  }

  /** The inner frame of the panel of Two Heads where it is on screen and shows something; undefined where it is not. */
  panelFrame(): Promise<Frame | undefined> {
    return findPage(this.page, 'document');
  }

  /** The page of the lab; undefined while it shows nothing. */
  labFrame(): Promise<Frame | undefined> {
    return findPage(this.page, 'lab-document');
  }

  /** The status bar's labels, left to right. */
  statusItems(): Promise<string[]> {
    return this.page.evaluate(readStatusItems);
  }

  /** Clicks the status item whose label contains `text`. */
  async clickStatusItem(text: string): Promise<void> {
    await this.page.locator('.part.statusbar .statusbar-item a', { hasText: text }).first().click();
  }

  /** The messages of the notifications on screen. VS Code hides one without buttons after some seconds. */
  async notifications(): Promise<string[]> {
    return (await this.page.locator('.notification-list-item-message').allInnerTexts()).map((text) => text.trim());
  }

  /** Presses a button of the notification whose message contains `message`. */
  async pressNotificationButton(message: string, button: string): Promise<void> {
    const notification = this.page.locator('.notification-list-item', { hasText: message }).first();
    await notification.getByRole('button', { name: button, exact: true }).click();
  }

  /** Clears every notification but the progress of what runs, and waits until they are gone. */
  async clearNotifications(): Promise<void> {
    await this.run('notifications.clearAll');
    const others = this.page.locator('.notification-list-item').filter({ hasNot: this.page.locator(RUNNING) });
    await until(
      'no notification',
      () => others.allInnerTexts(),
      (seen) => seen.length === 0,
    );
  }

  /** Starts a command of VS Code by its identifier, where it is not what is tested: see {@link command} for the palette. */
  async run(command: string, ...given: readonly unknown[]): Promise<void> {
    await this.server.ask('command', JSON.stringify([command, ...given]));
  }

  /**
   * Leaves nothing of what was done before: no editor, dialog, quick input, notification or run, and the settings, the
   * choices, the theme and the width of the side bar of the start. What the extension keeps (runs, calibrations, the last
   * ledger and evaluation) stays.
   */
  async reset(): Promise<void> {
    await this.page.keyboard.up('Control');
    await this.page.mouse.up();
    await eventually('no dialog', async () => {
      const seen = await this.dialog();
      if (seen !== undefined) {
        await this.page.keyboard.press('Escape');
      }
      return seen === undefined ? { found: true } : { seen };
    });
    await this.server.ask('clear');
    const start = startSettings(this.options);
    const { 'workbench.colorTheme': theme, ...others } = Object.fromEntries(
      Object.keys(this.settings)
        .filter((name) => JSON.stringify(this.settings[name]) !== JSON.stringify(start[name]))
        .map((name) => [name, start[name]]),
    );
    await this.setSettings(others);
    if (theme !== undefined) {
      await this.setTheme(theme as string);
    }
    await this.server.ask('unchoose');
    if (this.sideBarWidth !== SIDE_BAR_WIDTH) {
      await this.setSideBarWidth(SIDE_BAR_WIDTH);
    }
    const { width } = this.page.viewportSize() ?? VIEWPORT;
    // Where nothing lies that says something of itself.
    await this.page.mouse.move(width / 2, 1);
    await until(
      'nothing to run',
      () => this.page.locator(`.notification-list-item ${RUNNING}`).count(),
      (running) => running === 0,
    );
    await this.clearNotifications();
  }

  /** The text of the modal dialog, or undefined when none is open. */
  async dialog(): Promise<string | undefined> {
    const texts = await this.modal.locator('.dialog-message-container').allInnerTexts();
    return texts.at(0)?.trim();
  }

  /** Presses a button of the modal dialog. */
  async pressDialogButton(button: string): Promise<void> {
    await this.modal.getByRole('button', { name: button, exact: true }).click();
  }

  /** Switches the colour theme through the user settings, and waits until the page wears it. */
  async setTheme(name: string): Promise<void> {
    if (this.settings['workbench.colorTheme'] === name) {
      return;
    }
    const before = await this.themeClass();
    await this.setSettings({ 'workbench.colorTheme': name });
    await until(
      `the theme '${name}'`,
      () => this.themeClass(),
      (now) => now !== before,
    );
  }

  /** Writes user settings on top of those in force (undefined removes one), and waits until extensions see them. */
  async setSettings(changes: Settings): Promise<void> {
    this.settings = { ...this.settings, ...changes };
    await this.server.ask(
      'configure',
      JSON.stringify(changes, (_, value: unknown) => value ?? null),
    );
    for (const [name, wanted] of Object.entries(changes)) {
      const isThere = (now: unknown): boolean => wanted === undefined || JSON.stringify(now) === JSON.stringify(wanted);
      await until(`the setting '${name}'`, () => this.server.ask('setting', name), isThere);
    }
  }

  /** Has the second extension in this VS Code answer. */
  ask<Q extends Question>(question: Q, argument?: string): Promise<ProbeAnswers[Q]> {
    return this.server.ask(question, argument);
  }

  /** What the user's clipboard holds. */
  clipboard(): Promise<string> {
    return this.server.ask('clipboard');
  }

  /** Whether the extension `publisher.name` is active; null when it is not installed. */
  isActive(extension: string): Promise<boolean | null> {
    return this.server.ask('active', extension);
  }

  /** Where the extension under test was unpacked: the folder that holds `<publisher>.<name>-<version>`. */
  get extensionsFolder(): string {
    return this.server.extensionsFolder;
  }

  /** Where the extension `publisher.name` keeps files of its own. */
  storageOf(extension: string): string {
    return join(this.extensionsFolder, '..', 'data/data/User/globalStorage', extension);
  }

  /** Every process below the server whose command line contains `text`; all of them without it. */
  childProcesses(text = ''): RunningProcess[] {
    return this.server.childProcesses().filter(({ commandLine }) => commandLine.includes(text));
  }

  /** The process that runs the extensions; throws when there is none. */
  extensionHostPid(): number {
    const host = this.childProcesses('--type=extensionHost')[0] as RunningProcess | undefined;
    if (host === undefined) {
      throw new Error('No extension host is running.');
    }
    return host.pid;
  }

  /** Ends (SIGKILL) the one child process whose command line contains `text`; throws when there is none. */
  killChild(text: string): void {
    const found = this.childProcesses(text);
    if (found.length === 0) {
      throw new Error(`No child process has '${text}' in its command line: ${JSON.stringify(this.childProcesses())}`);
    }
    killAll(found);
  }

  /** Errors the page and the extension host printed since the last call, without those this kind of installation always prints. */
  takeConsoleErrors(): readonly string[] {
    const taken = this.errors;
    this.errors = [];
    return taken;
  }

  /** Addresses outside this machine that a page asked for; none of them was reached. */
  get outsideRequests(): readonly string[] {
    return this.outside;
  }

  /** What the server printed last. */
  get serverOutput(): string {
    return this.server.output;
  }

  /** Writes `<name>.png` into the artefact folder, or into another one. */
  async screenshot(name: string, folder: string = this.options.artifacts): Promise<void> {
    // What fades in or out, such as a hover, is shown as it will be.
    await this.page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
  }

  /** Ends everything that `start` started, and removes its folders. */
  async close(): Promise<void> {
    await this.browser.close();
    await this.server.dispose();
  }

  private get modal(): Locator {
    return this.page.locator('.monaco-dialog-box');
  }

  private async load(): Promise<void> {
    try {
      await this.page.goto(this.server.urlOf(this.options.workspace));
      await this.page.locator('.monaco-workbench .part.statusbar').waitFor({ state: 'visible' });
      await eventually('the extension host to answer', async () => ({ found: await this.server.ask('editor') }));
    } catch (error) {
      await this.screenshot('start-failed');
      throw new Error(`VS Code did not start; its server printed:\n${this.server.output}`, { cause: error });
    }
  }

  /** The page's theme as VS Code names it in its classes, such as `vs-dark vscode-theme-...`. */
  private async themeClass(): Promise<string> {
    const classes = (await this.page.locator('.monaco-workbench').first().getAttribute('class')) ?? '';
    return classes
      .split(' ')
      .filter((name) => /^(vs|vs-dark|hc-black|hc-light|vscode-theme-.*)$/.test(name))
      .join(' ');
  }

  private listenToPage(): void {
    this.page.on('console', (message) => {
      if (message.type() === 'error' && !isHarnessNoise(message.text(), message.location().url)) {
        this.errors.push(message.text());
      }
    });
    this.page.on('pageerror', (error) => this.errors.push(error.stack ?? error.message));
    this.page.on('request', (request) => {
      const { protocol, hostname } = new URL(request.url());
      // VS Code's service worker answers for its own resource host; nothing leaves the machine.
      const local = hostname === '127.0.0.1' || hostname === 'localhost' || hostname.endsWith('.vscode-resource.vscode-cdn.net');
      if (/^(https?|wss?):$/.test(protocol) && !local) {
        this.outside.push(request.url());
      }
    });
  }
}

function startSettings({ settings }: WorkbenchOptions): Settings {
  return { ...quietSettings, ...settings };
}
