import { beforeEach, describe, expect, it } from 'vitest';
import { sampleText } from '../support/paths';
import type { Panel } from './harness/panel';
import { useStage } from './harness/stage';

const stage = useStage('form', { files: { 'prompt.md': sampleText() } });
let panel: Panel;

/** Chooses a scenario in the form, and waits until the prompt is planned by it. */
async function choose(title: string, planned: RegExp): Promise<string> {
  await panel.part('scenario').click();
  await panel.part('scenario').locator('vscode-option', { hasText: title }).first().click();
  return stage.lens(planned);
}

/** Writes into a text field of the form and leaves it. */
async function write(testId: string, text: string): Promise<void> {
  const field = panel.part(testId).locator('input');
  await field.fill(text);
  await field.press('Enter');
}

beforeEach(async () => {
  await stage.open('prompt.md');
  await stage.lens(/^4,957 of 2,048 tokens, 242% · 20 blocks of 256 .* causal/);
  panel = await stage.panel('prompt.md');
  await panel.part('scenario').waitFor();
});

describe('the form', () => {
  it('shows the parameters of the chosen scenario only', async () => {
    await choose('Attention sink', /attention-sink\(window 512, sinks 4\)/);
    await panel.part('param-sinks').waitFor({ state: 'visible' });
    expect(
      await Promise.all(['param-window', 'param-sinks', 'param-seed', 'param-expression'].map((name) => panel.part(name).isVisible())),
    ).toEqual([true, true, false, false]);
  });

  it('plans anew at every movement of a slider, without a run', async () => {
    const before = await choose('Sliding window', /sliding-window\(window 512\)/);
    await panel.part('param-window-slider').focus();
    await panel.part('param-window-slider').press('ArrowLeft');
    await panel.part('param-window-slider').press('ArrowLeft');
    expect(await stage.lens(/sliding-window\(window 256\)/)).not.toBe(before);
    await panel.part('block-size-slider').focus();
    await panel.part('block-size-slider').press('ArrowRight');
    await panel.part('block-size-slider').press('ArrowRight');
    await stage.lens(/blocks of 512 .* sliding-window\(window 256\)/);
    expect(await stage.bench.notifications()).toEqual([]);
  });

  it('takes a mask as an expression, says what is wrong with one while it is typed, and runs it like any other', async () => {
    await choose('Custom', /custom\(/);
    await panel.part('param-expression').locator('input').fill('k <= q and (q - k <');
    await panel.text('form-error', /expected .* at column \d+/);
    await write('param-expression', 'k <= q and (q - k < 200 or k % 50 == 0)');
    await stage.lens(/custom\(k <= q and \(q - k < 200 or k % 50 == 0\)\)/);
    await panel.part('form-error').waitFor({ state: 'hidden' });
    await panel.part('simulate').click();
    await stage.notification(/calls, max abs error \d\.\de-[5-9]/);
    await stage.bench.clearNotifications();
    await stage.bench.screenshot('61-custom-mask');
  });

  it('refuses a mask that hides a token from itself, in one line', async () => {
    await choose('Custom', /custom\(/);
    await write('param-expression', 'k < q');
    await panel.text('form-error', /hides the token at q = 0 from itself.*add "or k == q"/);
  });
});
