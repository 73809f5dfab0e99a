import { describe, expect, it } from 'vitest';
import * as vscode from 'vscode';
import { plainSource } from '../../../src/core/source/options';
import { activated, run } from '../../support/host';
import { edit, type FakeDocument, openDocument } from '../../support/workbench/documents';
import { select, show } from '../../support/workbench/editors';
import { inlayHints, lensesRefreshed, shownLenses } from '../../support/workbench/languages';
import { set } from '../../support/workbench/settings';

const words = 'The quick brown fox jumps over the lazy dog. '.repeat(30);

/** Offsets of the block hints of a document. */
async function hintOffsets(document: FakeDocument): Promise<number[]> {
  const end = document.positionAt(document.getText().length);
  const hints = await inlayHints(document, new vscode.Range(new vscode.Position(0, 0), end));
  return hints
    .filter(({ label }) => typeof label === 'string' && label.startsWith('block'))
    .map(({ position }) => document.offsetAt(position));
}

describe('hints', () => {
  it('of a prompt file begin after its front matter, which is no part of the prompt', async () => {
    await activated();
    set('twoHeads.hints.placement', 'inline');
    set('twoHeads.blockSize', 128);
    const header = '---\nmode: agent\n---\n';
    const document = openDocument('/review.prompt.md', `${header}${words}`, 'prompt');
    show(document);
    await shownLenses(document);
    const offsets = await hintOffsets(document);
    // At the end of the line, as nothing stands before a line's first word.
    expect(offsets[0]).toBe(header.length + words.length);
    expect(offsets.length).toBeGreaterThan(1);
    // Blocks begin at words.
    expect(offsets.slice(1).map((at) => document.getText().slice(at - 1, at + 1))).not.toContain('-');
  });

  it('of a chat stand in its messages, and a section is a message', async () => {
    await activated();
    set('twoHeads.hints.placement', 'inline');
    set('twoHeads.blockSize', 128);
    const chat = JSON.stringify(
      {
        messages: [
          { role: 'user', content: words },
          { role: 'assistant', content: words },
        ],
      },
      null,
      2,
    );
    const document = openDocument('/a.chat.json', chat, 'json');
    show(document);
    await shownLenses(document);
    const offsets = await hintOffsets(document);
    const [first, second] = [chat.indexOf(words), chat.lastIndexOf(words)];
    expect(offsets.length).toBeGreaterThan(4);
    for (const at of offsets.slice(1)) {
      expect((at >= first && at <= first + words.length) || (at >= second && at <= second + words.length)).toBe(true);
    }
  });
});

describe('a program', () => {
  const program = `x = "short"\nfirst = """${words}"""\nsecond = """${words}${words}"""\n`;

  it('is read whole until the cursor is in a long string literal, which is the prompt then, also after it left', async () => {
    const { engine } = await activated();
    set('twoHeads.hints.placement', 'inline');
    const document = openDocument('/app.py', program, 'python');
    const editor = show(document);
    await run('treatAsPrompt');
    const tokens = async (): Promise<number> =>
      Number(/([\d,]+) of [\d,]+ tokens/.exec((await shownLenses(document))[0])?.[1].replaceAll(',', ''));
    const whole = await tokens();
    const cursor = (at: number): vscode.Range => new vscode.Range(document.positionAt(at), document.positionAt(at));
    const moved = async (at: number): Promise<number> => {
      const planned = lensesRefreshed();
      select(editor, cursor(at));
      await planned;
      return tokens();
    };
    const first = await moved(program.indexOf('quick'));
    const second = await moved(program.lastIndexOf('quick'));
    expect(whole).toBeGreaterThan(first + second);
    expect(second).toBeGreaterThan(1.9 * first);
    // A short literal and what is none change nothing.
    select(editor, cursor(program.indexOf('short')));
    select(editor, cursor(1));
    expect(await tokens()).toBe(second);
    // The literal stays the prompt where text before it is edited.
    const planned = lensesRefreshed();
    edit(document, { from: 0, text: 'y = 1\n' });
    await planned;
    expect(await tokens()).toBe(second);
    expect((await hintOffsets(document))[0]).toBe(document.getText().indexOf('"""', document.getText().indexOf('second')));
    const running = run('simulateFile');
    const call = await engine.next('simulate');
    expect(call.argument).toMatchObject({ source: { ...plainSource, languageId: 'python', at: program.lastIndexOf('quick') + 6 } });
    call.reject(new Error('enough'));
    await running;
  });
});
