import { defaultOptions } from '../../../src/core/options/table';
import { makePlan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { predicateOf } from '../../../src/core/scenario/expression/evaluate';
import { parseMask } from '../../../src/core/scenario/expression/parse';
import { parseCycle, scenarioText } from '../../../src/core/scenario/parse';
import { maskOf } from '../../../src/core/scenario/scenario';
import { mutatedText, type Next, pick } from '../../support/mutate';
import { smallModel } from '../../support/shapes';
import type { Reader } from './reader';

const originals = [
  'k <= q',
  'k <= q and (q - k < 7 or k % 5 == 0)',
  'q // 9 == k // 9',
  'abs(q - k) % 4 == 0',
  'k == q or (q * k) % 7 == 3',
  'k <= q and (k < 3 or q - k < 12)',
  'max(q, k) < n // 2 or abs(q - k) <= 2',
  'k <= q and (doc(q) == doc(k) or sec(k) < msg(q - 1))',
  'not (k > q) and 0 <= q - k < n // 3 or min(k, 5) == k',
];
const words = [
  ...[
    ' and ',
    ' or ',
    'not ',
    '&&',
    '||',
    '!',
    ' // ',
    ' % ',
    ' * ',
    ' - ',
    '==',
    '!=',
    '<=',
    '<',
    '(',
    ')',
    'abs(',
    'min(',
    'max(',
    'doc(',
    'msg(',
    ',',
  ],
  ...['q', 'k', 'n', '0', '1', '9007199254740993', '*1000000000', '1e9', 'x', '%0', '//0', '-1', '((((', '＝', 'q*q*q*q', ':', ' custom:'],
];

/**
 * Masks by expression. What is read sees the pairs for which the expression holds, one by one, at a few tokens; some are planned
 * at a prompt's length.
 */
export const masks: Reader = {
  title: 'mask expressions',
  share: 60,
  open: () =>
    Promise.resolve((next) => {
      const expression = next(3) === 0 ? mutatedText(pick(originals, next), next, words) : withOtherWords(pick(originals, next), next);
      const tokens = 1 + next(24);
      const node = parseMask(expression);
      const allows = predicateOf(node, tokens);
      const mask = maskOf({ kind: 'custom', expression }, tokens);
      let pairs = 0;
      for (let query = 0; query < tokens; query += 1) {
        for (let key = 0; key < tokens; key += 1) {
          pairs += allows(query, key) ? 1 : 0;
        }
      }
      if (mask.visiblePairs() !== pairs) {
        throw new Error(`"${expression}" has ${pairs} pairs of ${tokens} tokens one by one, and ${mask.visiblePairs()} by its mask.`);
      }
      if (next(50) === 0) {
        makePlan(planRequest(8192, smallModel, { ...defaultOptions, scenario: { kind: 'custom', expression } }));
        return 'planned';
      }
      return 'read';
    }),
};

/** An expression in which one to three of its words are others, most of them of its grammar. */
function withOtherWords(original: string, next: Next): string {
  const tokens = original.match(/\w+|[^\w\s]+/g) ?? [];
  for (let changes = 1 + next(3); changes > 0; changes -= 1) {
    const at = next(tokens.length);
    const ofAKind = (pick(originals, next).match(/\w+|[^\w\s]+/g) ?? []).filter((token) => /\w/.test(token) === /\w/.test(tokens[at]));
    tokens[at] = next(8) === 0 || ofAKind.length === 0 ? pick(words, next) : pick(ofAKind, next);
  }
  return tokens.join(' ');
}

const cycles = [
  'causal',
  'sliding-window:512',
  'attention-sink:512:4',
  'causal,sliding-window:64',
  'custom:k <= min(q, 64),full',
  'average-case:7',
];

/** Scenarios as text: what is read is written and read back. */
export const scenarios: Reader = {
  title: 'scenarios as text',
  share: 30,
  open: () =>
    Promise.resolve((next) => {
      const text = mutatedText(pick(cycles, next), next, [...words, ...cycles, 'native', 'local-window']);
      const scenario = parseCycle(text);
      const parts = scenario.kind === 'per-layer' ? scenario.cycle : [scenario];
      const again = parseCycle(parts.map(scenarioText).join(','));
      if (JSON.stringify(again) !== JSON.stringify(scenario)) {
        throw new Error(`"${text}" is read as ${JSON.stringify(scenario)}, and what is written of that as ${JSON.stringify(again)}.`);
      }
      if (parts.length <= 3 && parts.every(({ kind }) => kind !== 'custom')) {
        makePlan(planRequest(1 + next(3000), smallModel, { ...defaultOptions, scenario, blockSize: 2 + next(300) }));
      }
      return 'read';
    }),
};
