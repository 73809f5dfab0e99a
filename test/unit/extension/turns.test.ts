import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/core/errors';
import { longestQueue, Turns } from '../../../src/extension/tasks/single-task';

/** Takes a turn and writes down when it begins. */
function asker(turns: Turns, order: string[]): (name: string) => { controller: AbortController; turn: Promise<void> } {
  return (name) => {
    const controller = new AbortController();
    return { controller, turn: turns.take(controller).then(() => void order.push(name)) };
  };
}

describe('turns', () => {
  it('come one after another, in the order in which they were asked for', async () => {
    const turns = new Turns();
    const order: string[] = [];
    const ask = asker(turns, order);
    const [first, second, third] = ['first', 'second', 'third'].map(ask);
    await first.turn;
    expect(order).toEqual(['first']);
    turns.end();
    // Nobody gets in between: the turn is given on before anything else can run.
    expect(turns.current).toBe(second.controller);
    await second.turn;
    turns.end();
    await third.turn;
    turns.end();
    expect(order).toEqual(['first', 'second', 'third']);
    expect(turns.current).toBeUndefined();
  });

  it('are left by those who are cancelled while they wait', async () => {
    const turns = new Turns();
    const order: string[] = [];
    const ask = asker(turns, order);
    await ask('first').turn;
    const second = ask('second');
    const third = ask('third');
    second.controller.abort();
    await expect(second.turn).rejects.toThrow(CancelledError);
    turns.end();
    await third.turn;
    expect(order).toEqual(['first', 'third']);
  });

  it('are refused to one too many, and to one who is cancelled already', async () => {
    const turns = new Turns();
    await turns.take(new AbortController());
    const waiting = Array.from({ length: longestQueue }, () => turns.take(new AbortController()));
    await expect(turns.take(new AbortController())).rejects.toThrow(
      `${longestQueue} runs are waiting already; ask again when one of them has ended.`,
    );
    const cancelled = new AbortController();
    cancelled.abort();
    await expect(turns.take(cancelled)).rejects.toThrow(CancelledError);
    turns.close();
    const outcomes = await Promise.allSettled(waiting);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(turns.current?.signal.aborted).toBe(true);
  });
});
