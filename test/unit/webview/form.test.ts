// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { choiceDefinitions, makeScenario, textParameters } from '../../../src/core/scenario/scenario';
import { formatCount } from '../../../src/core/format';
import { maximumTokens } from '../../../src/core/plan/partition';
import { defaultOptions } from '../../../src/core/options/table';
import type { FormChoice, PanelSnapshot } from '../../../src/protocol/panel';
import { ScenarioForm } from '../../../webview/form/form';
import { choose, commit, find, inGerman, isShown, leave, newPage, put, readable, textOf, type, valueOf, type Page } from './page';
import { emptySnapshot, snapshotOf } from './snapshots';

const expressionText = textParameters.find(({ name }) => name === 'expression');

const largest = formatCount(maximumTokens);

/** Longer than typing has to rest before the host hears of it. */
const rest = 250;

let page: Page;
let form: ScenarioForm;

function showForm(snapshot: PanelSnapshot = snapshotOf({ kind: 'sliding-window', parameters: { window: 300 } })): void {
  form = put(new ScenarioForm(page.host));
  form.update(snapshot);
}

beforeEach(() => {
  page = newPage();
});

/** What the host was asked to choose. */
const choices = (): readonly FormChoice[] => page.posted.flatMap((message) => (message.type === 'choose' ? [message.choice] : []));

/** The parameters' fields that can be seen. */
const fieldsShown = (): readonly string[] =>
  ['param-window', 'param-sinks', 'param-seed', 'param-expression', 'block-size'].filter((id) => isShown(id));

/** What is wrong, as it is read out; undefined where nothing is. */
const complaint = (): string | undefined => (isShown('form-error') ? textOf('form-error') : undefined);

describe('the scenario form', () => {
  it('offers every scenario by name, and shows the host’s choice', () => {
    showForm();
    const options = [...find('scenario').querySelectorAll('[role="option"]')].map(readable);
    expect(options).toEqual(choiceDefinitions.map(({ title }) => title));
    expect((find('scenario') as HTMLSelectElement).value).toBe('sliding-window');
    expect(textOf('scenario-description')).toBe(choiceDefinitions.find(({ kind }) => kind === 'sliding-window')?.description);
    expect([valueOf('param-window'), valueOf('block-size')]).toEqual(['300', '64']);
    expect(page.posted).toEqual([]);
  });

  it('has a label on every field: an engineer who does not see it finds it too', () => {
    showForm();
    expect(form.element.getAttribute('aria-label')).toBe('Scenario and block size');
    const label = document.getElementById(find('scenario').getAttribute('aria-labelledby') ?? '');
    expect(label?.textContent).toBe('Scenario');
    expect(readable(find('param-window'))).toBe('Window r');
    expect(readable(find('block-size'))).toBe('Block size M');
    expect(find('block-size').title).toBe(
      `Tokens that one call of the small transformer reads. auto: the fastest on a calibrated device. 2 to ${largest}; default ${defaultOptions.blockSize}.`,
    );
  });

  it('asks only for what the chosen scenario takes', () => {
    showForm();
    const asked = (kind: FormChoice['kind']): readonly string[] => {
      form.update({ ...snapshotOf(), form: { kind, parameters: {}, blockSize: 64 } });
      return fieldsShown();
    };
    expect(asked('native')).toEqual(['block-size']);
    expect(asked('sliding-window')).toEqual(['param-window', 'block-size']);
    expect(asked('attention-sink')).toEqual(['param-window', 'param-sinks', 'block-size']);
    expect(asked('average-case')).toEqual(['param-seed', 'block-size']);
    expect(asked('custom')).toEqual(['param-expression', 'block-size']);
  });

  it('tells the host of another scenario at once, with the fields that it then shows', () => {
    showForm();
    choose('scenario', choiceDefinitions.find(({ kind }) => kind === 'attention-sink')?.title ?? '');
    expect(choices()).toHaveLength(1);
    expect(choices()[0]).toMatchObject({ kind: 'attention-sink', blockSize: 64, parameters: { window: 300, sinks: 4 } });
    expect(fieldsShown()).toEqual(['param-window', 'param-sinks', 'block-size']);
  });

  it('leads to every other option: they are settings', () => {
    showForm();
    find('options').click();
    expect(page.posted).toEqual([{ type: 'open-settings' }]);
  });

  it('is not there without a prompt', () => {
    showForm(emptySnapshot());
    expect(isShown(form.element)).toBe(false);
    form.update(snapshotOf());
    expect(isShown(form.element)).toBe(true);
  });
});

