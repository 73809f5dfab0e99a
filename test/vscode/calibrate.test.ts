import { describe, expect, it } from 'vitest';
import { formatDuration } from '../../src/core/format';
import { useStage } from './harness/stage';
import { until } from './harness/wait';

const stage = useStage('calibrate');

describe('calibration', () => {
  it('is offered by the panel where nothing is known, makes lens, hints and panel tell the time, and sets it beside the measured one', async () => {
    await stage.bench.command('Two Heads: Open the Sample Prompt');
    expect(await stage.lens(/^1,924 of 2,048 tokens, 94% · .* · causal/)).not.toMatch(/about/);
    const panel = await stage.panel();
    const offer = panel.part('calibrate');
    await offer.waitFor();
    await stage.bench.screenshot('15-calibration-offered');
    await offer.click();
    await stage.notification(/Calibrated cpu .* in /);
    // The offer stays where the machine was busy, as one that runs tests may be; where it was too busy, there is no interval.
    await stage.lens(
      /^1,924 of 2,048 tokens, 94% · .* · causal · about [\d.,]+ m?s \(([\d.,]+( m?s)? to [\d.,]+( m?s)?|not reliable.*)\) · [\d.,]+ MiB/,
    );
    expect(await panel.figure('expected-time')).toBeGreaterThan(1);
    const lab = await stage.lab();
    expect(await panel.figure('expected-memory')).toBeGreaterThan(await lab.figure('bytes'));

    const outcome = await stage.simulate();
    // How near the two are is measured by the benchmark.
    await until(
      'the time that was expected',
      () => lab.figure('run-expected'),
      (time) => time > 1,
    );
    expect(outcome).toContain(` in ${formatDuration(await lab.figure('wall-time'))}: `);
    await stage.bench.screenshot('16-expected-and-measured');
  });
});
