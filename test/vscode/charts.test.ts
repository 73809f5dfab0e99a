import { cpus } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { PlanDocument } from '../../src/core/report/report';
import { CalibrationStore } from '../../src/engine/store/calibrations';
import { madeUpCalibration } from '../support/calibration';
import { cli } from '../support/cli';
import { samplePrompt, sampleText } from '../support/paths';
import type { Panel } from './harness/panel';
import { at } from './harness/panel';
import { until } from './harness/wait';
import { useStage } from './harness/stage';

const scenarios = ['sliding-window:16', 'sliding-window:64', 'sliding-window:128', 'attention-sink:64:4', 'causal'];
const stage = useStage('charts', {
  files: {
    'prompt.md': sampleText(),
    'short.md': sampleText().slice(0, 4000),
    'sweep.two-heads.json': JSON.stringify({
      version: 1,
      prompts: ['short.md'],
      scenarios,
      blocks: [64],
      context: 256,
      maximumWindows: 3,
    }),
  },
});

/** A screenshot of a part of the panel, scrolled to its start. */
async function shoot(panel: Panel, part: string, name: string): Promise<void> {
  await panel.scrollTo(part);
  await stage.bench.screenshot(name);
}

/** Has runs take as long as they can be told to: with a calibration of round numbers, as a real one takes half a minute, and charts look alike with it. */
async function calibrate(): Promise<void> {
  await new CalibrationStore(stage.bench.storageOf('two-heads.two-heads')).write(madeUpCalibration());
  await stage.bench.setSettings({ 'twoHeads.threads': cpus().length, 'twoHeads.quality': false, 'twoHeads.verify': 'none' });
}

describe('the cost view', () => {
  it('counts every scenario in calls, FLOPs and bytes, at this length and at any', async () => {
    await stage.open('prompt.md');
    const panel = await stage.lab('prompt.md');
    await panel.part('growth-chart').waitFor();
    await panel.chooseRadio('cost-metric', 'calls');
    const planned = JSON.parse((await cli(['plan', samplePrompt, '--json'])).stdout) as PlanDocument;
    const { calls, bound, flops, bytes } = planned.plan;
    const cells = await panel.figures(`${at('costs-table')} ${at('cost-causal')} td`);
    expect(cells.slice(0, 5)).toEqual([calls.attention, calls.tokenwise, bound.calls, flops, bytes]);
    await panel.said('growth-chart', /attention calls over N.* from .* at 128 tokens to .* at 1,048,576/);
    await shoot(panel, 'section-costs', '20-cost-calls-narrow-dark');
    await panel.chooseRadio('cost-metric', 'flops');
    await panel.said('costs-chart', /FLOPs per scenario: full .*FLOP/);
    await shoot(panel, 'growth-chart', '21-cost-flops-narrow-dark');
    // From the keyboard: the next way to count.
    await panel.frame.locator(`${at('cost-metric')} vscode-radio[value="flops"]`).press('ArrowRight');
    await panel.said('costs-chart', /^Bytes per scenario/);
  });

  it('tells the time and the break-even of a calibrated device', async () => {
    // So many threads were never calibrated.
    await stage.bench.setSettings({ 'twoHeads.threads': cpus().length + 1 });
    await stage.open('prompt.md');
    const panel = await stage.lab('prompt.md');
    await panel.chooseRadio('cost-metric', 'time');
    await panel.part('costs-unknown').waitFor({ state: 'visible' });
    await calibrate();
    await stage.bench.command('Two Heads: Compare Scenarios');
    // By these rates it takes minutes.
    expect(await stage.dialog()).toMatch(/^This is expected to take about \d+ min( \d+ s)?\. Run it\?/);
    await stage.bench.pressDialogButton('Run');
    await stage.notification(/Compared 8 scenarios/);
    await stage.bench.clearNotifications();
    await panel.text('break-even', /^Break-even: /);
    expect(await panel.part('costs-table').textContent()).not.toContain('–');
    await shoot(panel, 'section-costs', '22-cost-time-narrow-dark');
    await panel.part('growth-chart').focus();
    await panel.part('growth-chart').press('ArrowRight');
    await shoot(panel, 'growth-chart', '23-cost-time-keyboard-dark');
    await stage.bench.setTheme('Default Light Modern');
    await shoot(panel, 'section-costs', '24-cost-time-wide-light');
    await stage.bench.setTheme('Default High Contrast');
    await panel.chooseRadio('cost-metric', 'calls');
    await shoot(panel, 'section-costs', '25-cost-calls-wide-contrast');
  });
});

