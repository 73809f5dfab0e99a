// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import { curveLengths } from '../../../src/core/compare/cost-curves';
import { formatBytes, formatCompact, formatCount, formatDuration, formatFlops } from '../../../src/core/format';
import type { PanelCost, PanelSnapshot } from '../../../src/protocol/panel';
import { costMetrics } from '../../../webview/sections/cost-metrics';
import { Costs } from '../../../webview/sections/costs';
import {
  chartOf,
  chooseRadio,
  find,
  inGerman,
  isShown,
  legendOf,
  newPage,
  penOf,
  pointAt,
  put,
  seriesOf,
  setTheme,
  settle,
  tableOf,
  textOf,
  tooltipOf,
  type Page,
} from './page';
import { curvesOf, current, emptySnapshot, planOf, snapshotOf, type Front } from './snapshots';
import { reportOf } from '../../support/reports';
import { makeScenario } from '../../../src/core/scenario/scenario';

let page: Page;
let costs: Costs;
let snapshot: PanelSnapshot;

const windowFront: Front = { tokens: 4000, kind: 'sliding-window', parameters: { window: 300 } };

function showCosts(front: Front = windowFront, more: Partial<PanelSnapshot> = {}): void {
  snapshot = snapshotOf(front, more);
  costs = put(new Costs(page.host, page.theme));
  costs.update(snapshot);
}

beforeEach(() => {
  page = newPage();
});

const costOf = (kind: string): PanelCost => {
  const found = snapshot.scenarioCosts.find((cost) => cost.kind === kind);
  if (found === undefined) {
    throw new Error(`No cost of ${kind}.`);
  }
  return found;
};

describe('what each scenario costs this prompt', () => {
  it('is a bar of two parts for each, with the bound beside it, from the numbers that the host sent', () => {
    showCosts();
    const { scenarioCosts } = snapshot;
    expect(scenarioCosts.length).toBeGreaterThan(4);
    expect(seriesOf('costs-chart')).toEqual({
      'attention calls': scenarioCosts.map(({ attentionCalls }) => attentionCalls),
      'token-wise calls': scenarioCosts.map(({ tokenwiseCalls }) => tokenwiseCalls),
      'the theorem’s bound on attention calls': scenarioCosts.map(({ boundCalls }) => boundCalls),
    });
    // A scenario's parameters stand on a second line.
    expect(chartOf('costs-chart').data.labels?.[scenarioCosts.indexOf(costOf('sliding-window'))]).toBe('Sliding window\nwindow 300');
    expect(legendOf(costs.element)).toContain('token-wise calls');
  });

  it('is told in words to those who do not see it', () => {
    showCosts();
    const canvas = find('costs-chart');
    expect(canvas.getAttribute('role')).toBe('img');
    const words = snapshot.scenarioCosts.map(
      ({ label, attentionCalls, tokenwiseCalls }) => `${label} ${formatCompact(attentionCalls + tokenwiseCalls)}`,
    );
    expect(canvas.getAttribute('aria-label')).toBe(`Calls per scenario: ${words.join(', ')}.`);
  });

  it('marks the scenario in force, in the chart and in the table', () => {
    showCosts();
    const index = snapshot.scenarioCosts.indexOf(costOf('sliding-window'));
    const widths = (chartOf('costs-chart').data.datasets[0] as unknown as { borderWidth: number[] }).borderWidth;
    expect(widths).toEqual(snapshot.scenarioCosts.map((_, each) => (each === index ? 2 : 1)));
    expect(find('cost-sliding-window').getAttribute('aria-current')).toBe('true');
    expect(find('cost-full').getAttribute('aria-current')).toBeNull();
    costs.update(snapshotOf({ ...windowFront, kind: 'full' }));
    expect(find('cost-sliding-window').getAttribute('aria-current')).toBeNull();
    expect(find('cost-full').getAttribute('aria-current')).toBe('true');
  });

  it('is a table of every metric at once, with the time that a run took', () => {
    const report = reportOf({ scenario: makeScenario('full') });
    showCosts(windowFront, { runs: [current(report)] });
    const [head, ...rows] = tableOf('costs-table');
    expect(head).toEqual([
      'Scenario',
      'Attention calls',
      'Token-wise calls',
      'Bound on attention',
      'FLOPs',
      'Bytes',
      'Time, expected',
      'Time, measured',
    ]);
    expect(rows).toEqual(
      snapshot.scenarioCosts.map((cost) => [
        cost.label,
        formatCount(cost.attentionCalls),
        formatCount(cost.tokenwiseCalls),
        formatCount(cost.boundCalls),
        formatFlops(cost.flops),
        formatBytes(cost.bytes),
        formatDuration(cost.predictedMs ?? NaN),
        cost.kind === 'full' ? formatDuration(report.run.wallMs) : '–',
      ]),
    );
    expect(find('data-costs')).toHaveProperty('open', false);
  });

  it('says why a scenario is not among them', () => {
    showCosts({ ...windowFront, parameters: { window: 4, sinks: -1 } });
    expect(snapshot.impossibleScenarios).not.toEqual([]);
    expect(textOf('costs-impossible')).toBe(snapshot.impossibleScenarios.join(' '));
    costs.update(snapshotOf(windowFront));
    expect(isShown('costs-impossible')).toBe(false);
  });

  it('is not there without a plan', () => {
    showCosts();
    costs.update(emptySnapshot());
    expect(isShown(costs.element)).toBe(false);
    costs.update(snapshot);
    expect(isShown(costs.element)).toBe(true);
  });
});

