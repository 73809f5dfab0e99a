import { describe, expect, it } from 'vitest';
import { formatCount, formatError } from '../../src/core/format';
import { blockCost, blockLabel, planHeadline } from '../../src/core/hints/hints';
import { makePlan } from '../../src/core/plan/plan';
import type { RunReport } from '../../src/core/report/report';
import { PromptTokenizer } from '../../src/engine/read/tokenizer/tokenizer';
import { cli } from '../support/cli';
import { embeddedFolder, samplePrompt, sampleText } from '../support/paths';
import { useStage } from './harness/stage';
import { until } from './harness/wait';

const stage = useStage('lab', {
  files: { 'prompt.md': sampleText(), 'long.md': sampleText().repeat(6) },
  // The engine that was killed.
  meant: /engine process ended \(SIGKILL\)/,
});

let report: Promise<RunReport> | undefined;
/** What the command line makes of the sample prompt. */
const expectedReport = (): Promise<RunReport> =>
  (report ??= cli(['simulate', samplePrompt, '--json']).then(({ stdout }) => JSON.parse(stdout) as RunReport));

describe('the packaged extension in a real VS Code', () => {
  it('shows the lens, the hints and the status item of an open prompt', async () => {
    const expected = await expectedReport();
    await stage.open('prompt.md');
    const plan = makePlan({ ...expected, ...expected.plan, tokens: expected.prompt.tokens, model: expected.model.shape });
    await stage.lens(planHeadline(plan));
    await stage.hint(blockLabel(blockCost(plan, 0)));
    await until(
      'the status item',
      () => stage.bench.statusItems(),
      (items) => items.join().includes('1,500 calls'),
    );
    await stage.bench.screenshot('1-prompt-dark');
  });

  it('runs from the palette, and the lab shows the numbers of the command line', async () => {
    const expected = await expectedReport();
    await stage.open('prompt.md');
    expect(await stage.simulate()).toContain('1,500 calls');
    const panel = await stage.lab('prompt.md');
    await panel.text('calls-measured', formatCount(expected.run.calls.total));
    expect(await panel.figure('fidelity-max-abs-error')).toBeCloseTo(expected.fidelity?.maxAbsError ?? NaN, 7);
    expect(await panel.figure('quality-perplexity')).toBeCloseTo(expected.quality?.perplexity ?? NaN, 4);
    await (await stage.panel('prompt.md')).part('outcome').click();
    const top = `document.querySelector('[data-testid="section-last-run"]').getBoundingClientRect().top`;
    await until(
      'the last run in view',
      () => panel.frame.evaluate<number>(top),
      (place) => Math.abs(place) < 40,
    );
    await stage.lens(`error ${formatError(expected.fidelity?.maxAbsError ?? NaN)}`);
    await stage.bench.screenshot('2-result-dark');
    await stage.bench.setTheme('Default Light Modern');
    await stage.bench.screenshot('3-result-light');
  });

  it('selects the two token ranges of a tile that is chosen in the map', async () => {
    const text = sampleText();
    const tokens = (await PromptTokenizer.load(embeddedFolder)).index(text);
    const block = (index: number): string => text.slice(tokens.offsetOf(256 * index), tokens.offsetOf(256 * (index + 1)));
    const selected = (what: string, wanted: readonly string[]): Promise<unknown> =>
      until(
        what,
        () => stage.bench.editor.selectedTexts(),
        (seen) => JSON.stringify(seen) === JSON.stringify(wanted),
      );
    await stage.open('prompt.md');
    const panel = await stage.lab('prompt.md');
    const map = panel.part('tile-map');
    await panel.said('tile-map', /^Tile map, causal/);

    // As a user does who looks for a tile: along a low row to the column, then up the column to the row.
    const { width, height } = (await map.boundingBox()) ?? { width: 0, height: 0 };
    const info = panel.part('tile-info');
    const pointAt = async (wanted: RegExp, positions: readonly { x: number; y: number }[]): Promise<{ x: number; y: number }> => {
      for (const position of positions) {
        await map.hover({ position });
        if (wanted.test(await info.innerText())) {
          return position;
        }
      }
      throw new Error(`No tile under the pointer says ${String(wanted)}; the last one says ${await info.innerText()}`);
    };
    const steps = Array.from({ length: 40 }, (_, index) => index * 0.024 + 0.02);
    const column = await pointAt(
      /reads key block 2 /,
      steps.map((share) => ({ x: share * width, y: 0.9 * height })),
    );
    const tile = await pointAt(
      /query block 5 .* reads key block 2 /,
      steps.map((share) => ({ ...column, y: (1 - share) * height })),
    );
    await map.click({ position: tile });
    await selected('the queries of block 5 and the keys of block 2', [block(4), block(1)]);
    await stage.bench.screenshot('4-tile-selected');

    // The click made its tile the keyboard's; one step down is block 6 on block 2.
    await map.focus();
    await map.press('ArrowDown');
    await map.press('Enter');
    await selected('the queries of block 6 and the keys of block 2', [block(5), block(1)]);
  });

  it('cancels a long run', async () => {
    await stage.open('long.md');
    await stage.bench.command('Two Heads: Simulate This File');
    await stage.notification(/layer \d of 6/);
    await stage.bench.command('Two Heads: Cancel the Run');
    await stage.notification(/was cancelled/);
  });

  it('survives the death of its engine, and runs again', async () => {
    await stage.open('long.md');
    await stage.bench.command('Two Heads: Simulate This File');
    await stage.notification(/layer \d of 6/);
    stage.bench.killChild('engine.js');
    await stage.notification(/engine process ended/);
    await stage.open('prompt.md');
    expect(await stage.simulate()).toContain('1,500 calls');
  });
});