describe('predictions beside measurements', () => {
  it('are set side by side by phase and by layer', async () => {
    await calibrate();
    await stage.bench.setSettings({ 'twoHeads.askAboveSeconds': 0 });
    await stage.open('prompt.md');
    await stage.simulate(/tokens in .*: [\d,]+ calls/);
    const panel = await stage.lab('prompt.md');
    await panel.said('phases-chart', /attend .*, expected /);
    await panel.said('layers-chart', /1 took .*, expected .*, 6 took .*, expected /);
    const layers = await panel.figures(`${at('layers-table')} [data-testid^="layer-"]`);
    expect(layers).toHaveLength(6);
    expect(layers.reduce((sum, time) => sum + time, 0)).toBeLessThanOrEqual(await panel.figure('wall-time'));
    await shoot(panel, 'phases-chart', '26-phases-layers-narrow-dark');
    await panel.said('roofline-chart', /^Work a second against work of a native run: .* of the roof/);
    await panel.text('roofline-note', /The nearest run reaches [\d.]+% of it: /);
    await shoot(panel, 'roofline-chart', '34-roofline-dark');
  });
});

describe('the quality view', () => {
  it('evaluates the prompt in front, by position and with retrieval', async () => {
    await stage.bench.setSettings({ 'twoHeads.window': 64 });
    await stage.open('short.md');
    await stage.bench.command('Two Heads: Evaluate Quality');
    await stage.bench.quickPick('Predictions and Retrieval');
    await stage.notification(/Evaluated \d points of \d on 1 prompt/);
    const panel = await stage.lab('short.md');
    await panel.said('divergence-chart', /mean KL divergence, nats by position: .*sliding-window\(window 64\) .* at /);
    await panel.said('perplexity-chart', 'the model’s own attention');
    await panel.text('quality-statistics', 'perplexity');
    expect(await panel.frame.locator('.retrieval-grid').count()).toBeGreaterThan(1);
    await stage.bench.clearNotifications();
    await shoot(panel, 'section-lab-quality', '27-quality-narrow-dark');
    await shoot(panel, 'quality-statistics', '28-quality-statistics-narrow-dark');
    await shoot(panel, 'retrieval', '29-retrieval-narrow-dark');
    await stage.bench.setTheme('Default Light Modern');
    await shoot(panel, 'section-lab-quality', '30-quality-wide-light');
    await shoot(panel, 'retrieval', '31-retrieval-wide-light');
    for (const width of [465, 1000]) {
      await stage.resizeLab(panel, width);
      expect({ width, tall: await panel.tallSections() }).toEqual({ width, tall: [] });
      await shoot(panel, 'section-lab-quality', `35-quality-${width}`);
    }
  });

  it('stops where it is told to', async () => {
    await stage.open('prompt.md');
    const panel = await stage.lab('prompt.md');
    await panel.part('lab-evaluate').click();
    await stage.bench.quickPick('Predictions by Position');
    await panel.part('lab-cancel').click();
    await stage.notification(/was cancelled/);
  });

  it('draws the front of an experiment file, in its lab', async () => {
    // The palette offers it beside such a file alone.
    await stage.bench.run('twoHeads.runExperiment');
    await stage.notification(/open an experiment file/);
    await stage.open('sweep.two-heads.json');
    await stage.bench.command('Two Heads: Run Experiment');
    await stage.notification(/Evaluated 5 points of 5 on 1 prompt/);
    const panel = await stage.openedLab();
    await panel.said('frontier-chart', /on the front: .*sliding-window\(window 64\): /);
    const rows = panel.frame.locator(`${at('frontier-table')} tbody tr`);
    await until(
      'the points',
      () => rows.count(),
      (count) => count === 5,
    );
    await panel.said('divergence-chart', 'sliding-window(window 64)');
    await stage.bench.clearNotifications();
    await shoot(panel, 'frontier-chart', '32-front-narrow-dark');
    await stage.bench.setTheme('Default Light Modern');
    await shoot(panel, 'frontier-chart', '33-front-wide-light');
  });
});
