// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Activity } from '../../../src/protocol/panel';
import type { Task } from '../../../src/protocol/panel';
import { section } from '../../../webview/ui/section';
import { OwnTask } from '../../../webview/ui/task';
import { find, inGerman, isShown, newPage, pressButton, put, textOf, type Page } from './page';

let page: Page;
let task: OwnTask;
let around: HTMLDetailsElement;

function showTask(): void {
  task = new OwnTask(page.host, 'ledger', 'own', 'Run the ledger', { type: 'run-ledger' });
  around = section(page.host, 'around', 'Around', ...task.elements);
  put({ element: around });
}

beforeEach(() => {
  page = newPage();
  showTask();
});

const idle: Activity = { state: 'idle' };
const runningAs = (task: Task, fraction?: number): Activity => ({
  state: 'running',
  task,
  title: task,
  progress: fraction === undefined ? null : { message: 'theorem 3.4', phase: 'attend', fraction },
});
const isEnabled = (id: string): boolean => !(find(id) as HTMLButtonElement).disabled;

describe('a task that a section runs by itself', () => {
  it('is asked for by its button', () => {
    task.update(idle, true, around);
    expect([textOf('own-run'), isShown('own-cancel'), isShown('own-status')]).toEqual(['Run the ledger', false, false]);
    pressButton('own-run');
    expect(page.posted).toEqual([{ type: 'run-ledger' }]);
  });

  it('cannot be asked for where it is not possible, or while anything runs', () => {
    task.update(idle, false, around);
    expect(isEnabled('own-run')).toBe(false);
    task.update(runningAs('prompt'), true, around);
    expect([isEnabled('own-run'), isShown('own-cancel'), task.running]).toEqual([false, false, false]);
    task.update({ state: 'failed', message: 'no' }, true, around);
    expect(isEnabled('own-run')).toBe(true);
  });

  it('shows how far it is, and can be cancelled', () => {
    task.update(runningAs('ledger'), true, around);
    expect(task.running).toBe(true);
    expect([textOf('own-progress-message'), textOf('own-progress-share')]).toEqual(['ledger', '']);
    task.showProgress({ message: 'theorem 3.5', phase: 'verify', fraction: 0.125 });
    expect([textOf('own-progress-message'), textOf('own-progress-share')]).toEqual(['theorem 3.5', '13%']);
    expect(find('own-progress').getAttribute('value')).toBe('0.125');
    pressButton('own-cancel');
    expect(page.posted).toEqual([{ type: 'cancel' }]);
  });

  it('hears no progress of others', () => {
    task.update(runningAs('evaluate'), true, around);
    task.showProgress({ message: 'window 3', phase: 'quality', fraction: 0.5 });
    expect(isShown('own-status')).toBe(false);
    expect(textOf('own-progress-message')).toBe('');
  });

  it('comes into view when it begins, and only then: the palette may have started it', () => {
    around.open = false;
    const scrolled = vi.spyOn(around, 'scrollIntoView');
    task.update(runningAs('ledger'), true, around);
    expect(around.open).toBe(true);
    expect(scrolled).toHaveBeenCalledOnce();
    around.open = false;
    task.update(runningAs('ledger', 0.5), true, around);
    expect(around.open).toBe(false);
    expect(scrolled).toHaveBeenCalledOnce();
  });

  it('hands the focus to its cancel and back', () => {
    task.update(idle, true, around);
    pressButton('own-run');
    task.update(runningAs('ledger'), true, around);
    expect(document.activeElement).toBe(find('own-cancel'));
    task.update(idle, true, around);
    expect(document.activeElement).toBe(find('own-run'));
  });

  it('has its cancel in German, and its progress under the title that the host gives', () => {
    page = newPage();
    inGerman();
    showTask();
    task.update(runningAs('evaluate'), true, around);
    expect(textOf('own-cancel')).toBe('Abbrechen');
    task.update(runningAs('ledger'), true, around);
    expect(textOf('own-progress-message')).toBe('ledger');
  });
});
