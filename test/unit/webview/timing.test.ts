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
    const call = debounce(act, 100);
    call.later();
    vi.advanceTimersByTime(99);
    call.later();
    vi.advanceTimersByTime(99);
    expect(act).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(act).toHaveBeenCalledOnce();
  });

  it('can be made now, in place of the one that waits', () => {
    const call = debounce(act, 100);
    call.later();
    call.now();
    vi.advanceTimersByTime(200);
    expect(act).toHaveBeenCalledOnce();
  });

  it('is made early only where one waits', () => {
    const call = debounce(act, 100);
    call.flush();
    expect(act).not.toHaveBeenCalled();
    call.later();
    call.flush();
    call.flush();
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
