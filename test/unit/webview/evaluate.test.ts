// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import { markColour, shapePaths } from '../../../src/core/draw/point-marks';
import { qualityCurve } from '../../../src/core/evaluate/curves';
import { evaluationHtml } from '../../../src/core/evaluate/html';
import type { ExperimentSummary } from '../../../src/core/evaluate/report';
import type { QualitySummary } from '../../../src/core/evaluate/quality-summary';
import { retrievalReport, type RetrievalReport, type RetrievalScore } from '../../../src/core/evaluate/retrieval';
import { curveRows, measuredPoints, readText, statisticsRows } from '../../../src/core/evaluate/rows';
import { formatFigure } from '../../../src/core/format';
import { experimentPoints } from '../../../src/core/lab/frontier';
import { scenarioLabel } from '../../../src/core/scenario/scenario';
import { pointStyleOf } from '../../../webview/charts/marks';
import { Quality } from '../../../webview/sections/evaluate';
import { Retrieval } from '../../../webview/sections/retrieval';
import { chartOf, chooseRadio, find, inGerman, isShown, legendOf, newPage, put, readable, seriesOf, tableOf, type Page } from './page';
import { evaluationOf, narrow, pointOf, qualityOf, wide } from './evaluations';
import type { Front } from './snapshots';

const both = evaluationOf(pointOf(narrow, 0.5), pointOf(wide, 0.2));
const labels = both.points.map(({ scenario }) => scenarioLabel(scenario));
const qualities = both.points.map(({ quality }) => quality as QualitySummary);

let page: Page;
let quality: Quality;

beforeEach(() => {
  page = newPage();
  quality = put(new Quality(page.host, page.theme));
});

describe('the section on quality', () => {
  it('says what was read, in the command line’s words, and why some have no quality', () => {
    quality.show(both);
    expect(isShown('quality')).toBe(true);
    expect(find('quality-read').textContent).toBe(readText(both));
    expect(isShown('quality-notes')).toBe(false);
    quality.show(evaluationOf(pointOf(narrow, 0.5), pointOf({ kind: 'full' }, null)));
    expect([...find('quality-notes').children].map(readable)).toEqual(['full: A causal model has no quality under it.']);
    quality.show(null);
    expect(isShown('quality')).toBe(false);
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
    quality.show(both);
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
    quality.show(both);
    const scales = chartOf('divergence-chart').options.scales;
    expect(scales?.['x']).toMatchObject({ type: 'logarithmic', min: 1 });
    expect(scales?.['y']).toMatchObject({ type: 'linear', suggestedMin: 0 });
    const ticks = chartOf('divergence-chart').scales['x'].ticks.map(({ label }) => label);
    expect(ticks).toEqual(expect.arrayContaining(['1', '4', '16']));
    expect(chartOf('perplexity-chart').options.scales?.['y']).toMatchObject({ type: 'logarithmic' });
  });

  it('is a table for each scenario, as the command line prints it', () => {
    quality.show(both);
    const tables = [...document.querySelectorAll('[data-testid="quality-curve-table"]')];
    expect(tables.map((table) => table.querySelector('caption')?.textContent)).toEqual(labels.map((label) => `${label}, by position`));
    const { columns, rows } = curveRows(qualities[0].curve);
    expect(rows.at(-1)?.[0]).toMatch(/ - 62$/);
    expect(tableOf(tables[0])).toEqual([columns, ...rows]);
  });

  it('has no perplexity where no token follows, as for encoders', () => {
    quality.show(evaluationOf(pointOf(narrow, 0.5, { quality: qualityOf(0.5, false) })));
    expect([isShown('divergence-chart'), isShown('perplexity-chart')]).toEqual([true, false]);
  });

  it('has the marks of the frontier and of the report, another for each of twelve points', () => {
    const windows = [2, 4, 8, 16, 32, 64, 128, 256, 512].map((window): Front => ({ ...narrow, parameters: { window } }));
    // One that is not measured has its mark all the same.
    const evaluation = evaluationOf(
      pointOf({ kind: 'full' }, null),
      ...[...windows, wide, { kind: 'causal' } as Front, { ...wide, parameters: { window: 64, sinks: 4 } }].map((front, index) =>
        pointOf(front, 0.1 + index / 50),
      ),
    );
    quality.show(evaluation);
    const { ground } = page.theme.current;
    const frontier = experimentPoints(evaluation.points, evaluation.experiment).filter(({ divergence }) => divergence !== null);
    expect(frontier).toHaveLength(12);
    const lines = chartOf('divergence-chart').data.datasets.map((line) => line as unknown as Record<string, unknown>);
    expect(lines.map(({ borderColor }) => borderColor)).toEqual(frontier.map(({ mark }) => markColour(mark, ground)));
    expect(lines.map(({ pointStyle, pointRotation }) => [pointStyle, pointRotation])).toEqual(
      frontier.map(({ mark }) => [pointStyleOf(mark, page.theme.current).style, pointStyleOf(mark, page.theme.current).turned]),
    );
    // All shapes differ, so that nobody needs the colours.
    expect(new Set(frontier.map(({ mark }) => `${mark.shape} ${mark.hollow}`)).size).toBe(12);
    const drawn = [
      ...evaluationHtml(evaluation).matchAll(/class="point[^"]*?( hollow)?" style="[^"]*" d="([^"]+)"[^>]* stroke="([^"]+)"/g),
    ];
    const report = drawn.slice(0, 12).map(([, hollow, shape, colour]) => `${shape} ${hollow} ${colour}`);
    const expected = frontier.map(
      ({ mark }) => `${shapePaths[mark.shape]} ${mark.hollow ? ' hollow' : undefined} ${markColour(mark, 'light')}`,
    );
    expect(report.sort()).toEqual(expected.sort());
  });
});

