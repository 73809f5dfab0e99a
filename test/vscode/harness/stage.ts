import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { packaged } from './packaged';
import { Panel } from './panel';
import { eventually, eventuallyText, until } from './wait';
import { Workbench, type WorkbenchOptions } from './workbench';

/** What a file of tests starts with. */
export interface StageOptions extends Partial<Omit<WorkbenchOptions, 'vsix'>> {
  /** Files of the folder, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Writes what else there is into the folder, and says what depends on where that is. */
  readonly prepare?: (folder: string) => Partial<WorkbenchOptions>;
  /** The palette's title of the command that opens the panel, where it is not English. */
  readonly openPanel?: string;
  /** Errors in the console that are meant: VS Code prints every error notification there. */
  readonly meant?: RegExp;
}

/**
 * A VS Code for the tests of this `describe` or file, each of which finds it as if it were the first: see
 * {@link Workbench.reset}. After each, nothing may have printed an error or asked for anything outside this machine.
 */
export function useStage(name: string, options: StageOptions = {}): Stage {
  const stage = new Stage(name, options);
  beforeAll(() => stage.start());
  beforeEach(() => stage.reset());
  afterEach(() => stage.check());
  afterAll(() => stage.close());
  return stage;
}

/** A VS Code with a workspace of its own, and what tests do with it again and again. */
export class Stage {
  private made: string | undefined;
  private running: Workbench | undefined;
  private isFresh = true;

  constructor(
    private readonly name: string,
    private readonly options: StageOptions,
  ) {}

  /** The folder with the files of the tests: the workspace, unless `prepare` says otherwise. */
  get folder(): string {
    return started(this.made);
  }

  /** VS Code itself. */
  get bench(): Workbench {
    return started(this.running);
  }

  async start(): Promise<void> {
    this.made = mkdtempSync(join(tmpdir(), `two-heads-${this.name}-`));
    for (const [file, text] of Object.entries(this.options.files ?? {})) {
      writeFileSync(this.path(file), text);
    }
    this.running = await Workbench.start({
      ...packaged,
      workspace: this.folder,
      ...this.options,
      ...this.options.prepare?.(this.folder),
    });
  }

  async reset(): Promise<void> {
    if (!this.isFresh) {
      await this.bench.reset();
    }
    this.isFresh = false;
  }

  /** Throws where anything printed an error that is not meant, or asked for anything outside this machine. */
  check(): void {
    const { meant } = this.options;
    const errors = this.bench.takeConsoleErrors().filter((error) => meant?.test(error) !== true);
    expect(errors, errors.join('\n')).toEqual([]);
    expect(this.bench.outsideRequests).toEqual([]);
  }

  async close(): Promise<void> {
    await this.running?.close();
    if (this.made !== undefined) {
      rmSync(this.made, { recursive: true, force: true });
    }
  }

  /** The path of a file of the folder. */
  path(file: string): string {
    return join(this.folder, file);
  }

  /** Opens a file of the folder, written anew where its text is given. */
  async open(file: string, text?: string): Promise<void> {
    if (text !== undefined) {
      writeFileSync(this.path(file), text);
    }
    await this.bench.open(this.path(file));
  }

  /** Waits for a code lens, or a line of its hover. */
  lens(wanted: RegExp | string): Promise<string> {
    const { editor } = this.bench;
    return eventuallyText('a lens', async () => [...(await editor.codeLensHovers()), ...(await editor.codeLenses())], wanted);
  }

  /** Waits for a hint. */
  hint(wanted: RegExp | string): Promise<string> {
    return eventuallyText('a hint', () => this.bench.editor.hints(), wanted);
  }

  /** Waits for a notification. */
  notification(wanted: RegExp | string): Promise<string> {
    return eventuallyText('a notification', () => this.bench.notifications(), wanted);
  }

  /** Waits for a modal dialog, and returns its text. */
  dialog(): Promise<string> {
    return eventually('a dialog', async () => {
      const found = await this.bench.dialog();
      return found === undefined ? { seen: 'no dialog' } : { found };
    });
  }

  /** Runs the prompt in front, and waits until it has run. @returns what the notification says, which is cleared */
  async simulate(outcomeWanted: RegExp = /tokens in .*: [\d,]+ calls, max abs error/): Promise<string> {
    await this.bench.clearNotifications();
    await this.bench.command('Two Heads: Simulate This File');
    const outcome = await this.notification(outcomeWanted);
    await this.bench.clearNotifications();
    return outcome;
  }

  /** The panel, opened where it is not on screen. @param document waits until it shows this one */
  async panel(document?: string): Promise<Panel> {
    if ((await this.bench.panelFrame()) === undefined) {
      await this.bench.command(this.options.openPanel ?? 'Two Heads: Open Panel');
    }
    const panel = await eventually('the panel', async () => {
      const frame = await this.bench.panelFrame();
      return frame === undefined ? { seen: 'no panel' } : { found: new Panel(frame) };
    });
    if (document !== undefined) {
      await panel.text('document', new RegExp(`^${document.replaceAll('.', '\\.')}$`));
    }
    return panel;
  }

  /** The lab of the prompt in front, opened by the panel, with all of its sections unfolded. @param document waits until it shows this one */
  async lab(document?: string): Promise<Panel> {
    if ((await this.bench.labFrame()) === undefined) {
      await (await this.panel(document)).part('open-lab').click();
    }
    const lab = await this.openedLab();
    if (document !== undefined) {
      await lab.text('lab-document', new RegExp(`^${document.replaceAll('.', '\\.')}$`));
    }
    await lab.part('section-ledger').waitFor({ state: 'visible' });
    await lab.frame.evaluate('document.querySelectorAll("details.section").forEach((section) => (section.open = true))');
    return lab;
  }

  /** Gives the lab's page a width in CSS pixels. */
  async resizeLab({ frame }: Panel, width: number): Promise<void> {
    const { page } = this.bench;
    // Beside a text the lab has a share of what the window is wider: each look comes nearer.
    const approach = async (): Promise<number> => {
      const now = await frame.evaluate<number>('innerWidth');
      const viewport = page.viewportSize();
      if (viewport !== null && Math.abs(width - now) > 1) {
        await page.setViewportSize({ ...viewport, width: viewport.width + width - now });
      }
      return now;
    };
    await until('the lab’s width', approach, (now) => Math.abs(width - now) <= 1);
  }

  /** The lab that is on screen, once one is. */
  openedLab(): Promise<Panel> {
    return eventually('the lab', async () => {
      const frame = await this.bench.labFrame();
      return frame === undefined ? { seen: 'no lab' } : { found: new Panel(frame) };
    });
  }

  /** Deletes every run that is kept. */
  async clearHistory(): Promise<void> {
    await this.bench.clearNotifications();
    await this.bench.run('twoHeads.clearHistory');
    await eventually('the runs to be deleted', async () => {
      if ((await this.bench.dialog()) !== undefined) {
        await this.bench.pressDialogButton('Delete');
        return { found: true };
      }
      const seen = await this.bench.notifications();
      return seen.some((text) => text.includes('no runs yet')) ? { found: true } : { seen };
    });
    await this.bench.clearNotifications();
  }
}

function started<T>(value: T | undefined): T {
  if (value === undefined) {
    throw new Error('VS Code starts before the first test: ask for it in a test.');
  }
  return value;
}
