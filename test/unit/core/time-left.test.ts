import { expect, it } from 'vitest';
import { withTimeLeft } from '../../../src/core/report/phases';

it('says how much time is left once a second is over, while a second is left', () => {
  const said: string[] = [];
  let now = 5000;
  const report = withTimeLeft(
    ({ message }) => said.push(message),
    () => now,
  );
  const at = (afterMs: number, fraction: number): void => {
    now += afterMs;
    report({ fraction, phase: 'attend', message: `${Math.round(100 * fraction)}%` });
  };
  // What a run begins with, such as results of an earlier one, took no time.
  at(0, 0.5);
  at(900, 0.55);
  at(1100, 0.6);
  at(0, 0.6);
  at(6000, 0.9);
  at(1500, 0.95);
  at(500, 1);
  expect(said).toEqual([
    '50%',
    '55%',
    '60%, about 8.00 s left',
    '60%, about 8.00 s left',
    '90%, about 2.00 s left',
    '95%, about 1.06 s left',
    '100%',
  ]);
});
