// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import { frontPoints, qualityCurve } from '../../../src/core/evaluate/curves';
import type { QualitySummary } from '../../../src/core/evaluate/quality-summary';
import { retrievalGrid, retrievalReport, type RetrievalReport, type RetrievalScore } from '../../../src/core/evaluate/retrieval';
import { curveRows, measuredPoints, readText, retrievalHeat, statisticsRows } from '../../../src/core/evaluate/rows';
import { formatCompact, formatDuration, formatFigure, formatFlops } from '../../../src/core/format';
import { scenarioLabel } from '../../../src/core/scenario/scenario';
import { Quality } from '../../../webview/sections/evaluate';
import {
  chartOf,
  find,
  inGerman,
  isShown,
  legendOf,
  newPage,
  pointAt,
  pressButton,
  put,
  readable,
  seriesOf,
  tableOf,
  textOf,
  tooltipOf,
  type Page,
} from './page';
import { evaluationOf, narrow, pointOf, qualityOf, wide } from './evaluations';
import { emptySnapshot, snapshotOf } from './snapshots';

const both = evaluationOf(pointOf(narrow, 0.5), pointOf(wide, 0.2));
const labels = both.points.map(({ scenario }) => scenarioLabel(scenario));
const qualities = both.points.map(({ quality }) => quality as QualitySummary);

let page: Page;
let quality: Quality;

beforeEach(() => {
  page = newPage();
  quality = put(new Quality(page.host, page.theme));
  quality.update(snapshotOf());
});

describe('the section on quality', () => {
  it('can be asked for where a prompt is open, and says that nothing was evaluated', () => {
    expect([textOf('quality-empty'), isShown('quality')]).toEqual(['Nothing evaluated yet.', false]);
    pressButton('quality-run');
    expect(page.posted).toEqual([{ type: 'evaluate' }]);
    quality.update(emptySnapshot());
    pressButton('quality-run');
    expect(page.posted).toHaveLength(1);
  });

  it('shows the progress of an evaluation', () => {
    quality.update(snapshotOf({}, { activity: { state: 'running', task: 'evaluate', title: 'quality', progress: null } }));
    quality.showProgress({ message: 'window 2 of 8', phase: 'quality', fraction: 0.25 });
    expect([textOf('quality-progress-message'), textOf('quality-progress-share')]).toEqual(['window 2 of 8', '25%']);
  });

  it('says what was read, in the command line’s words, and why some have no quality', () => {
    quality.showEvaluation(both);
    expect([isShown('quality-empty'), isShown('quality')]).toEqual([false, true]);
    expect(find('quality-read').textContent).toBe(readText(both));
    expect(isShown('quality-notes')).toBe(false);
    quality.showEvaluation(evaluationOf(pointOf(narrow, 0.5), pointOf({ kind: 'full' }, null)));
    expect([...find('quality-notes').children].map(readable)).toEqual(['full: A causal model has no quality under it.']);
    quality.showEvaluation(null);
    expect([isShown('quality-empty'), isShown('quality')]).toEqual([true, false]);
  });
});

