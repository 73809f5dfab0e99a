import { expect, it, vi } from 'vitest';
import type { Channel } from '../../../src/engine/process/channels';
import { RpcClient } from '../../../src/engine/process/client';
import type { CallContext, Request, Response } from '../../../src/engine/process/rpc';

interface Echo {
  echo(argument: { readonly text: string }, context: CallContext): Promise<string>;
}

/** A worker that answers at once, but for `stuck`, after which it answers nothing, as a process does whose thread never gives way. */
function startEcho(ended: () => void): Channel<Request<Echo>, Response<Echo>> {
  let isStuck = false;
  let answer: (response: Response<Echo>) => void = () => undefined;
  return {
    name: 'echo',
    send: (request) => {
      if (request.type === 'call') {
        isStuck ||= request.argument.text === 'stuck';
        const { id, argument } = request;
        if (!isStuck) {
          setTimeout(() => answer({ type: 'result', id, result: argument.text }), 0);
        }
      }
    },
    listen: ({ onMessage }) => (answer = onMessage),
    kill: ended,
  };
}

it('gives calls that were made after a cancel to another worker where the first had to be killed', async () => {
  const [ended, log] = [vi.fn(), vi.fn()];
  const start = vi.fn(() => startEcho(ended));
  const client = new RpcClient<Echo>({ name: 'echo', start, patienceMs: 50, sharesMemory: false }, log);
  const [first, last] = [new AbortController(), new AbortController()];
  const stuck = client.call('echo', { text: 'stuck' }, { signal: first.signal });
  const before = client.call('echo', { text: 'before' });
  first.abort();
  const after = client.call('echo', { text: 'after' });
  await expect(stuck).rejects.toThrow('cancelled');
  // What was there before may have done half of its work: the user decides.
  await expect(before).rejects.toThrow('The echo ended (killed); run again to start a new one.');
  expect(await after).toBe('after');
  expect([start.mock.calls.length, ended.mock.calls.length]).toEqual([2, 1]);
  // A call that moved is cancelled where it is now.
  const again = client.call('echo', { text: 'stuck' }, { signal: last.signal });
  last.abort();
  await expect(again).rejects.toThrow('cancelled');
  expect(ended).toHaveBeenCalledTimes(2);
});
