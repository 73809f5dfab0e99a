// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatEstimate, formatFlops } from '../../../src/core/format';
import { planHeadline } from '../../../src/core/hints/hints';
import { cacheDetail, cacheOf } from '../../../src/core/plan/cache';
import { type MemoryEstimate, memoryDetail } from '../../../src/core/predict/memory';
import { parameterCount } from '../../../src/core/shapes';
import type { PanelSnapshot } from '../../../src/protocol/panel';
import { Headline } from '../../../webview/sections/headline';
import { PlanFigures } from '../../../webview/sections/plan';
import { figuresOf, find, inGerman, isShown, newPage, pressButton, put, textOf, type Page } from './page';
import { emptySnapshot, planOf, snapshotOf } from './snapshots';

let page: Page;
beforeEach(() => {
  page = newPage();
});

/** The head of the page for a snapshot. */
function shown(snapshot: PanelSnapshot): Headline {
  const headline = put(new Headline(page.host));
  headline.update(snapshot);
  return headline;
}

/** The section of the plan for a snapshot. */
function planned(snapshot: PanelSnapshot): PlanFigures {
  const figures = put(new PlanFigures(page.host));
  figures.update(snapshot);
  return figures;
}

describe('the head of the panel', () => {
  it('names the prompt and says what its plan costs, in the lens’s words', () => {
    shown(snapshotOf({ kind: 'sliding-window', parameters: { window: 100 } }));
    expect(textOf('document')).toBe('docs/prompt.md');
    expect(find('document').tagName).toBe('H1');
    expect(textOf('headline')).toBe(planHeadline(planOf({ kind: 'sliding-window', parameters: { window: 100 } })));
  });

  it('says in a line what a reader must know, which leads to the plan in the lab', () => {
    const headline = shown(snapshotOf({ tokens: 50, blockSize: 64 }));
    const { notes } = planOf({ tokens: 50, blockSize: 64 });
    expect([textOf('glance-notes'), find('glance-notes').title]).toEqual([notes.join(' '), notes.join('\n')]);
    pressButton('glance-notes');
    expect(page.posted).toEqual([{ type: 'open-lab', part: 'plan' }]);
    headline.update(snapshotOf());
    expect(isShown('glance-notes')).toBe(false);
  });
});

describe('the section of the plan', () => {
  it('has every figure, with the bound', () => {
    const snapshot = snapshotOf({ kind: 'sliding-window', parameters: { window: 100 } });
    const { element } = planned(snapshot);
    const plan = planOf({ kind: 'sliding-window', parameters: { window: 100 } });
    // A later query sees 100 keys: keys and values of each key-value head of each layer.
    const { layers, keyValueHeads, headWidth } = plan.model;
    const memory = snapshot.memory as MemoryEstimate;
    const kept = 100 * layers * keyValueHeads * 2 * headWidth;
    expect(figuresOf(element)).toEqual({
      Calls: formatCount(plan.calls.total),
      'Attention calls': formatCount(plan.calls.attention),
      'Token-wise calls': formatCount(plan.calls.tokenwise),
      Bound: formatCount(plan.bound.calls),
      Work: formatFlops(plan.flops),
      Tensors: formatBytes(plan.bytes),
      Weights: `4.00 KiB as stored, ${formatBytes(4 * parameterCount(plan.model))} in a run`,
      'Key-value cache': `${formatBytes(2 * kept)} ${cacheDetail({ kinds: [], bytes: { f32: 4 * kept, f16: 2 * kept, bf16: 2 * kept, int8: kept } })}`,
      'Time, expected': formatEstimate(snapshot.prediction?.wallMs ?? NaN, snapshot.prediction?.interval),
      'Memory, expected': `${formatBytes(memory.peak)} = ${memoryDetail(memory)}`,
    });
    expect(find('calls-total').dataset['value']).toBe(String(plan.calls.total));
    expect(find('cache').dataset['value']).toBe(String(2 * kept));
    expect(find('bound-calls').title).toBe(`${plan.bound.theorem}: ${plan.bound.formula}`);
    expect(textOf('bound')).toBe(`Bound on attention calls, ${plan.bound.theorem}: ${plan.bound.formula}`);
  });

  it('shows no cache where the mask looks ahead, and no weights of a model without files', () => {
    const { element } = planned(snapshotOf({ kind: 'full' }, { storedBytes: null, cache: cacheOf(planOf({ kind: 'full' })) }));
    expect(figuresOf(element)).not.toHaveProperty('Key-value cache');
    expect(figuresOf(element)).not.toHaveProperty('Weights');
  });

  it('says how the small transformer is called where it is not the usual way, and expects no time of it', () => {
    const { element } = planned(snapshotOf({ construction: 'tight' }));
    expect(figuresOf(element)).toMatchObject({ Construction: 'tight' });
    expect(Object.keys(figuresOf(element))).not.toContain('Time, expected');
  });

  it('lists what a reader must know of the plan, and keeps the list while it is the same', () => {
    const snapshot = snapshotOf({ tokens: 50, blockSize: 64 });
    const figures = planned(snapshot);
    const notes = [...find('notes').children];
    expect(notes.map(({ textContent }) => textContent)).toEqual(planOf({ tokens: 50, blockSize: 64 }).notes);
    expect(notes).not.toEqual([]);
    figures.update(snapshot);
    expect(find('notes').children[0]).toBe(notes[0]);
    figures.update(snapshotOf());
    expect(isShown('notes')).toBe(false);
  });
});

describe('without a plan', () => {
  it.each([
    [emptySnapshot(), 'No prompt in front', 'Open a prompt, or choose Treat as Prompt in another text, to see what it costs.'],
    [emptySnapshot({ document: 'a.md' }), 'a.md', 'Planning…'],
    [emptySnapshot({ document: 'a.md', formError: 'M is wrong.' }), 'a.md', 'Fix the scenario to see a plan.'],
  ])('the head says why: %#', (snapshot, document, headline) => {
    shown(snapshot);
    expect([textOf('document'), textOf('headline')]).toEqual([document, headline]);
  });
});

describe('in German', () => {
  it('the head is German, with the numbers as they are', () => {
    inGerman();
    shown(snapshotOf());
    const { element } = planned(snapshotOf());
    expect(figuresOf(element)).toMatchObject({ Aufrufe: formatCount(planOf().calls.total) });
    expect(textOf('headline')).toBe(planHeadline(planOf()));
    expect(textOf('headline')).toContain('Token');
  });
});
