import type { Locator, Page } from 'playwright-core';
import { LOOK_LIMIT_MS } from './limits';
import type { VsCodeServer } from './server';
import { eventually, until } from './wait';

/** VS Code's quick input: the palette, quick open, and the quick picks and input boxes that extensions show. */
export class QuickInput {
  constructor(
    private readonly page: Page,
    private readonly server: VsCodeServer,
  ) {}

  /** Runs the palette command with exactly this title, category included (`Two Heads: Open Panel`). */
  command(title: string): Promise<void> {
    return this.chooseFrom(`>${title}`, title);
  }

  /** Opens the palette with `text` instead of its `>`: `:7` goes to a line, `view X` to a view. */
  async open(text: string): Promise<void> {
    await eventually('the palette to open', async () => {
      // Not by its key, which a busy page may take long after it was pressed, and then once more.
      await this.server.ask('command', JSON.stringify(['workbench.action.quickOpen', text]));
      const seen = await this.box.inputValue({ timeout: LOOK_LIMIT_MS });
      return seen === text && (await this.widget.isVisible()) ? { found: true } : { seen };
    });
  }

  /** Opens the palette with `text` and picks the entry with exactly this label; again where it lost the focus, which closes it. */
  async chooseFrom(text: string, label: string): Promise<void> {
    await this.open(text);
    await eventually(`the entry '${label}' for '${text}'`, async () => {
      if (!(await this.widget.isVisible())) {
        await this.open(text);
      }
      return this.pick(label);
    });
  }

  /** Picks the entry with exactly this label in the quick pick that is open, or about to open. */
  async choose(label: string): Promise<void> {
    await eventually(`the entry '${label}'`, () => this.pick(label));
  }

  /** In a quick pick of many: checks exactly these labels and confirms. */
  async chooseMany(labels: readonly string[]): Promise<void> {
    await until(
      `the entries ${labels.join(', ')}`,
      () => this.labels(),
      (shown) => labels.every((label) => shown.includes(label)),
    );
    for (const row of await this.rows.all()) {
      const wanted = labels.includes(await labelOf(row));
      // A row of such a list is its checkbox.
      if (((await row.getAttribute('aria-checked')) === 'true') !== wanted) {
        await row.click();
      }
    }
    await this.page.keyboard.press('Enter');
  }

  /**
   * Fills the input box with exactly this title and confirms: of several boxes in a row each is waited for, and the answer
   * counts once the box has gone. A refused answer leaves it open, and is thrown with the box's message.
   */
  async answer(title: string, text: string): Promise<void> {
    await until(
      `the input box '${title}'`,
      () => this.shownTitle(),
      (seen) => seen === title,
    );
    await this.box.fill(text);
    await this.page.keyboard.press('Enter');
    await eventually(`the answer '${text}' to '${title}' to be taken`, async () => {
      return (await this.shownTitle()) === title ? { seen: await this.message() } : { found: true };
    });
  }

  /** Waits for the file dialog with exactly this title, which proposes a path with this ending. */
  async proposedFile(title: string, ending: string): Promise<void> {
    await eventually(`the file dialog '${title}' with '…${ending}'`, async () => {
      const seen = { title: await this.shownTitle(), path: await this.shownText() };
      return seen.title === title && seen.path.endsWith(ending) ? { found: true } : { seen };
    });
  }

  /** Takes this path in the file dialog that is open. */
  async takeFile(path: string): Promise<void> {
    await this.box.fill(path);
    await eventually('the file dialog to close', async () => {
      const seen = await this.shownText();
      if (seen === path) {
        // Again where it is still looking at the folder: until it has, it takes nothing.
        await this.page.keyboard.press('Enter');
      }
      return seen === '' ? { found: true } : { seen };
    });
  }

  /** The labels on screen in the quick pick that is open; none when it is closed. */
  async labels(): Promise<string[]> {
    return Promise.all((await this.rows.all()).map(labelOf));
  }

  /** The line under the input box: its prompt, or why the answer is refused. */
  async message(): Promise<string> {
    return (await this.widget.locator('.quick-input-message').innerText()).trim();
  }

  /** Leaves the quick input without an answer. */
  async dismiss(): Promise<void> {
    await this.page.keyboard.press('Escape');
    await this.widget.waitFor({ state: 'hidden' });
  }

  /** The title; empty where no quick input with one is open. */
  private async shownTitle(): Promise<string> {
    return (await this.widget.isVisible()) ? (await this.title.innerText({ timeout: LOOK_LIMIT_MS })).trim() : '';
  }

  /** The text in the input box; empty where none is open. */
  private async shownText(): Promise<string> {
    return (await this.widget.isVisible()) ? this.box.inputValue({ timeout: LOOK_LIMIT_MS }) : '';
  }

  private get widget(): Locator {
    return this.page.locator('.quick-input-widget');
  }

  private get title(): Locator {
    return this.widget.locator('.quick-input-title');
  }

  private get box(): Locator {
    return this.widget.locator('.quick-input-box input');
  }

  private get rows(): Locator {
    return this.widget.locator('.quick-input-list .monaco-list-row');
  }

  /** Clicks an entry by its label, not by its place: the list may be filtered anew between finding it and clicking it. */
  private async pick(label: string): Promise<{ found: true } | { seen: string[] }> {
    const labels = await this.labels();
    if (!labels.includes(label)) {
      return { seen: labels };
    }
    const words = label.split(' ').map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const exact = new RegExp(`^\\s*${words.join('\\s')}\\s*$`);
    const row = this.rows.filter({ has: this.page.locator('.label-name', { hasText: exact }) }).first();
    await row.click({ timeout: LOOK_LIMIT_MS });
    return { found: true };
  }
}

async function labelOf(row: Locator): Promise<string> {
  const name = row.locator('.label-name').first();
  return ((await name.textContent({ timeout: LOOK_LIMIT_MS })) ?? '').replaceAll('\u00a0', ' ').trim();
}
