import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Schedule } from '../../../src/engine/tasks/calibrate/timing';

describe('the schedule of a calibration', () => {
  const clock = (): void => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
  };

  it('leaves out what would begin after its stage is to end, and counts it; time that is left goes to the next stage', () => {
    clock();
    const schedule = new Schedule(10_000);
    schedule.begin({ share: 0.2, steps: 2 });
    expect(schedule.allows()).toBe(true);
    vi.advanceTimersByTime(2500);
    expect(schedule.allows()).toBe(false);
    expect(schedule.leftOut).toBe(1);
    schedule.begin({ share: 1, steps: 4 });
    expect(schedule.allows()).toBe(true);
    vi.advanceTimersByTime(7500);
    expect([schedule.allows(), schedule.allows()]).toEqual([false, false]);
    expect(schedule.leftOut).toBe(3);
  });

  it('goes on evenly by the shares of its stages, and never back', () => {
    clock();
    const schedule = new Schedule(10_000);
    schedule.begin({ share: 0.5, steps: 2 });
    const shown = [schedule.step(), schedule.step(), schedule.step(), schedule.step()];
    schedule.begin({ share: 1, steps: 2 });
    expect([...shown, schedule.step(), schedule.step()]).toEqual([0, 0.25, 0.5, 0.5, 0.5, 0.75]);
  });
});