describe('quality by position', () => {
  const place = ({ position, value, low, high }: ReturnType<typeof qualityCurve>[number]): unknown => ({
    x: position,
    y: value,
    low,
    high,
  });

  it('is a line for each scenario, with its intervals, and the model’s own attention where perplexity is drawn', () => {
    quality.showEvaluation(both);
    expect(seriesOf('divergence-chart')).toEqual(
      Object.fromEntries(labels.map((label, index) => [label, qualityCurve(qualities[index].curve, 'divergence').map(place)])),
    );
    expect(Object.keys(seriesOf('perplexity-chart'))).toEqual([...labels, 'the model’s own attention']);
    expect(seriesOf('perplexity-chart')['the model’s own attention']).toEqual(
      qualityCurve(qualities[0].curve, 'baselinePerplexity').map(place),
    );
    expect(legendOf(find('divergence-chart').closest('.line-chart') as Element)).toEqual(labels);
    const [first] = qualityCurve(qualities[0].curve, 'divergence');
    expect(find('divergence-chart').getAttribute('aria-label')).toContain(
      `mean KL divergence, nats by position: ${labels[0]} ${formatFigure(first.value)} at 1,`,
    );
  });

  it('has axes that suit what is drawn: powers of two of tokens, divergences from 0', () => {
    quality.showEvaluation(both);
    const scales = chartOf('divergence-chart').options.scales;
    expect(scales?.['x']).toMatchObject({ type: 'logarithmic', min: 1 });
    expect(scales?.['y']).toMatchObject({ type: 'linear', suggestedMin: 0 });
    const ticks = chartOf('divergence-chart').scales['x'].ticks.map(({ label }) => label);
    expect(ticks).toEqual(expect.arrayContaining(['1', '4', '16']));
    expect(chartOf('perplexity-chart').options.scales?.['y']).toMatchObject({ type: 'logarithmic' });
  });

  it('is a table for each scenario, as the command line prints it', () => {
    quality.showEvaluation(both);
    const tables = [...document.querySelectorAll('[data-testid="quality-curve-table"]')];
    expect(tables.map((table) => table.querySelector('caption')?.textContent)).toEqual(labels.map((label) => `${label}, by position`));
    const { columns, rows } = curveRows(qualities[0].curve);
    expect(rows.at(-1)?.[0]).toMatch(/ - 62$/);
    expect(tableOf(tables[0])).toEqual([columns, ...rows]);
  });

  it('has no perplexity where no token follows, as for encoders', () => {
    quality.showEvaluation(evaluationOf(pointOf(narrow, 0.5, { quality: qualityOf(0.5, false) })));
    expect([isShown('divergence-chart'), isShown('perplexity-chart')]).toEqual([true, false]);
  });

  it('tells scenarios of one kind apart', () => {
    quality.showEvaluation(evaluationOf(pointOf(narrow, 0.5), pointOf({ ...narrow, parameters: { window: 128 } }, 0.2)));
    const looks = chartOf('divergence-chart').data.datasets.map((line) => line as { borderColor?: unknown; pointStyle?: unknown });
    expect(new Set(looks.map(({ borderColor }) => borderColor)).size).toBe(2);
    expect(new Set(looks.map(({ pointStyle }) => pointStyle)).size).toBe(2);
  });
});

describe('quality over all positions', () => {
  it('is a column for each scenario, with the numbers of the command line', () => {
    quality.showEvaluation(both);
    const [head, ...rows] = tableOf('quality-statistics');
    expect(head).toEqual(['Measure', ...labels]);
    expect(rows).toEqual(statisticsRows(measuredPoints(both.points)).map(([name, ...cells]) => [name.trim(), ...cells]));
    const parts = [...find('quality-statistics').querySelectorAll('tr.part th')].map(readable);
    const touched = 'at touched positions';
    expect(parts).toEqual([...[touched, touched, touched, 'maximum', '99.9%', '99%', '95%', '90%', 'median', 'root mean square', touched]]);
  });

  it('keeps its table while the scenarios are the same, and has another for others', () => {
    quality.showEvaluation(both);
    const table = find('quality-statistics');
    quality.showEvaluation(evaluationOf(pointOf(narrow, 0.4), pointOf(wide, 0.2)));
    expect(find('quality-statistics')).toBe(table);
    quality.showEvaluation(evaluationOf(pointOf(narrow, 0.4)));
    expect(find('quality-statistics')).not.toBe(table);
    expect(tableOf('quality-statistics')[0]).toEqual(['Measure', labels[0]]);
  });

  it('is not there where nothing was measured', () => {
    quality.showEvaluation(evaluationOf(pointOf(narrow, null)));
    expect([isShown('quality-statistics'), isShown('divergence-chart'), isShown('retrieval'), isShown('front-chart')]).toEqual(
      Array(4).fill(false),
    );
  });
});

