import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cli } from '../support/cli';
import { sampleText } from '../support/paths';
import { useStage } from './harness/stage';
import { eventuallyText, until } from './harness/wait';

const [first, second] = [sampleText().slice(0, 1500), sampleText().slice(1500, 3000)];

/** A notebook of two cells, whose output is an image. */
const notebook = JSON.stringify({
  metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' }, language_info: { name: 'python' } },
  nbformat: 4,
  nbformat_minor: 5,
  cells: [
    { cell_type: 'markdown', id: 'a', metadata: {}, source: [first] },
    {
      cell_type: 'code',
      id: 'b',
      metadata: {},
      execution_count: 1,
      source: [`"""${second}"""`],
      outputs: [
        { output_type: 'stream', name: 'stdout', text: ['done\n'] },
        { output_type: 'display_data', metadata: {}, data: { 'image/png': 'iVBORw0KGgo=' } },
      ],
    },
  ],
});

const stage = useStage('notebooks', { settings: { 'twoHeads.languages': undefined } });

describe('a notebook', () => {
  it('is planned and run whole in its own editor', async () => {
    writeFileSync(stage.path('work.ipynb'), notebook);
    await stage.bench.openNotebook(stage.path('work.ipynb'));
    const panel = await stage.panel('No prompt in front');
    await stage.bench.command('Two Heads: Plan Only (No Run)');
    // As the command line counts the file.
    const [, tokens] = /: ([\d,]+) tokens/.exec((await cli(['plan', stage.path('work.ipynb')])).stdout) ?? [];
    expect(await stage.dialog()).toContain(`${tokens} of 2,048 tokens`);
    await stage.bench.page.keyboard.press('Escape');
    await panel.text('document', /^work\.ipynb$/);
    await eventuallyText('the totals', () => stage.bench.statusItems(), `${tokens} of 2,048 tokens`);
    await stage.simulate();
    // What is typed into a cell counts before it is saved.
    await stage.bench.run('notebook.cell.insertMarkdownCellBelow');
    await stage.bench.page.locator('.notebook-editor .monaco-editor.focused').waitFor({ state: 'visible' });
    await stage.bench.page.keyboard.type('Answer in one word.');
    const more = Number(tokens.replaceAll(',', '')) + 5;
    await until(
      'more tokens',
      () => stage.bench.statusItems(),
      (items) => items.some((item) => Number(/^([\d,]+) of 2,048 tokens/.exec(item)?.[1].replaceAll(',', '')) >= more),
    );
  });
});