describe('another way to count', () => {
  it.each([
    ['FLOPs', 'work of attention calls', ({ attentionFlops }: PanelCost) => attentionFlops],
    ['FLOPs', 'work of token-wise calls', ({ flops, attentionFlops }: PanelCost) => flops - attentionFlops],
    ['Bytes', 'tensors at their peak, weights included', ({ bytes }: PanelCost) => bytes],
    ['Time', 'expected wall time', ({ predictedMs }: PanelCost) => predictedMs],
  ] as const)('%s: %s', (title, label, of) => {
    showCosts();
    chooseRadio('cost-metric', title);
    expect(seriesOf('costs-chart')[label]).toEqual(snapshot.scenarioCosts.map(of));
    expect(legendOf(costs.element)).toContain(label);
    expect(find('costs-chart').getAttribute('aria-label')).toMatch(new RegExp(`^${title} per scenario: `));
  });

  it('is remembered for the next time the page is shown', () => {
    showCosts();
    chooseRadio('cost-metric', 'Bytes');
    page = newPage(page.kept.state);
    showCosts();
    expect(find('costs-chart').getAttribute('aria-label')).toMatch(/^Bytes per scenario: /);
    expect(find('cost-metric').getAttribute('aria-label')).toBe('Metric');
    expect(find('cost-metric')).toHaveProperty('value', 'bytes');
  });

  it('sets what was measured beside what is expected, where anything was', () => {
    showCosts(windowFront, { runs: [current(reportOf({ scenario: makeScenario('full') }))] });
    chooseRadio('cost-metric', 'Time');
    expect(seriesOf('costs-chart')['measured in the newest run']).toEqual(
      snapshot.scenarioCosts.map(({ kind }) => (kind === 'full' ? 1234.5 : null)),
    );
    costs.update(snapshotOf(windowFront));
    expect(Object.keys(seriesOf('costs-chart'))).toEqual(['expected wall time']);
    expect(legendOf(costs.element)).not.toContain('measured in the newest run');
  });

  it('says that time is not known where the machine is not calibrated, and draws none', () => {
    showCosts({ ...windowFront, calibrated: false });
    expect(isShown('costs-unknown')).toBe(false);
    chooseRadio('cost-metric', 'Time');
    expect(isShown('costs-unknown')).toBe(true);
    expect(isShown('costs-chart')).toBe(false);
    expect(find('costs-chart').getAttribute('aria-label')).toContain('causal unknown');
  });

  it('warns that lengths do not compare where the axis is logarithmic', () => {
    showCosts({ tokens: 100_000, kind: 'sliding-window', parameters: { window: 64 } });
    expect(chartOf('costs-chart').options.scales?.['x']).toMatchObject({ type: 'logarithmic' });
    expect(isShown('costs-scale')).toBe(true);
    chooseRadio('cost-metric', 'Bytes');
    expect(chartOf('costs-chart').options.scales?.['x']).toMatchObject({ type: 'linear', beginAtZero: true });
    expect(isShown('costs-scale')).toBe(false);
  });
});

