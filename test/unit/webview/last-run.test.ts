// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatEstimate,
  formatError,
  formatFigure,
  formatLogCount,
  formatLogFigure,
  formatShare,
} from '../../../src/core/format';
import type { RunReport } from '../../../src/core/report/report';
import { LastRun } from '../../../webview/sections/last-run';
import { figuresOf, find, fold, inGerman, isShown, newPage, put, tableOf, textOf, type Page } from './page';
import { current, emptySnapshot, other, sampledRun, snapshotOf, tightRun, windowRun } from './snapshots';
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

const part = (label: string): Element => {
  const found = lastRun.element.querySelector(`[aria-label="${label}"]`);
  if (found === null) {
    throw new Error(`There is no part ${label}.`);
  }
  return found;
};

describe('the last run', () => {
  it('says where it ran and how long', () => {
    showRun(windowRun);
    const { run, prediction } = windowRun;
    expect(figuresOf(find('last-run'))).toMatchObject({
      Construction: 'fused',
      'Wall time': formatDuration(run.wallMs),
      'Wall time, expected': formatEstimate(prediction?.wallMs ?? NaN, prediction?.interval),
      'Peak memory': formatBytes(run.peakRssBytes),
      Provider: 'cpu',
      Threads: '2',
      Device: 'A processor',
    });
    expect(find('wall-time').dataset['value']).toBe(String(run.wallMs));
    expect(find('wall-time').parentElement?.title).toBe('From tokens in memory to the last layer’s output');
  });

  it('leaves out what is not known of it', () => {
    const report = reportOf();
    showRun({ ...report, run: { ...report.run, threads: 0 } });
    expect(Object.keys(figuresOf(find('last-run')))).not.toContain('Wall time, expected');
    expect(textOf('threads')).toBe('automatic');
    expect(find('threads').dataset['value']).toBe('0');
  });

  it('is the newest of the prompt in view, and replaced in place by another', () => {
    showRun(windowRun);
    const kept = find('wall-time');
    lastRun.update(snapshotOf({}, { runs: [other(sampledRun), current(tightRun), current(windowRun, 'run-3')] }));
    expect(find('wall-time')).toBe(kept);
    expect(textOf('wall-time')).toBe(formatDuration(tightRun.run.wallMs));
    expect(textOf('run-construction')).toBe('tight');
  });

  it('says that there is none, and is gone where there is no prompt', () => {
    showRun(windowRun);
    lastRun.update(snapshotOf({}, { runs: [other(windowRun)] }));
    expect(textOf('last-run-empty')).toBe('This prompt has not been run with these options yet. Choose Simulate to run it.');
    expect([isShown('last-run-empty'), isShown('last-run')]).toEqual([true, false]);
    lastRun.update(emptySnapshot());
    expect(isShown(lastRun.element)).toBe(false);
  });

  it('is folded at first, and stays as it is', () => {
    showRun(windowRun);
    expect(lastRun.element.open).toBe(false);
    fold('section-last-run', true);
    lastRun.update(snapshotOf({}, { runs: [current(tightRun)] }));
    expect(lastRun.element.open).toBe(true);
  });
});

describe('the calls of a run', () => {
  it('are planned ones beside those that were made', () => {
    showRun(windowRun);
    const { plan, run } = windowRun;
    const both = (name: 'total' | 'attention' | 'tokenwise' | 'perLayer'): string[] => [
      formatCount(plan.calls[name]),
      formatCount(run.calls[name]),
    ];
    expect(tableOf('calls-measured')).toEqual([
      ['Calls', 'Planned', 'Measured'],
      ['All', ...both('total')],
      ['Attention', ...both('attention')],
      ['Token-wise', ...both('tokenwise')],
      ['Per layer', ...both('perLayer')],
      ['Native run() calls', '–', formatCount(run.calls.dispatches)],
    ]);
    expect(find('calls-measured').querySelector('.differs')).toBeNull();
  });

  it('stand out where they are not as planned, repeats aside', () => {
    const { run } = windowRun;
    const repeated = { ...run.calls, total: run.calls.total + 3, attention: run.calls.attention + 3, retries: 3 };
    showRun({ ...windowRun, run: { ...run, calls: repeated } });
    expect(find('calls-measured').querySelector('.differs')).toBeNull();
    expect(textOf('retries')).toBe('3');
    expect(tableOf('calls-measured').map(([name]) => name)).toContain(
      'Attention calls repeated because the reference score was too far off',
    );
    const wrong = { ...repeated, attention: repeated.attention + 1 };
    lastRun.update(snapshotOf({}, { runs: [current({ ...windowRun, run: { ...run, calls: wrong } })] }));
    const differing = [...find('calls-measured').querySelectorAll('.differs th')].map(({ textContent }) => textContent);
    expect(differing).toEqual(['Attention']);
  });
});

