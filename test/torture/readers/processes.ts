import { readPageMessage } from '../../../src/extension/panel/page-messages';
import { isRequest, isResponse } from '../../../src/engine/process/rpc';
import { mutatedJson, pick } from '../../support/mutate';
import type { Reader } from './reader';

/** Messages of the panel's page. What is none is passed over with a few words. */
export const pageMessages: Reader = {
  title: "messages of the panel's page",
  share: 15,
  open: () => {
    const originals = [
      { type: 'ready' },
      { type: 'choose', choice: { kind: 'sliding-window', parameters: { window: 64, mask: 'k <= q' }, blockSize: 256 } },
      { type: 'select-tile', queryBlock: 1, keyBlock: 0 },
      { type: 'read-tile', request: 3, queryBlock: 1, keyBlock: 0 },
      { type: 'save-picture', format: 'svg', data: [60, 62] },
    ];
    const words = ['choose', 'cancel', 'select-tile', 'read-tile', 'save-picture', 'custom', '__proto__', 'constructor', 'toString'];
    return Promise.resolve((next) => {
      const given = parsed(mutatedJson(pick(originals, next), next, words));
      const read = readPageMessage(given);
      if (typeof read !== 'string') {
        return 'read';
      }
      if (read === '' || read.includes('\n')) {
        throw new Error(`a refusal of ${read.split('\n').length} lines`);
      }
      return 'passed over';
    });
  },
};

/** Requests and responses of the engine process and of the planning thread, which speak alike. */
export const processMessages: Reader = {
  title: 'messages of the engine process and the planning thread',
  share: 15,
  open: () => {
    const originals = [
      { type: 'call', id: 1, method: 'plan', argument: { path: 'a.md', options: {} } },
      { type: 'call', id: 2, method: 'simulate', argument: { path: 'a.md' } },
      { type: 'cancel', id: 1 },
      { type: 'result', id: 1, result: { plan: null } },
      { type: 'run', id: 1, report: {} },
      { type: 'error', id: 2, error: { kind: 'input', message: 'no' } },
      { type: 'progress', id: 1, progress: { fraction: 0.5, phase: 'attend', message: '' } },
    ];
    const words = ['call', 'cancel', 'result', 'error', 'progress', 'kind', 'input', '__proto__', 'constructor'];
    return Promise.resolve((next) => {
      const given = parsed(mutatedJson(pick(originals, next), next, words));
      const [asked, answered] = [isRequest(given), isResponse(given)];
      return asked || answered ? 'read' : 'passed over';
    });
  },
};

/** What arrives: a value, since processes and pages send no text; text that is no JSON arrives as itself. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