describe('the chart of costs', () => {
  it('tells the number of each part when pointed at, and the sum at the end of its bar', () => {
    showCosts();
    const index = snapshot.scenarioCosts.indexOf(costOf('sliding-window'));
    const { attentionCalls, tokenwiseCalls, predictedMs } = costOf('sliding-window');
    pointAt('costs-chart', { datasetIndex: 0, index }, { datasetIndex: 1, index });
    expect(tooltipOf('costs-chart')).toEqual({
      title: ['Sliding window window 300'],
      lines: [`attention calls: ${formatCompact(attentionCalls)}`, `token-wise calls: ${formatCompact(tokenwiseCalls)}`],
    });
    expect(penOf(find('costs-chart')).texts).toContain(formatCompact(attentionCalls + tokenwiseCalls));
    chooseRadio('cost-metric', 'Time');
    expect(penOf(find('costs-chart')).texts).toContain(`≈ ${formatDuration(predictedMs ?? NaN)}`);
  });

  it('has patterns beside colours, for a reader who does not see these', () => {
    showCosts();
    const [attention, tokenwise] = chartOf('costs-chart').data.datasets.map(({ backgroundColor }) => backgroundColor);
    expect(attention).toBe('#0000f0');
    expect(tokenwise).toMatchObject({ colour: '#00f000' });
  });

  it('follows the theme without another snapshot', async () => {
    showCosts();
    const blue = (): unknown => chartOf('costs-chart').data.datasets[0].backgroundColor;
    expect(blue()).toBe('#0000f0');
    setTheme({ 'charts-blue': '#123456' });
    await settle();
    expect(blue()).toBe('#123456');
  });
});