describe('quality over all positions', () => {
  it('is a column for each scenario, with the numbers of the command line', () => {
    quality.show(both);
    const [head, ...rows] = tableOf('quality-statistics');
    expect(head).toEqual(['Measure', ...labels]);
    expect(rows).toEqual(statisticsRows(measuredPoints(both.points)).map(([name, ...cells]) => [name.trim(), ...cells]));
    const parts = [...find('quality-statistics').querySelectorAll('tr.part th')].map(readable);
    const touched = 'at touched positions';
    expect(parts).toEqual([...[touched, touched, touched, 'maximum', '99.9%', '99%', '95%', '90%', 'median', 'root mean square', touched]]);
  });

  it('keeps its table while the scenarios are the same, and has another for others', () => {
    quality.show(both);
    const table = find('quality-statistics');
    quality.show(evaluationOf(pointOf(narrow, 0.4), pointOf(wide, 0.2)));
    expect(find('quality-statistics')).toBe(table);
    quality.show(evaluationOf(pointOf(narrow, 0.4)));
    expect(find('quality-statistics')).not.toBe(table);
    expect(tableOf('quality-statistics')[0]).toEqual(['Measure', labels[0]]);
  });

  it('is not there where nothing was measured', () => {
    quality.show(evaluationOf(pointOf(narrow, null)));
    expect([isShown('quality-statistics'), isShown('divergence-chart')]).toEqual([false, false]);
  });
});

