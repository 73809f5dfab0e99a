// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { pointTitle } from '../../../src/core/evaluate/rows';
import { promptEvaluation } from '../../../src/core/evaluate/experiment';
import type { LabHostMessage, LabPageMessage, LabSnapshot } from '../../../src/protocol/lab';
import { defaultOptions } from '../../../src/core/options/table';
import { Host } from '../../../webview/host';
import { Lab } from '../../../webview/lab/lab';
import { atlasBlock, atlasOf } from '../../support/atlases';
import { evaluationOf, narrow, pointOf, wide } from './evaluations';
import { chartOf, chooseRadio, find, frame, isShown, newPage, penOf, press, pressButton, tableOf, textOf } from './page';
import { overTheWire, planOf, windowRun } from './snapshots';

const tokens = 8 * atlasBlock;

/** A page of the lab, and what it asks of the host. */
function open(): { readonly lab: Lab; readonly posted: LabPageMessage[] } {
  const { theme, posted } = newPage();
  const root = document.createElement('main');
  document.body.append(root);
  const lab = new Lab(root, new Host(), theme);
  return { lab, posted: posted as unknown as LabPageMessage[] };
}

function snapshot(more: Partial<LabSnapshot> = {}): LabHostMessage {
  return {
    type: 'lab',
    snapshot: overTheWire({
      subject: 'prompt',
      document: 'prompt.md',
      error: null,
      plan: planOf(narrow),
      prediction: null,
      memory: null,
      roof: null,
      runs: [],
      current: null,
      activity: { state: 'idle' },
      ...more,
    }),
  };
}

const atlas = (): LabHostMessage => ({ type: 'atlas', atlas: overTheWire(atlasOf(tokens, (layer, head) => 1 / (1 + layer + head))) });

/** Drags over an element, from and to places of its width and height. */
function drag(id: string, from: readonly [number, number], to: readonly [number, number]): void {
  const fire = (type: string, [x, y]: readonly [number, number]): void => {
    find(id).dispatchEvent(new PointerEvent(type, { clientX: x, clientY: y, button: 0, buttons: 1, pointerId: 1, bubbles: true }));
  };
  fire('pointerdown', from);
  fire('pointermove', to);
  fire('pointerup', to);
  frame();
}

