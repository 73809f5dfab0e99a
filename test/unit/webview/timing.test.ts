// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { debounce, throttle } from '../../../webview/ui/timing';

const act = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  act.mockClear();
});

describe('a call that is put off', () => {
  it('is made once, after the last request', () => {
    const { later } = debounce(act, 100);
    later();
    vi.advanceTimersByTime(99);
    later();
    vi.advanceTimersByTime(99);
    expect(act).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(act).toHaveBeenCalledOnce();
  });

  it('can be made now, in place of the one that waits', () => {
    const { later, now } = debounce(act, 100);
    later();
    now();
    vi.advanceTimersByTime(200);
    expect(act).toHaveBeenCalledOnce();
  });

  it('is made early only where one waits', () => {
    const { later, flush } = debounce(act, 100);
    flush();
    expect(act).not.toHaveBeenCalled();
    later();
    flush();
    flush();
    vi.advanceTimersByTime(200);
    expect(act).toHaveBeenCalledOnce();
  });
});

describe('a call that is made now and then', () => {
  it('is made at once, then at most every so often, and never loses the last request', () => {
    const ask = throttle(act, 100);
    ask();
    expect(act).toHaveBeenCalledTimes(1);
    ask();
    ask();
    vi.advanceTimersByTime(99);
    expect(act).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    expect(act).toHaveBeenCalledTimes(2);
    ask();
    vi.advanceTimersByTime(100);
    expect(act).toHaveBeenCalledTimes(3);
    vi.advanceTimersByTime(500);
    expect(act).toHaveBeenCalledTimes(3);
    ask();
    expect(act).toHaveBeenCalledTimes(4);
  });
});
