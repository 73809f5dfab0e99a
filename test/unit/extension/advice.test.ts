import { describe, expect, it } from 'vitest';
import { adviceOf, advisedMask } from '../../support/advices';
import { activated, openPrompt, run } from '../../support/host';
import { childrenOf, itemOf } from '../../support/run-tree';
import { script, shownInputs, textsOf } from '../../support/workbench/dialogs';
import { openTextDocument } from '../../support/workbench/documents';
import { editors, show } from '../../support/workbench/editors';
import { set } from '../../support/workbench/settings';

const text = 'First line.\nSecond line.\nThird line.\n';

describe('an advice', () => {
  it('is of a limit that is asked for, and opens the experiment file that repeats it', async () => {
    const { engine } = await activated();
    set('twoHeads.threads', 3);
    await openPrompt(text);
    script.inputs.push(['none', '0', '0.02']);
    const running = run('adviseMask');
    const call = await engine.next('advise');
    expect(shownInputs[0].refusals).toHaveLength(2);
    expect(call.argument).toMatchObject({ text, options: { maxKl: 0.02, by: 'layer', threads: 3, blockSize: 0 } });
    call.resolve(adviceOf([advisedMask(30, 0.019)], [advisedMask(29, 0.025)]));
    await running;
    expect(textsOf('information').at(-1)).toBe(
      'Two Heads: Masks with 30% of the attention calls and 53% of the time keep the mean KL at 0.019. The best uniform window as cheap has 0.025.',
    );
    expect(editors.active?.document.languageId).toBe('json');
    expect(JSON.parse(editors.active?.document.getText() ?? '')).toMatchObject({
      prompts: ['prompt.md'],
      scenarios: ['sliding-window:30'],
    });
    const [kept] = childrenOf(childrenOf()[0]);
    expect(itemOf(kept)).toMatchObject({ contextValue: 'advice', description: '30% of causal calls · 30 calls · KL 0.019 · 80 ms' });
  });

  it('opens nothing where it is given up, or found nothing', async () => {
    const { engine } = await activated();
    await openPrompt(text);
    script.inputs.push([undefined], ['0.02']);
    await run('adviseMask');
    expect(engine.calls).toEqual([]);
    const running = run('adviseMask');
    (await engine.next('advise')).resolve(adviceOf([advisedMask(30, 0.03)], []));
    await running;
    expect(textsOf('information').at(-1)).toBe('Two Heads: No mask was found that keeps the mean KL within 0.02.');
    expect(editors.active?.document.languageId).toBe('markdown');
  });

  it('is not of a prompt without a file, which no experiment could name', async () => {
    const { engine } = await activated();
    show(await openTextDocument({ language: 'markdown', content: text }));
    await run('adviseMask');
    expect(textsOf('warning').at(-1)).toBe(
      'Two Heads: Untitled-1 is no file yet, and advice is an experiment file that names it; save it first.',
    );
    expect(engine.calls).toEqual([]);
  });
});