describe('the lab of a prompt', () => {
  it('sets its runs under the roof of the calibrated machine, where it is known', () => {
    const { provider, threads } = windowRun.run;
    const roof = { provider: provider as 'cpu', threads, peakFlops: 1e12, runMs: 0.01 };
    lab.apply(snapshot({ runs: [windowRun], roof }));
    frame();
    expect(chartOf('roofline-chart').data.datasets[1].data).toHaveLength(3);
    expect(textOf('roofline-note')).toMatch(
      /^The line is what the calibration allows: left of its corner the [\d.]+ µs .* 1\.00 TFLOP a second/,
    );
    expect(tableOf('roofline-table')[1][1]).toBe(String(windowRun.run.calls.dispatches));
    lab.apply(snapshot({ runs: [windowRun], roof: null }));
    expect(isShown('roofline-chart')).toBe(false);
  });

  let lab: Lab;
  let posted: LabPageMessage[];
  beforeEach(() => ({ lab, posted } = open()));

  it('heads with figures, and offers to measure where there is no atlas', () => {
    lab.apply(snapshot());
    expect(textOf('lab-document')).toBe('prompt.md');
    expect(textOf('lab-calls')).toMatch(/^[\d,]+ ≤ [\d,]+$/);
    expect(textOf('atlas-stale')).toMatch(/^Not measured yet/);
    expect(isShown('mass-map')).toBe(false);
    pressButton('lab-measure');
    expect(posted).toEqual([{ type: 'measure' }]);
    lab.apply(snapshot({ activity: { state: 'running', task: 'prompt', title: 'atlas', progress: null } }));
    frame();
    expect(find('lab-measure').hasAttribute('disabled')).toBe(true);
    expect(isShown('lab-cancel')).toBe(true);
    lab.apply({ type: 'progress', progress: { fraction: 0.5, phase: 'attend', message: 'layer 3' } });
    expect(textOf('lab-status')).toBe('layer 350%');
    lab.apply(snapshot({ activity: { state: 'failed', message: 'No such model.' } }));
    expect(textOf('lab-error')).toBe('No such model.');
  });

  it('draws the atlas, hatches what is cut off, and chooses heads by keys and clicks', () => {
    lab.apply(snapshot());
    lab.apply(atlas());
    frame();
    expect(find('mass-map').getAttribute('aria-label')).toMatch(/^Map of attention mass, all 12 heads\. By distance: own/);
    expect(textOf('mass-heading')).toMatch(/^all 12 heads: the mask cuts off \d+% of the mass$/);
    expect(penOf(find('mass-map')).of('drawImage').length).toBeGreaterThan(0);
    press(document.body, ']');
    expect(textOf('lab-selected')).toBe('Selected: all heads of layer 1');
    press(document.body, '.');
    expect(textOf('lab-selected')).toBe('Selected: layer 1, head 1');
    expect(textOf('mass-heading')).toBe('layer 1, head 1: the mask cuts off 0% of the mass');
    press(find('heads-near'), 'ArrowDown');
    press(find('heads-near'), 'ArrowRight');
    expect(textOf('lab-selected')).toBe('Selected: layer 2, head 2');
    press(document.body, 'a');
    expect(textOf('lab-selected')).toBe('Nothing selected');
    const [head, first, second] = tableOf('mass-table');
    expect(head).toEqual(['Tokens', 'Looks most at tokens', 'Mass there', 'Cut off']);
    expect(first).toEqual(['1–16', '1–16', '100%', '0%']);
    expect(second[1]).toMatch(/^(1–16|17–32)$/);
    expect(tableOf('heads-table')).toHaveLength(13);
    expect(isShown('shortcuts')).toBe(false);
    press(document.body, '?');
    expect(isShown('shortcuts')).toBe(true);
  });

  it('selects tokens in all pictures at once, marks them in the text, and shows what is selected there', () => {
    lab.apply(snapshot());
    lab.apply(atlas());
    frame();
    // From the middle of the strip, which begins at 52 of 400 pixels.
    const made = vi.spyOn(document, 'createElement');
    const isEnabled = (id: string): boolean => !find(id).hasAttribute('disabled');
    expect(isEnabled('lab-reveal') || isEnabled('lab-clear')).toBe(false);
    drag('token-strip', [52 + 174, 20], [399, 20]);
    expect(textOf('lab-selected')).toBe('Selected: tokens 65–128');
    expect(isEnabled('lab-reveal') && isEnabled('lab-clear')).toBe(true);
    frame();
    // The map's masses are not painted again, for which it would make its hatching.
    expect(made.mock.calls.filter(([name]) => name === 'canvas')).toEqual([]);
    made.mockRestore();
    expect(posted.at(-1)).toEqual({ type: 'brush', range: { from: 64, to: 128 } });
    expect(textOf('strip-reading')).toMatch(/^Tokens 65–128: mean loss 2 nats, 2\.7\d* under the mask; mean KL 0\.7\d*\.$/);
    expect(textOf('mass-reading')).toMatch(/^The queries of tokens 65–128 give the most, \d+%, to tokens /);
    expect(isShown('heads-selected')).toBe(true);
    pressButton('lab-reveal');
    expect(posted.at(-1)).toEqual({ type: 'reveal', range: { from: 64, to: 128 } });
    const said = posted.length;
    lab.apply({ type: 'selected', range: { from: 3, to: 9 } });
    expect(textOf('lab-selected')).toBe('Selected: tokens 4–9');
    // The editor knows what it said.
    expect(posted).toHaveLength(said);
    press(document.body, 'Escape');
    expect(posted.at(-1)).toEqual({ type: 'brush', range: null });
    press(find('token-strip'), 'ArrowRight');
    expect(textOf('lab-selected')).toBe('Selected: tokens 1–2');
    press(find('mass-map'), 'ArrowDown');
    press(find('mass-map'), 'ArrowDown');
    press(find('mass-map'), 'Enter');
    expect(textOf('lab-selected')).toBe('Selected: tokens 17–32');
  });

  it('says when an atlas is of another text, and draws the prompt’s runs on the front', () => {
    lab.apply(snapshot({ runs: [windowRun, { ...windowRun, scenario: { kind: 'causal' } }] }));
    lab.apply({ type: 'atlas', atlas: { ...atlasOf(tokens, () => 0.5), current: false } });
    expect(textOf('atlas-stale')).toMatch(/measure it again/);
    expect(tableOf('frontier-table')).toHaveLength(3);
  });

  it('leaves room for the bar of the selection above a part that it brings into view', () => {
    lab.apply(snapshot({ runs: [windowRun] }));
    lab.apply(atlas());
    vi.spyOn(find('selection-bar'), 'offsetHeight', 'get').mockReturnValue(40);
    lab.apply({ type: 'show', part: 'last-run' });
    expect(find('section-last-run').style.scrollMarginTop).toBe('40px');
  });
});

