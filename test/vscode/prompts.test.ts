import { describe, expect, it } from 'vitest';
import { sampleText } from '../support/paths';
import { useStage } from './harness/stage';
import { eventuallyText, until } from './harness/wait';

const text = sampleText().slice(0, 3000);

// As users have it: other tests take every Markdown and text file for a prompt.
const stage = useStage('prompts', { settings: { 'twoHeads.languages': undefined } });

const isEmpty = (items: readonly string[]): boolean => items.length === 0;

/** Waits until a file is in front, and nothing is shown of it. @param mode the name of its language in the status bar */
async function seenWithoutPlan(mode: string): Promise<void> {
  const isWithoutPlan = (items: readonly string[]): boolean => items.includes(mode) && !items.some((item) => / tokens?\b/.test(item));
  await until(`${mode} in the status bar, without a plan`, () => stage.bench.statusItems(), isWithoutPlan);
  await until('no lens', () => stage.bench.editor.codeLenses(), isEmpty);
  await until('no hint', () => stage.bench.editor.hints(), isEmpty);
}

describe('what is a prompt', () => {
  it('is a prompt file, and no README', async () => {
    await stage.open('README.md', text);
    await seenWithoutPlan('Markdown');
    await stage.open('review.prompt.md', text);
    await stage.lens(/tokens, \d+% · /);
    await stage.hint(/block 1 · /);
    await stage.hint(/^§ /);
    await stage.open('SYSTEM-PROMPT.TXT', text);
    await stage.lens(/tokens, \d+% · /);
  });

  it("is a document of VS Code's own languages for prompts", async () => {
    await stage.bench.setSettings({ 'twoHeads.files': [] });
    await stage.open('review.prompt.md', text);
    expect((await stage.bench.editor.state()).language).toBe('prompt');
    await stage.lens(/tokens, \d+% · /);
    await stage.open('system-prompt.txt', text);
    await seenWithoutPlan('Plain Text');
  });

  it('is the sample, though it has no file', async () => {
    await stage.bench.command('Two Heads: Open the Sample Prompt');
    await stage.lens(/^1,924 of 2,048 tokens, 94% · /);
  });

  it('is what the user says, until the user says otherwise', async () => {
    await stage.open('README.md', text);
    await stage.bench.command('Two Heads: Treat as Prompt');
    await stage.lens(/tokens, \d+% · /);
    await stage.bench.reload();
    await stage.open('README.md');
    await stage.lens(/tokens, \d+% · /);
    await stage.bench.command('Two Heads: Stop Treating as Prompt');
    await seenWithoutPlan('Markdown');
  });
});

describe('the editor in front', () => {
  it('is what commands act on, with a prompt beside it', async () => {
    await stage.open('beside.prompt', text);
    await stage.lens(/tokens, \d+% · /);
    await stage.bench.run('workbench.action.newGroupRight');
    const groups = stage.bench.page.locator('.editor-group-container');
    await until(
      'two groups',
      () => groups.count(),
      (count) => count === 2,
    );
    await stage.open('app.py', 'print("hello")\n');
    const panel = await stage.panel('No prompt in front');
    await stage.bench.editor.focus();
    await stage.bench.command('Two Heads: Plan Only (No Run)');
    expect(await stage.dialog()).toMatch(/\b\d of 2,048 tokens/);
    await stage.bench.page.keyboard.press('Escape');
    await panel.text('document', /^app\.py$/);
    await stage.lens(/^\d of 2,048 tokens/);
  });

  it('has the tokens of its selection counted in the status bar', async () => {
    await stage.open('selection.prompt', text);
    const lens = await stage.lens(/tokens, \d+% · /);
    const tokens = /^[\d,]+/.exec(lens)?.[0] ?? 'a count';
    await stage.bench.editor.focus();
    await stage.bench.page.keyboard.press('Control+A');
    await eventuallyText('the selection', () => stage.bench.statusItems(), `${tokens} of ${tokens} tokens selected`);
    await stage.bench.page.keyboard.press('Control+Home');
    await eventuallyText('the totals', () => stage.bench.statusItems(), / tokens, \d+% · .* calls/);
  });
});
