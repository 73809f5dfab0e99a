import { basename } from 'node:path';
import type { Page } from 'playwright-core';
import type { EditorState, SelectionState } from './probe/protocol';
import type { QuickInput } from './quick-input';
import type { VsCodeServer } from './server';
import { locateInEditor, readCodeLenses, readInlayHints, type Box } from './page-readers';
import { eventually } from './wait';

/** The active text editor, read from the screen (lenses, hints, hovers) and from VS Code's API (selections, text). */
export class Editor {
  constructor(
    private readonly page: Page,
    private readonly quickInput: QuickInput,
    private readonly server: VsCodeServer,
  ) {}

  /** Opens the file at this absolute path through quick open, and waits until its tab is the active one. */
  async open(file: string): Promise<void> {
    const name = basename(file);
    await this.quickInput.open(file);
    await this.quickInput.choose(name);
    await this.page.locator(`.tab.active[data-resource-name="${name}"]`).first().waitFor({ state: 'visible' });
  }

  /** The code lenses on screen, top to bottom. */
  codeLenses(): Promise<string[]> {
    return this.page.evaluate(readCodeLenses);
  }

  /** Clicks the code lens whose text contains `text`. */
  async clickCodeLens(text: string): Promise<void> {
    await this.page.locator('.codelens-decoration a', { hasText: text }).first().click();
  }

  /** The inlay hints on screen, top to bottom. */
  inlayHints(): Promise<string[]> {
    return this.page.evaluate(readInlayHints);
  }

  /** The text of the hover that shows when the mouse rests on the first occurrence of `text`, in the file or in a hint. */
  async hover(text: string): Promise<string> {
    await this.page.keyboard.press('Escape');
    const box = await eventually<Box>(`'${text}' in the editor`, async () => {
      const found = await this.page.evaluate(locateInEditor, text);
      return found === null ? { seen: await this.page.locator('.view-line').allInnerTexts() } : { found };
    });
    const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    // One that was hidden keeps its text.
    const hovers = this.page.locator('.monaco-editor .monaco-hover').filter({ visible: true });
    let looks = 0;
    return eventually(`a hover on '${text}'`, async () => {
      // Seldom: at the end of a line each move puts the hover off.
      if (looks % 20 === 0) {
        await this.page.mouse.move(middle.x + 1, middle.y);
        await this.page.mouse.move(middle.x, middle.y);
      }
      looks += 1;
      const texts = (await hovers.allInnerTexts())
        .map((hover) => hover.trim())
        .filter((hover) => hover !== '' && !hover.startsWith('Loading'));
      return texts.length === 0 ? { seen: 'no hover' } : { found: texts.join('\n') };
    });
  }

  /** Puts the cursor at the start of a line, counted from 1, and scrolls there. */
  async goToLine(line: number): Promise<void> {
    await this.quickInput.open(`:${line}`);
    await this.page.keyboard.press('Enter');
    await eventually(`the cursor on line ${line}`, async () => {
      const selections = await this.selections();
      return selections[0]?.startLine === line ? { found: true } : { seen: selections };
    });
  }

  /** Types at the cursor, key by key, as a user does; focuses the editor first. */
  async type(text: string): Promise<void> {
    await this.focus();
    await this.page.keyboard.type(text);
  }

  /** Moves the keyboard to the active editor. */
  async focus(): Promise<void> {
    const focused = this.page.locator('.editor-instance .monaco-editor.focused');
    if ((await focused.count()) === 0) {
      await this.quickInput.command('View: Focus Active Editor Group');
      await focused.first().waitFor({ state: 'visible' });
    }
  }

  /** What VS Code's API says of the active text editor; throws when there is none. */
  async state(): Promise<EditorState> {
    const state = await this.server.ask('editor');
    if (state === null) {
      throw new Error('No text editor is active.');
    }
    return state;
  }

  /** Every cursor and selection of the active editor. */
  async selections(): Promise<readonly SelectionState[]> {
    return (await this.state()).selections;
  }

  /** The text of every selection of the active editor: an empty string for a mere cursor. */
  async selectedTexts(): Promise<string[]> {
    return (await this.selections()).map((selection) => selection.text);
  }

  /** The active editor's whole text, unsaved changes included. */
  async text(): Promise<string> {
    return (await this.server.ask('text')) ?? '';
  }
}