describe('the lab of an experiment', () => {
  it('draws quality against each cost, and times with their residuals', () => {
    const { lab } = open();
    const evaluation = evaluationOf(pointOf(narrow, 0.2), pointOf(wide, 0.1));
    lab.apply(snapshot({ subject: 'experiment', plan: null, document: 'a.two-heads.json' }));
    expect(textOf('lab-line')).toBe('Reading the experiment…');
    const points = evaluation.points.map(({ scenario, blockSize, cost }) => ({ scenario, blockSize, cost }));
    const experiment = promptEvaluation(
      'a.md',
      narrow.kind === 'sliding-window' ? { kind: 'sliding-window', window: 64 } : { kind: 'causal' },
      [],
      defaultOptions,
      null,
    );
    const outlook = { file: '/a.two-heads.json', experiment, model: 'small', points, units: 6, known: 2, predictedMs: null, budgets: null };
    lab.apply({ type: 'experiment', experiment: overTheWire({ outlook: { ...outlook, evaluation: null }, evaluation: null }) });
    frame();
    expect(textOf('lab-points')).toBe('2');
    expect(textOf('lab-quality')).toBe('–');
    expect(textOf('frontier-note')).toBe('No point has both a quality and this cost yet.');
    lab.apply({ type: 'experiment', experiment: overTheWire({ outlook: { ...outlook, evaluation }, evaluation }) });
    frame();
    expect(textOf('lab-quality')).toMatch(/^KL 0\.0/);
    expect(chartOf('frontier-chart').data.datasets[0].data).toHaveLength(2);
    expect(
      tableOf('frontier-table')
        .slice(1)
        .map((cells) => cells.at(-1)),
    ).toEqual(expect.arrayContaining(['yes']));
    chooseRadio('frontier-axis', 'time, predicted');
    expect(textOf('frontier-note')).toContain(`1 of 2 points have no such cost yet: ${pointTitle(points[1], evaluation.experiment)}.`);
    expect(tableOf('predicted-table')).toHaveLength(2);
    expect(chartOf('predicted-chart').data.datasets[1].data).toHaveLength(2);
    expect(isShown('lab-measure')).toBe(false);
    const blind = evaluationOf(pointOf(narrow, 0.2), pointOf({ ...wide, kind: 'full' }, null));
    lab.apply({ type: 'experiment', experiment: overTheWire({ outlook: { ...outlook, evaluation: blind }, evaluation: blind }) });
    chooseRadio('frontier-axis', 'calls of the small transformer');
    expect(textOf('frontier-note')).toMatch(
      /1 of 2 points have no mean KL, so they are not drawn: full.* \(A causal model has no quality under it\)\.$/,
    );
    expect(isShown('lab-text')).toBe(true);
  });
});

vi.setConfig({ testTimeout: 10_000 });