describe('what each scenario costs over the length of the prompt', () => {
  it('is not there before the host has sent it, nor where no scenario is in force', () => {
    showCosts();
    expect(isShown('growth-chart')).toBe(false);
    costs.showCurves(curvesOf(windowFront));
    expect(isShown('growth-chart')).toBe(true);
    costs.showCurves(null);
    expect(isShown('growth-chart')).toBe(false);
  });

  it('is a line for each scenario, the bound of the one in force, and this prompt as a point', () => {
    showCosts();
    const curves = curvesOf(windowFront);
    costs.showCurves(curves);
    const lines = seriesOf('growth-chart');
    for (const { title, points } of curves.curves) {
      expect(lines[title]).toEqual(points.map(({ tokens, attentionCalls }) => ({ x: tokens, y: attentionCalls })));
    }
    const own = curves.curves.find(({ scenario }) => scenario.kind === 'sliding-window');
    expect(lines[`bound on Sliding window: ${own?.theorem ?? ''}`]).toEqual(
      own?.points.map(({ tokens, boundCalls }) => ({ x: tokens, y: boundCalls })),
    );
    expect(lines['this prompt']).toEqual([{ x: 4000, y: planOf(windowFront).calls.attention }]);
    expect(legendOf(find('growth-chart').closest('.line-chart') as Element)).toEqual(Object.keys(lines));
    const { label, points } = curves.curves[0];
    const [first, last] = [points[0], points[points.length - 1]];
    expect(find('growth-chart').getAttribute('aria-label')).toContain(
      `${label} from ${formatCompact(first.attentionCalls)} at ${formatCount(first.tokens)} tokens to ${formatCompact(last.attentionCalls)} at ${formatCount(last.tokens)}`,
    );
  });

  it('is a table with a row for each length and a column for each line', () => {
    showCosts();
    const { curves } = curvesOf(windowFront);
    costs.showCurves(curvesOf(windowFront));
    const [head, ...rows] = tableOf('growth-table');
    expect(head.slice(0, -1)).toEqual(['N, tokens', ...curves.map(({ label }) => label)]);
    expect(rows.map(([length]) => length)).toEqual(curveLengths.map(formatCount));
    expect(rows[3].slice(1, -1)).toEqual(curves.map(({ points }) => formatCount(points[3].attentionCalls)));
  });

  it('says from where on the scenario beats dense attention, and marks it where time is drawn', () => {
    showCosts();
    const curves = curvesOf(windowFront);
    costs.showCurves(curves);
    const from = curves.breakEven?.fromTokens ?? NaN;
    expect(textOf('break-even')).toBe(
      `Break-even: from ${formatCount(from)} tokens on the attention calls of Sliding window are expected to beat GroupQueryAttention, the fastest dense operator on this device.`,
    );
    const markOf = (): unknown => chartOf('growth-chart').options.plugins?.marks?.mark;
    expect(markOf()).toBeNull();
    chooseRadio('cost-metric', 'Time');
    expect(markOf()).toEqual({ x: from, label: 'break-even' });
    const measured = { known: true, operator: 'GroupQueryAttention', measured: { from: 256, to: 8192 } } as const;
    costs.showCurves({ ...curves, breakEven: { ...measured, fromTokens: undefined } });
    expect(textOf('break-even')).toContain('No break-even: up to 8,192 tokens, as far as it was measured, GroupQueryAttention');
    costs.showCurves({ ...curves, breakEven: { ...measured, fromTokens: 32_768 } });
    expect(textOf('break-even')).toMatch(/^No break-even up to 8,192 tokens.* Extrapolated, .* from 32,768 tokens on\.$/);
    costs.showCurves({ ...curves, breakEven: { ...measured, known: false, fromTokens: undefined } });
    expect(textOf('break-even')).toMatch(/^Whether there is a break-even with dense attention is not known/);
    costs.showCurves({ ...curves, breakEven: null });
    expect(isShown('break-even')).toBe(false);
  });

  it('has no chart of what nobody knows', () => {
    showCosts({ ...windowFront, calibrated: false });
    costs.showCurves(curvesOf({ ...windowFront, calibrated: false }));
    chooseRadio('cost-metric', 'Time');
    expect(isShown('growth-chart')).toBe(false);
    chooseRadio('cost-metric', 'FLOPs');
    expect(isShown('growth-chart')).toBe(true);
  });

  it('is German in German', () => {
    inGerman();
    showCosts();
    costs.showCurves(curvesOf(windowFront));
    expect(tableOf('costs-table')[0][0]).toBe('Szenario');
    expect(Object.keys(seriesOf('growth-chart'))).not.toContain('this prompt');
    expect(Object.values(seriesOf('growth-chart'))).toContainEqual([{ x: 4000, y: planOf(windowFront).calls.attention }]);
  });
});

it('labels times of long prompts by powers of ten, without digits or letters that nobody reads', () => {
  const format = costMetrics().find(({ name }) => name === 'time')?.overN.format;
  expect([100, 1000, 1e6, 1e7, 1e9, 2e9].map((milliseconds) => format?.(milliseconds))).toEqual([
    '100 ms',
    '1 s',
    '1,000 s',
    '10^4 s',
    '10^6 s',
    '2.00 M s',
  ]);
});