describe('fidelity and quality', () => {
  it('stand side by side, each saying what it is', () => {
    showRun(windowRun);
    const { fidelity, quality } = windowRun;
    expect(figuresOf(part('Fidelity'))).toEqual({
      'Max absolute error': formatError(fidelity?.maxAbsError ?? NaN),
      'Max relative error': formatError(fidelity?.maxRelError ?? NaN),
      'Log-normaliser error': formatError(fidelity?.logNormaliserError ?? NaN),
      'Rows checked': `${formatCount(fidelity?.rows ?? NaN)} rows a head and layer, against float64`,
      Reference: fidelity?.reference,
    });
    expect(figuresOf(part('Quality'))).toEqual({
      Perplexity: formatFigure(quality?.perplexity ?? NaN),
      'Bits per byte': '-',
      'Mean KL where touched, nats': '-',
      'Perplexity, full causal': formatFigure(quality?.baselinePerplexity ?? NaN),
      'Mean KL, nats': formatFigure(quality?.meanKl ?? NaN),
      'Same top token': formatShare(quality?.topAgreement ?? NaN),
      'Predictions scored': formatCount(quality?.positions ?? NaN),
    });
    expect([isShown('fidelity-none'), isShown('quality-note')]).toEqual([false, false]);
  });

  it('say why they are not there', () => {
    showRun(tightRun);
    expect([figuresOf(part('Fidelity')), figuresOf(part('Quality'))]).toEqual([{}, {}]);
    expect(textOf('fidelity-none')).toBe('This run was not verified.');
    expect(textOf('quality-note')).toBe(tightRun.qualityNote ?? 'Quality was not measured in this run.');
    lastRun.update(snapshotOf({}, { runs: [current({ ...tightRun, qualityNote: null })] }));
    expect(textOf('quality-note')).toBe('Quality was not measured in this run.');
  });

  it('say of a sample that the error is that of sampling', () => {
    showRun(sampledRun);
    const note = [...part('Fidelity').querySelectorAll('.note')].find(({ textContent }) => textContent.includes('error of sampling'));
    expect(note && isShown(note)).toBe(true);
    lastRun.update(snapshotOf({}, { runs: [current(windowRun)] }));
    expect(note && isShown(note)).toBe(false);
  });
});

describe('theorem 4.1 beside a run that sampled', () => {
  it('says what was promised and what was seen', () => {
    showRun(sampledRun);
    const { sampling } = sampledRun;
    if (sampling === null) {
      throw new Error('The recorded run has no sampling.');
    }
    const { heads, errors } = sampling;
    const logs = heads.map(({ logC }) => logC);
    const ds = heads.map(({ d }) => d);
    expect(figuresOf(find('run-sampling'))).toEqual({
      'C, over heads': `${formatLogFigure(Math.min(...logs))} – ${formatLogFigure(Math.max(...logs))}`,
      'D, over heads': `${formatFigure(Math.min(...ds))} – ${formatFigure(Math.max(...ds))}`,
      'Keys sampled, M': '32',
      'M needed': formatLogCount(sampling.logNeededLength),
      Epsilon: '0.5',
      'Failure probability': '0.1',
      'Seeds within epsilon': '0 of 2',
      'Error, smallest': formatError(errors.minimum),
      'Error, median': formatError(errors.median),
      'Error, 90th percentile': formatError(errors.ninetiethPercentile),
      'Error, largest': formatError(errors.maximum),
    });
    expect(textOf('run-sampling-data')).toBe(
      `60 tokens, 60 rows of ${heads.length} heads examined: tiny-docs-5m, this prompt. The assumption does not hold here for an error of 0.5.`,
    );
  });

  it('says so where the assumption holds, and one number where heads agree', () => {
    const { sampling } = sampledRun;
    const head = { layer: 0, head: 0, logC: 0.05, d: 0.5, logNeededLength: 9, holds: true };
    showRun({ ...sampledRun, sampling: sampling && { ...sampling, holds: true, heads: [head, head], logNeededLength: 9, within: 2 } });
    expect(textOf('run-sampling-data')).toContain('The assumption holds here for an error of 0.5.');
    expect(figuresOf(find('run-sampling'))).toMatchObject({
      'C, over heads': formatLogFigure(0.05),
      'D, over heads': '0.5',
      'Seeds within epsilon': '2 of 2',
    });
  });

  it('is not there for a run that did not sample', () => {
    showRun(windowRun);
    expect(isShown('run-sampling')).toBe(false);
  });
});

describe('quality past the trained length', () => {
  it('is beside that within it, in a table', () => {
    showRun(reportOf({ tokens: 100, trainedTokens: 40 }));
    expect(tableOf('quality-by-training')).toEqual([
      ['Tokens read', 'Perplexity', 'Perplexity, full causal', 'Mean KL, nats', 'Same top token'],
      ['up to 40, as trained', '11', '9.5', '0.03125', '95%'],
      ['past 40', '14', '10.5', '0.5', '75%'],
    ]);
  });

  it('is not there where the prompt is within it', () => {
    showRun(reportOf());
    expect(isShown('quality-by-training')).toBe(false);
    lastRun.update(snapshotOf({}, { runs: [current(reportOf({ meanKl: null }))] }));
    expect(isShown('quality-by-training')).toBe(false);
  });
});

describe('in German', () => {
  it('labels and notes are German, numbers as everywhere', () => {
    inGerman();
    showRun(sampledRun);
    const figures = figuresOf(find('last-run'));
    expect(Object.values(figures)).toContain(formatDuration(sampledRun.run.wallMs));
    expect(Object.keys(figures)).not.toContain('Wall time');
    expect(textOf('run-sampling-data')).toContain('60 Token');
  });
});