describe('typing a number', () => {
  it('tells the host once, when it rests', () => {
    showForm();
    type('param-window', '1');
    vi.advanceTimersByTime(rest / 2);
    type('param-window', '12');
    vi.advanceTimersByTime(rest / 2);
    expect(choices()).toEqual([]);
    vi.advanceTimersByTime(rest);
    expect(choices()).toHaveLength(1);
    expect(choices()[0]).toMatchObject({ kind: 'sliding-window', parameters: { window: 12 }, blockSize: 64 });
  });

  it('tells the host at Enter what it would have told later, once', () => {
    showForm();
    type('block-size', '1,024');
    commit('block-size');
    expect(choices()).toHaveLength(1);
    expect(choices()[0]).toMatchObject({ blockSize: 1024 });
    vi.advanceTimersByTime(rest);
    commit('block-size');
    expect(choices()).toHaveLength(1);
  });

  it('takes the word that leaves M to the machine, and shows it where the host has it', () => {
    showForm();
    type('block-size', 'auto');
    vi.advanceTimersByTime(rest);
    expect(complaint()).toBeUndefined();
    expect(choices()).toEqual([expect.objectContaining({ blockSize: 0 })]);
    leave('block-size');
    form.update({ ...snapshotOf(), form: { kind: 'causal', parameters: {}, blockSize: 128 } });
    expect(valueOf('block-size')).toBe('128');
    form.update({ ...snapshotOf(), form: { kind: 'causal', parameters: {}, blockSize: 0 } });
    expect(valueOf('block-size')).toBe('auto');
  });

  it('is not overwritten by a snapshot while the field has the focus, and is once it has not', () => {
    showForm();
    type('param-window', '12');
    form.update(snapshotOf({ kind: 'sliding-window', parameters: { window: 300 } }));
    expect(valueOf('param-window')).toBe('12');
    expect(document.activeElement).toBe(find('param-window'));
    leave('param-window');
    form.update(snapshotOf({ kind: 'sliding-window', parameters: { window: 77 } }));
    expect(valueOf('param-window')).toBe('77');
  });

  it.each(['', 'ten', '1.5', '12 k'])('says that %j is no whole number, marks the field, and tells the host nothing', (text) => {
    showForm();
    type('param-window', text);
    vi.advanceTimersByTime(rest);
    expect(complaint()).toBe('Window r must be 1 to 100,000,000.');
    expect(find('form-error').getAttribute('role')).toBe('alert');
    expect(find('param-window').getAttribute('aria-invalid')).toBe('true');
    expect(find('block-size').getAttribute('aria-invalid')).toBeNull();
    expect(choices()).toEqual([]);
    type('param-window', '12');
    expect(complaint()).toBeUndefined();
    expect(find('param-window').getAttribute('aria-invalid')).toBeNull();
  });

  it('puts back the last number where one leaves the field with something else in it', () => {
    showForm();
    type('param-window', 'ten');
    leave('param-window');
    expect(valueOf('param-window')).toBe('300');
    expect(find('param-window').getAttribute('aria-invalid')).toBeNull();
  });

  it('minds only the fields that can be seen', () => {
    showForm();
    type('param-window', 'ten');
    choose('scenario', choiceDefinitions.find(({ kind }) => kind === 'causal')?.title ?? '');
    expect(choices()).toHaveLength(1);
    expect(choices()[0].kind).toBe('causal');
  });
});

describe('what the host finds wrong', () => {
  it('stands below the fields, until it is right', () => {
    showForm(snapshotOf({}, { formError: 'A window of 300 is too wide.' }));
    expect(complaint()).toBe('A window of 300 is too wide.');
    form.update(snapshotOf());
    expect(complaint()).toBeUndefined();
  });

  it('gives way to what is wrong as it is typed', () => {
    showForm(snapshotOf({}, { formError: 'A block size of 1 is too small.' }));
    type('block-size', 'x');
    expect(complaint()).toBe(`Block size M must be 2 to ${largest}.`);
    type('block-size', '8');
    expect(complaint()).toBe('A block size of 1 is too small.');
  });
});