describe('retrieval', () => {
  let retrieval: Retrieval;
  const show = (evaluation: ExperimentSummary): void => retrieval.show(measuredPoints(evaluation.points), evaluation);
  beforeEach(() => (retrieval = put(new Retrieval())));

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

  it('is own attention, mask and difference of one scenario side by side, which a chip chooses', () => {
    show(evaluationOf(pointOf(narrow, 0.5, { retrieval: report(20) }), pointOf(wide, 0.2, { retrieval: report(3) })));
    const captionOf = (id: string): string | undefined => find(id).querySelector('caption')?.firstChild?.textContent ?? undefined;
    expect(['own', 'mask', 'difference'].map((view) => captionOf(`needles-${view}`))).toEqual([
      'The model’s own attention',
      labels[0],
      'Difference',
    ]);
    expect(find('needles-mask').querySelector('caption')?.lastChild?.textContent).toBe('2 of 4 found');
    const head = ['Task', 'Tokens', 'at 0%', 'at 50%'];
    expect(tableOf('needles-own')).toEqual([
      head,
      ['single needle', '16', '-0.50 #1', '-0.50 #1'],
      ['single needle', '64', '-0.50 #1', '-0.50 #1'],
    ]);
    expect(tableOf('needles-mask')[2]).toEqual(['single needle', '64', 'lost -20.00 #1,200', 'lost -20.00 #1,200']);
    expect(tableOf('needles-difference')[2]).toEqual(['single needle', '64', '-19.50', '-19.50']);
    // Found where the answer is the most likely one, for a reader who sees no colours.
    expect(find('needles-mask').querySelectorAll('td.found')).toHaveLength(2);
    expect(find('needles-mask').parentElement?.getAttribute('aria-label')).toBe(`${labels[0]}: ${labels[0]}`);
    chooseRadio('needles-choice', labels[1]);
    expect(captionOf('needles-mask')).toBe(labels[1]);
    expect(tableOf('needles-difference')[2]).toEqual(['single needle', '64', '-2.50', '-2.50']);
    // The choice stays while results land.
    show(evaluationOf(pointOf(narrow, 0.5, { retrieval: report(20) }), pointOf(wide, 0.2, { retrieval: report(3) })));
    expect(captionOf('needles-mask')).toBe(labels[1]);
  });

  it('begins with a mask, not with the model’s own attention, which does not differ from itself', () => {
    const own = { ...pointOf({ kind: 'causal' }, 0, { retrieval: report(1) }), ownBaseline: true };
    show(evaluationOf(own, pointOf(wide, 0.2, { retrieval: report(3) })));
    expect(find('needles-mask').querySelector('caption')?.firstChild?.textContent).toBe(labels[1]);
  });

  it('shows what differs from what a mask gives by definition, without a chip for one scenario', () => {
    const cases: RetrievalScore[] = [
      { ...score, expected: 'found' },
      { ...score, depth: 1, measured: 'lost', expected: 'found', rank: 9 },
    ];
    show(evaluationOf(pointOf(narrow, 0.5, { retrieval: retrievalReport(cases) })));
    expect(find('needles-mask').querySelector('caption .error')?.textContent).toBe('1 of 2 found, 2 by definition: FAILED, 1 differ');
    expect([...find('needles-mask').querySelectorAll('.differs')].map(({ textContent }) => textContent)).toEqual([
      'lost, expected found -1.00 #9',
    ]);
    expect(document.querySelector('[data-testid="needles-choice"]')).toBeNull();
  });

  it('says that the model cannot retrieve where it finds nothing without a mask either', () => {
    const lost: RetrievalScore = { ...score, measured: 'lost', rank: 9, baselineRank: 7 };
    const said = (...cases: RetrievalScore[]): boolean => {
      show(evaluationOf(pointOf(narrow, 0.5, { retrieval: retrievalReport(cases) })));
      return isShown('needles-note');
    };
    expect(said(lost)).toBe(true);
    expect(find('needles-note').textContent).toMatch(/^The model finds none without a mask either/);
    expect(said({ ...lost, baselineRank: NaN })).toBe(true);
    expect(said(lost, { ...lost, depth: 1, baselineRank: 1 })).toBe(false);
    expect(said(lost, { ...lost, depth: 1, measured: 'found', rank: 1 })).toBe(false);
    // As many values of a repeated key are right.
    expect(said({ ...lost, task: 'repeated', baselineRank: 3 })).toBe(false);
  });

  it('leaves cells without a case empty, and is gone where nothing was hidden', () => {
    const [one, two] = [0.25, 0.75].map((depth, index): RetrievalScore => ({ ...score, length: 16 * (index + 1), depth }));
    show(evaluationOf(pointOf(narrow, 0.5, { retrieval: retrievalReport([one, two]) })));
    expect(tableOf('needles-mask')[1]).toEqual(['single needle', '16', 'found -1.00 #1', '–']);
    show(both);
    expect(isShown('retrieval')).toBe(false);
  });
});

describe('in German', () => {
  it('measures have German names, percentiles and numbers none of their own', () => {
    page = newPage();
    inGerman();
    quality = put(new Quality(page.host, page.theme));
    quality.show(both);
    const [, ...rows] = tableOf('quality-statistics');
    const names = rows.map(([name]) => name);
    expect(names).toContain('99.9%');
    expect(names).toContain('Perplexität');
    expect(names).not.toContain('median');
    expect(rows.map(([, ...cells]) => cells)).toEqual(statisticsRows(measuredPoints(both.points)).map(([, ...cells]) => cells));
  });
});