describe('retrieval', () => {
  const score: RetrievalScore = {
    task: 'single',
    hops: null,
    length: 16,
    depth: 0,
    measured: 'found',
    expected: null,
    logProbability: -1,
    rank: 1,
    baselineLogProbability: -0.5,
    baselineRank: 1,
  };
  const report = (worse: number): RetrievalReport =>
    retrievalReport(
      [16, 64].flatMap((length) =>
        [0, 0.5].map((depth) => ({
          ...score,
          length,
          depth,
          ...(length === 64 ? { measured: 'lost' as const, logProbability: -worse, rank: 1200 } : {}),
        })),
      ),
    );

  it('is a heat map per scenario, on one scale for all of them', () => {
    const reports = [report(20), report(3)];
    quality.showEvaluation(evaluationOf(pointOf(narrow, 0.5, { retrieval: reports[0] }), pointOf(wide, 0.2, { retrieval: reports[1] })));
    const tables = [...find('retrieval').querySelectorAll('table')];
    expect(tables.map((table) => table.querySelector('caption')?.firstChild?.textContent)).toEqual(labels);
    expect(tables[0].querySelector('caption')?.lastChild?.textContent).toBe('2 of 4 found');
    expect(tableOf(tables[0])).toEqual([
      ['Task', 'Tokens', 'at 0%', 'at 50%'],
      ['single needle', '16', 'found -1.00 #1 -0.50 #1', 'found -1.00 #1 -0.50 #1'],
      ['single needle', '64', 'lost -20.00 #1,200 -0.50 #1', 'lost -20.00 #1,200 -0.50 #1'],
    ]);
    const heat = tables.map((table) =>
      [...table.querySelectorAll<HTMLElement>('td[data-level]')].map((cell) => Number(cell.dataset['level'])),
    );
    expect(heat).toEqual(retrievalHeat(reports.map(({ cases }) => retrievalGrid(cases))).map((rows) => rows.flat()));
    // Found where the answer is the most likely one, for a reader who sees no colours.
    expect([...tables[0].querySelectorAll('td.found')].map((cell) => cell.closest('tr')?.querySelector('td')?.textContent)).toEqual([
      '16',
      '16',
    ]);
    expect(tables[0].parentElement?.getAttribute('aria-label')).toBe(`Retrieval under ${labels[0]}`);
    expect(tables[0].parentElement?.tabIndex).toBe(0);
  });

  it('shows what differs from what a mask gives by definition', () => {
    const cases: RetrievalScore[] = [
      { ...score, expected: 'found' },
      { ...score, depth: 1, measured: 'lost', expected: 'found', rank: 9 },
    ];
    quality.showEvaluation(evaluationOf(pointOf(narrow, 0.5, { retrieval: retrievalReport(cases) })));
    const table = find('retrieval').querySelector('table') as Element;
    expect(table.querySelector('caption .error')?.textContent).toBe('1 of 2 found, 2 by definition: FAILED, 1 differ');
    expect([...table.querySelectorAll('.differs')].map(({ textContent }) => textContent)).toEqual([
      'lost, expected found -1.00 #9 -0.50 #1',
    ]);
  });

  it('leaves cells without a case empty, and is gone where nothing was hidden', () => {
    const [one, two] = [0.25, 0.75].map((depth, index): RetrievalScore => ({
      ...score,
      length: 16 * (index + 1),
      depth,
      logProbability: -2,
    }));
    quality.showEvaluation(evaluationOf(pointOf(narrow, 0.5, { retrieval: retrievalReport([one, two]) })));
    expect(tableOf(find('retrieval').querySelector('table') as Element)[1]).toEqual([
      'single needle',
      '16',
      'found -2.00 #1 -0.50 #1',
      '–',
    ]);
    quality.showEvaluation(both);
    expect(isShown('retrieval')).toBe(false);
  });
});