describe('a written mask', () => {
  const custom: PanelSnapshot = snapshotOf({ tokens: 200, kind: 'custom', parameters: { expression: 'k <= q' } });

  it('is shown as the host has it, with what may be written', () => {
    showForm(custom);
    expect(valueOf('param-expression')).toBe('k <= q');
    expect(readable(find('param-expression'))).toBe('Mask');
    expect(find('param-expression').title).toBe(expressionText?.description);
    form.update(snapshotOf());
    expect(valueOf('param-expression')).toBe(expressionText?.default);
  });

  it('is told to the host when typing rests', () => {
    showForm(custom);
    type('param-expression', ' k <= q and q - k < 9 ');
    vi.advanceTimersByTime(rest);
    expect(choices()).toHaveLength(1);
    expect(choices()[0]).toMatchObject({ kind: 'custom', parameters: { expression: 'k <= q and q - k < 9' } });
  });

  it('is checked at every key, in the words of the parser, without the host', () => {
    showForm(custom);
    type('param-expression', 'k <= ');
    let expected = '';
    try {
      makeScenario('custom', { expression: 'k <=' });
    } catch (error) {
      expected = (error as Error).message;
    }
    expect(expected).not.toBe('');
    expect(complaint()).toBe(expected);
    expect(find('param-expression').getAttribute('aria-invalid')).toBe('true');
    vi.advanceTimersByTime(rest);
    expect(choices()).toEqual([]);
    form.update(custom);
    expect(valueOf('param-expression')).toBe('k <= ');
    expect(complaint()).toBe(expected);
  });
});

describe('a cycle of layers', () => {
  it('is asked for where layers differ, and checked as it is typed', () => {
    showForm({ ...snapshotOf(), form: { kind: 'per-layer', parameters: { cycle: 'causal,full' }, blockSize: 64 } });
    expect([isShown('param-cycle'), isShown('param-expression'), valueOf('param-cycle')]).toEqual([true, false, 'causal,full']);
    type('param-cycle', 'causal,sliding');
    expect(complaint()).toContain('sliding');
    expect(find('param-cycle').getAttribute('aria-invalid')).toBe('true');
    type('param-cycle', 'causal,sliding-window:64');
    vi.advanceTimersByTime(rest);
    expect(complaint()).toBeUndefined();
    expect(choices()).toHaveLength(1);
    expect(choices()[0]).toMatchObject({ kind: 'per-layer', parameters: { cycle: 'causal,sliding-window:64' } });
  });
});

describe('the slider beside a number', () => {
  const slider = (id: string): HTMLInputElement => find(`${id}-slider`) as HTMLInputElement;

  function move(id: string, step: number): void {
    slider(id).value = String(step);
    slider(id).dispatchEvent(new Event('input', { bubbles: true }));
  }

  it('stands where the number is, on a scale of doublings, and is read out as the number', () => {
    showForm();
    expect(slider('block-size').getAttribute('aria-label')).toBe('Block size M');
    // From 16, two steps each doubling: 64 is two doublings on.
    expect([slider('block-size').value, slider('block-size').getAttribute('aria-valuetext')]).toEqual(['4', '64']);
    form.update(snapshotOf({ blockSize: 1024 }));
    expect([slider('block-size').value, slider('block-size').getAttribute('aria-valuetext')]).toEqual(['12', '1024']);
    expect(slider('param-window').getAttribute('aria-label')).toBe('Window r');
    expect(document.querySelector('[data-testid="param-seed-slider"]')).toBeNull();
  });

  it('writes its number into the field, and tells the host at once and then in short pauses, the last position for sure', () => {
    showForm();
    move('block-size', 5);
    expect(valueOf('block-size')).toBe('91');
    expect(slider('block-size').getAttribute('aria-valuetext')).toBe('91');
    expect(choices().map(({ blockSize }) => blockSize)).toEqual([91]);
    move('block-size', 6);
    move('block-size', 7);
    move('block-size', 8);
    expect(choices()).toHaveLength(1);
    vi.advanceTimersByTime(60);
    expect(choices().map(({ blockSize }) => blockSize)).toEqual([91, 256]);
    vi.advanceTimersByTime(500);
    expect(choices()).toHaveLength(2);
  });

  it('goes along with what is typed, as the host answers', () => {
    showForm();
    type('block-size', '128');
    vi.advanceTimersByTime(rest);
    form.update(snapshotOf({ blockSize: 128 }));
    expect(slider('block-size').value).toBe('6');
  });
});

describe('in German', () => {
  it('labels, descriptions and complaints are German', () => {
    inGerman();
    showForm();
    expect(readable(find('block-size'))).toBe('Blockgröße M');
    type('block-size', 'x');
    expect(complaint()).toBe(`„Blockgröße M“ muss zwischen 2 und ${largest} liegen.`);
  });
});
