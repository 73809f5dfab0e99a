// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import { formatDuration, formatShare } from '../../../src/core/format';
import type { RunReport } from '../../../src/core/report/report';
import { layerPhases } from '../../../src/core/report/phases';
import { LastRun } from '../../../webview/sections/last-run';
import { chartOf, find, isShown, legendOf, newPage, pointAt, press, put, seriesOf, tableOf, tooltipOf, type Page } from './page';
import { current, snapshotOf, tightRun, windowRun } from './snapshots';
import { reportOf } from '../../support/reports';

let page: Page;
let lastRun: LastRun;

function showRun(report: RunReport): void {
  lastRun = put(new LastRun(page.host, page.theme));
  lastRun.update(snapshotOf({}, { runs: [current(report)] }));
}

beforeEach(() => {
  page = newPage();
});

describe('the phases of a run', () => {
  const { phases } = windowRun.run;
  const inside = [0, phases.project, phases.gather, phases.attend, phases.merge, phases.layer, phases.mlp, 0, 0];

  it('are bars, those outside the wall time apart, with what was expected beside them', () => {
    showRun(windowRun);
    const expected = windowRun.prediction?.phases;
    expect(chartOf('phases-chart').data.labels).toEqual([
      'tokenize',
      'project',
      'gather',
      'attend',
      'merge',
      'layers',
      'MLP',
      'verify',
      'quality',
    ]);
    expect(seriesOf('phases-chart')).toEqual({
      'in the wall time': inside,
      'before and after it': [phases.tokenize, 0, 0, 0, 0, 0, 0, phases.verify, phases.quality],
      // What takes no time on this way of running has no expected time.
      expected: [null, expected?.project, null, expected?.attend, null, null, expected?.mlp, null, null],
    });
    expect(find('phases-chart').getAttribute('aria-label')).toContain(
      `attend ${formatDuration(phases.attend)}, expected ${formatDuration(expected?.attend ?? NaN)}; merge ${formatDuration(phases.merge)};`,
    );
  });

  it('are a table too, with the share of what was expected', () => {
    showRun(windowRun);
    const rows = tableOf('phases-table');
    const expected = windowRun.prediction?.phases.attend ?? NaN;
    expect(rows[0]).toEqual(['Phase', 'Part of the wall time', 'Expected', 'Measured', 'Measured / expected']);
    expect(rows).toContainEqual([
      'attend',
      'yes',
      formatDuration(expected),
      formatDuration(phases.attend),
      formatShare(phases.attend / expected),
    ]);
    expect(rows).toContainEqual(['verify', 'no', '–', formatDuration(phases.verify), '–']);
    expect(find('phase-attend').dataset['value']).toBe(String(phases.attend));
  });

  it('have nothing beside them where nothing was expected', () => {
    showRun(tightRun);
    expect(Object.keys(seriesOf('phases-chart'))).toEqual(['in the wall time', 'before and after it']);
    const around = find('phases-chart').closest('.subsection') as Element;
    expect(around.querySelector('h3')?.textContent).toBe('Phases');
    expect(legendOf(around)).not.toContain('expected');
    lastRun.update(snapshotOf({}, { runs: [current(windowRun)] }));
    expect(around.querySelector('h3')?.textContent).toBe('Phases, expected and measured');
    expect(legendOf(around)).toContain('expected');
  });
});

describe('the layers of a run', () => {
  const layers = windowRun.run.layers ?? [];
  const measured = layers.map((times) => layerPhases.reduce((sum, phase) => sum + times[phase], 0));
  const expected = windowRun.prediction?.layerMs ?? [];

  it('are a line of what was measured and one of what was expected, layer by layer', () => {
    showRun(windowRun);
    expect(measured).toHaveLength(6);
    expect(seriesOf('layers-chart')).toEqual({
      measured: measured.map((y, layer) => ({ x: layer + 1, y })),
      expected: expected.map((y, layer) => ({ x: layer + 1, y })),
    });
    expect(find('layers-chart').getAttribute('aria-label')).toContain(
      `2 took ${formatDuration(measured[1])}, expected ${formatDuration(expected[1])}`,
    );
  });

  it('are a table with the share of attention', () => {
    showRun(windowRun);
    const { gather, attend, merge } = layers[1];
    expect(tableOf('layers-table')[2]).toEqual([
      '2',
      formatDuration(expected[1]),
      formatDuration(measured[1]),
      formatShare(measured[1] / expected[1]),
      formatShare((gather + attend + merge) / measured[1]),
    ]);
  });

  it('have no expected line where nothing was predicted, and are gone where none were measured', () => {
    showRun(tightRun);
    expect(Object.keys(seriesOf('layers-chart'))).toEqual(['measured']);
    expect(tableOf('layers-table')[1].slice(1, 2)).toEqual(['–']);
    expect(find('layers-chart').getAttribute('aria-label')).toMatch(/1 took [^,]*, 2 took/);
    lastRun.update(snapshotOf({}, { runs: [current(reportOf())] }));
    expect(isShown('layers-chart')).toBe(false);
  });

  it('are walked along by the arrow keys, which say what is there', () => {
    showRun(windowRun);
    const chart = find('layers-chart');
    chart.focus();
    expect(chart.getAttribute('tabindex')).toBe('0');
    const said = (layer: number): unknown => ({
      title: [`layer: ${layer}`],
      lines: [`measured: ${formatDuration(measured[layer - 1])}`, `expected: ${formatDuration(expected[layer - 1])}`],
    });
    expect(press(chart, 'ArrowRight')).toBe(true);
    expect(tooltipOf('layers-chart')).toEqual(said(1));
    press(chart, 'ArrowRight');
    expect(tooltipOf('layers-chart')).toEqual(said(2));
    press(chart, 'ArrowLeft');
    press(chart, 'ArrowLeft');
    expect(tooltipOf('layers-chart')).toEqual(said(1));
    press(chart, 'Escape');
    expect(tooltipOf('layers-chart').lines).toEqual([]);
    press(chart, 'ArrowLeft');
    expect(tooltipOf('layers-chart')).toEqual(said(6));
    chart.blur();
    expect(tooltipOf('layers-chart').lines).toEqual([]);
    expect(press(chart, 'Tab')).toBe(false);
  });

  it('are read from left to right whichever is pointed at', () => {
    showRun(windowRun);
    pointAt('layers-chart', { datasetIndex: 1, index: 2 });
    expect(tooltipOf('layers-chart')).toEqual({ title: ['layer: 3'], lines: [`expected: ${formatDuration(expected[2])}`] });
  });
});