describe('quality against cost', () => {
  const points = frontPoints(both);

  it('is a point for each scenario, and the line of those that none beats', () => {
    quality.showEvaluation(both);
    const series = seriesOf('front-chart') as Record<string, { x: number; y: number }[]>;
    for (const { kind, cost, divergence } of points) {
      expect(series[kind]).toHaveLength(1);
      expect(series[kind][0]).toMatchObject({ x: cost.attentionFlops, y: divergence.value });
    }
    const front = points.filter(({ onFront }) => onFront);
    expect(series['Pareto front']).toEqual(front.map(({ cost, divergence }) => ({ x: cost.attentionFlops, y: divergence.value })));
    expect(front).toHaveLength(1);
    expect(find('front-chart').getAttribute('aria-label')).toBe(
      `Mean divergence against work; on the Pareto front: ${front[0].label}: ${formatFigure(front[0].divergence.value)} nats, ${formatFlops(front[0].cost.attentionFlops)}.`,
    );
    expect(isShown('front-floor')).toBe(false);
  });

  it('is a table, the cheapest first', () => {
    quality.showEvaluation(both);
    expect(tableOf('front-table')).toEqual([
      ['Scenario', 'FLOPs of attention', 'Calls', 'Time, expected', 'Mean KL', 'On the front'],
      ...points.map(({ label, cost, divergence, onFront }) => [
        label,
        formatFlops(cost.attentionFlops),
        formatCompact(cost.calls.total),
        cost.predictedMs === null ? '–' : formatDuration(cost.predictedMs),
        formatFigure(divergence.value),
        onFront ? 'yes' : 'no',
      ]),
    ]);
    expect(tableOf('front-table').flat()).toContain('321 ms');
    const broken = { ...both.points[0].verdict, kind: 'failed' as const };
    quality.showEvaluation({ ...both, points: both.points.map((point) => ({ ...point, verdict: broken })) });
    expect(tableOf('front-table').at(-1)?.at(-1)).toBe('FAILED');
  });

  it('says of a point what it is, and nothing of the line through it', () => {
    quality.showEvaluation(both);
    pointAt('front-chart', { datasetIndex: 0, index: 0 }, { datasetIndex: 2, index: 0 });
    const [{ label, divergence, cost }] = points;
    expect(tooltipOf('front-chart').lines).toEqual([
      `${label}: ${formatFigure(divergence.value)} nats, ${formatFlops(cost.attentionFlops)}`,
    ]);
  });

  it('puts a divergence of 0, which a logarithmic axis has not, below all others, and says so', () => {
    quality.showEvaluation(evaluationOf(pointOf(narrow, 0.5), pointOf(wide, 0)));
    const series = seriesOf('front-chart') as Record<string, { y: number }[]>;
    const [least] = series['sliding-window'];
    expect(series['attention-sink'][0].y).toBeLessThan(least.y / 10);
    expect(series['attention-sink'][0].y).toBeGreaterThan(0);
    expect(isShown('front-floor')).toBe(true);
  });

  it('is not there for one point alone', () => {
    quality.showEvaluation(evaluationOf(pointOf(narrow, 0.5)));
    expect(isShown('front-chart')).toBe(false);
    quality.showEvaluation(evaluationOf(pointOf(narrow, 0), pointOf(wide, 0)));
    expect(isShown('front-chart')).toBe(false);
  });
});

describe('in German', () => {
  it('measures have German names, percentiles and numbers none of their own', () => {
    page = newPage();
    inGerman();
    quality = put(new Quality(page.host, page.theme));
    quality.showEvaluation(both);
    const [, ...rows] = tableOf('quality-statistics');
    const names = rows.map(([name]) => name);
    expect(names).toContain('99.9%');
    expect(names).toContain('Perplexität');
    expect(names).not.toContain('median');
    expect(rows.map(([, ...cells]) => cells)).toEqual(statisticsRows(measuredPoints(both.points)).map(([, ...cells]) => cells));
  });
});
