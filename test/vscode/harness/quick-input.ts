import type { Locator, Page } from 'playwright-core';
import { eventually } from './wait';

const ATTEMPT_MS = 3_000;

/** VS Code's quick input: the palette, quick open, and the quick picks and input boxes that extensions show. */
export class QuickInput {
  constructor(private readonly page: Page) {}

  /** Runs the palette command with exactly this title, category included (`Two Heads: Open Panel`). */
  async command(title: string): Promise<void> {
    await this.open(`>${title}`);
    await this.choose(title);
  }

  /** Opens the palette with `text` instead of its `>`: a path opens a file, `:7` goes to a line, `view X` to a view. */
  async open(text: string): Promise<void> {
    await eventually('the palette to open', async () => {
      if (await this.box.isVisible()) {
        await this.page.keyboard.press('Escape');
      }
      await this.page.keyboard.press('F1');
      await this.box.waitFor({ state: 'visible', timeout: ATTEMPT_MS });
      await this.box.fill(text, { timeout: ATTEMPT_MS });
      return { found: true };
    });
  }

  /** Picks the entry with exactly this label in the quick pick that is open. */
  async choose(label: string): Promise<void> {
    const row = await this.row(label);
    await row.click();
  }

  /** In a quick pick of many: checks exactly these labels and confirms. */
  async chooseMany(labels: readonly string[]): Promise<void> {
    for (const label of labels) {
      await this.row(label);
    }
    for (const row of await this.rows.all()) {
      const wanted = labels.includes(await labelOf(row));
      const checkbox = row.locator('input[type=checkbox]');
      if ((await checkbox.isChecked()) !== wanted) {
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
    const shown = async (): Promise<string> => ((await this.widget.isVisible()) ? (await this.title.innerText()).trim() : '');
    await eventually(`the input box '${title}'`, async () => {
      const seen = await shown();
      return seen === title ? { found: true } : { seen };
    });
    await this.box.fill(text);
    await this.page.keyboard.press('Enter');
    await eventually(`the answer '${text}' to '${title}' to be taken`, async () => {
      return (await shown()) === title ? { seen: await this.message() } : { found: true };
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

  /** The entry by its label, not by its place: the list may be filtered anew between finding it and clicking it. */
  private row(label: string): Promise<Locator> {
    const words = label.split(' ').map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const exact = new RegExp(`^\\s*${words.join('\\s')}\\s*$`);
    const found = this.rows.filter({ has: this.page.locator('.label-name', { hasText: exact }) }).first();
    return eventually(`the entry '${label}'`, async () => {
      const labels = await this.labels();
      return labels.includes(label) ? { found } : { seen: labels };
    });
  }
}

async function labelOf(row: Locator): Promise<string> {
  return ((await row.locator('.label-name').first().textContent()) ?? '').replaceAll('\u00a0', ' ').trim();
}
