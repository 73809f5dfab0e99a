import { describe, expect, it } from 'vitest';
import { evaluationText } from '../../../src/cli/experiment-text';
import { evaluationHtml } from '../../../src/core/evaluate/html';
import { retrievalGrid, retrievalReport, type RetrievalScore } from '../../../src/core/evaluate/retrieval';
import { needleLevels, needleViews } from '../../../src/core/lab/needles';
import { evaluationOf } from '../../support/records';

const score = (more: Partial<RetrievalScore>): RetrievalScore => ({
  task: 'single',
  hops: null,
  length: 8,
  depth: 0,
  measured: 'found',
  expected: null,
  logProbability: -1,
  rank: 1,
  baselineLogProbability: 0,
  baselineRank: 1,
  ...more,
});

const levelsOf = (rows: readonly (readonly ({ readonly level: number | null } | null)[])[]): (number | null | undefined)[][] =>
  rows.map((row) => row.map((cell) => cell?.level));

describe('needles as three views', () => {
  it('have own attention and mask on one scale of all scenarios, and what is lost on another', () => {
    const grids = [
      retrievalGrid([score({ logProbability: -12 }), score({ length: 16, logProbability: -6 })]),
      retrievalGrid([score({ logProbability: 0 }), score({ length: 16, logProbability: NaN, rank: NaN, measured: 'lost' })]),
    ];
    const [one, other] = needleViews(grids);
    const most = needleLevels - 1;
    expect([levelsOf(one.own), levelsOf(one.mask), levelsOf(one.difference)]).toEqual([
      [[most], [most]],
      [[0], [needleLevels / 2]],
      [[most], [needleLevels / 2]],
    ]);
    expect([levelsOf(other.mask), levelsOf(other.difference)]).toEqual([
      [[most], [null]],
      [[0], [null]],
    ]);
    expect(needleViews([])).toEqual([]);
  });

  it('say in words what they show, a gain with its sign, and nothing where there is no number', () => {
    const cases = [
      score({ logProbability: -19.5, rank: 537, measured: 'lost' }),
      score({ depth: 1, logProbability: 0.5 - 1, baselineLogProbability: -1, measured: 'found' }),
      score({ length: 16, logProbability: NaN, rank: NaN, measured: 'lost', expected: 'found' }),
    ];
    const [{ own, mask, difference }] = needleViews([retrievalGrid(cases)]);
    expect(own[0].map((cell) => cell?.text)).toEqual(['0.00 #1', '-1.00 #1']);
    expect(mask.map((row) => row.map((cell) => cell && [cell.text, cell.state]))).toEqual([
      [
        ['lost -19.50 #537', null],
        ['found -0.50 #1', 'found'],
      ],
      [['lost, expected found NaN #?', 'differs'], null],
    ]);
    expect(difference.map((row) => row.map((cell) => cell && cell.text))).toEqual([
      ['-19.50', '+0.50'],
      ['?', null],
    ]);
  });
});

describe('needles on the command line and in reports', () => {
  it('are said to prove nothing where the model finds none without a mask either', () => {
    const evaluation = evaluationOf();
    const reportWith = (baselineRank: number): Parameters<typeof evaluationText>[0] => {
      const retrieval = retrievalReport([score({ measured: 'lost', rank: 9, baselineRank })]);
      return { ...evaluation, points: evaluation.points.map((point) => ({ ...point, retrieval, prompts: [] })) };
    };
    for (const textOf of [evaluationText, evaluationHtml]) {
      expect(textOf(reportWith(7)).match(/finds none without a mask either: it cannot retrieve/g)).toHaveLength(1);
      expect(textOf(reportWith(1))).not.toContain('without a mask either');
    }
  });
});
