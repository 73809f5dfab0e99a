import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { Page } from 'playwright-core';
import type { EditorState, SelectionState } from './probe/protocol';
import type { QuickInput } from './quick-input';
import type { VsCodeServer } from './server';
import { locateInEditor, readCodeLenses, readCodeLensHovers, readHints, type Box } from './page-readers';
import { eventually, until } from './wait';

/** After so many looks at a hover that has not come, the mouse moves again; then after twice as many, and so on. */
const FIRST_MOVE_AGAIN = 20;

/** The active text editor, read from the screen (lenses, hints, hovers) and from VS Code's API (selections, text). */
export class Editor {
  constructor(
    private readonly page: Page,
    private readonly quickInput: QuickInput,
    private readonly server: VsCodeServer,
  ) {}

  /** Opens the file at this absolute path, and waits until its tab is the active one and VS Code's API says so too. */
  async open(file: string): Promise<void> {
    await this.server.ask('show', pathToFileURL(file).href);
    await this.page
      .locator(`.tab.active[data-resource-name="${basename(file)}"]`)
      .first()
      .waitFor({ state: 'visible' });
    await until(
      'the file to be the active editor',
      async () => (await this.server.ask('editor'))?.file,
      (seen) => seen === file,
    );
  }

  /** The code lenses on screen, top to bottom. */
  codeLenses(): Promise<string[]> {
    return this.page.evaluate(readCodeLenses);
  }

  /** The lines of the hovers of the code lenses on screen. */
  codeLensHovers(): Promise<string[]> {
    return this.page.evaluate(readCodeLensHovers);
  }

  /** Clicks the code lens whose text contains `text`. */
  async clickCodeLens(text: string): Promise<void> {
    await this.page.locator('.codelens-decoration a', { hasText: text }).first().click();
  }

  /** The hints on screen, top to bottom. */
  hints(): Promise<string[]> {
    return this.page.evaluate(readHints);
  }

  /** The text of the hover that shows when the mouse rests on the first occurrence of `text`, in the file or in a hint. */
  async hover(text: string): Promise<string> {
    await this.page.keyboard.press('Escape');
    // One that was hidden keeps its text.
    const hovers = this.page.locator('.monaco-editor .monaco-hover').filter({ visible: true });
    let last: Box | undefined;
    let looks = 0;
    return eventually(`a hover on '${text}'`, async () => {
      const box = await this.page.evaluate(locateInEditor, text);
      if (box === null) {
        return { seen: await this.page.locator('.view-line').allInnerTexts() };
      }
      // The text moves when a lens comes above it. Where it rests, the mouse moves more and more seldom: each move asks anew,
      // so the next one must come later than the answer, however slow that is.
      if (!isDeepStrictEqual(box, last)) {
        last = box;
        looks = 0;
      }
      if (looks === 0 || Number.isInteger(Math.log2(looks / FIRST_MOVE_AGAIN))) {
        const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
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
    await until(
      `the cursor on line ${line}`,
      () => this.selections(),
      (selections) => selections[0]?.startLine === line,
    );
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
      await this.server.ask('command', JSON.stringify(['workbench.action.focusActiveEditorGroup']));
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
