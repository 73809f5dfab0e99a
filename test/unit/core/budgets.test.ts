import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BudgetCheck, checkBudgets } from '../../../src/core/evaluate/budget-checks';
import { needsRun } from '../../../src/core/evaluate/budgets';
import { brokenText, budgetFigures, githubAnnotations, junitXml } from '../../../src/core/evaluate/check-report';
import type { ExperimentReport } from '../../../src/core/evaluate/report';
import { makeScenario } from '../../../src/core/scenario/scenario';
import { smallModel } from '../../support/shapes';

const estimate = (value: number): object => ({ value, error: 0, low: value, high: value });

/** A report of one prompt at one point. */
function reportWith({ kl = 0.1, touched = 0.2 as number | null, ratio = 1.05, calls = 100, perplexity = 20 }): ExperimentReport {
  const quality = {
    divergence: { mean: estimate(kl) },
    targets: { perplexity: estimate(perplexity), baselinePerplexity: estimate(20), perplexityRatio: estimate(ratio) },
    touched: touched === null ? null : { divergence: estimate(touched) },
    touchedNote: touched === null ? "The mask hides no key that the model's own attention shows at a scored position." : null,
  };
  const cost = { tokens: 50, calls: { total: calls }, bytes: 1024 ** 2, peakBytes: 3 * 1024 ** 2, predictedMs: null };
  const point = { scenario: makeScenario('causal'), blockSize: 16, prompts: [{ path: 'a.md', cost, quality }], verdict: { kind: 'exact' } };
  return {
    experiment: { score: 'all' },
    points: [point],
    model: { shape: { ...smallModel, trainedTokens: 64 } },
  } as unknown as ExperimentReport;
}

const keptBy = (
  report: ExperimentReport,
  ...given: Parameters<typeof checkBudgets> extends [unknown, ...infer Rest] ? Rest : never
): boolean[] => checkBudgets(report, ...given).map(({ kept }) => kept);

describe('budgets', () => {
  it('hold tokens, memory, the ratio of perplexities and touched positions', () => {
    const checks = checkBudgets(reportWith({}), { tokens: 50, memoryMiB: 2.9, perplexityRatio: 1.04, klTouched: 0.2, kl: 0.2 });
    expect(checks.map(({ budget, value, kept }) => [budget, value, kept])).toEqual([
      ['tokens', 50, true],
      ['memoryMiB', 3, false],
      ['perplexityRatio', 1.05, false],
      ['kl', 0.1, true],
      ['klTouched', 0.2, true],
    ]);
    expect(keptBy(reportWith({ ratio: 0, perplexity: Infinity }), { perplexityRatio: 2 })).toEqual([false]);
    expect(checkBudgets(reportWith({ touched: null }), { klTouched: 0.01 })[0]).toMatchObject({ value: 0, kept: true });
  });

  it('let a value be over by its tolerance and no more', () => {
    expect(keptBy(reportWith({ calls: 105 }), { calls: 100 }, '5%')).toEqual([true]);
    expect(keptBy(reportWith({ calls: 106 }), { calls: 100 }, '5%')).toEqual([false]);
    expect(keptBy(reportWith({ calls: 101 }), { calls: 100 }, '0%')).toEqual([false]);
    // One of its own goes before that of all.
    expect(keptBy(reportWith({ calls: 105, kl: 0.105 }), { calls: { limit: 100, tolerance: '1%' }, kl: 0.1 }, '10%')).toEqual([
      false,
      true,
    ]);
    // One without its own has that of all, however it is written.
    expect(keptBy(reportWith({ kl: 0.105 }), { kl: { limit: 0.1 } }, '10%')).toEqual([true]);
    expect(() => checkBudgets(reportWith({}), { calls: 1 }, '5')).toThrow(/"5" is not possible/);
    // Whatever the decimal fractions: a value that is the limit times (1 + p) is within it, the next thousandth is not.
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: 1, max: 100 }), (thousandths, percent) => {
        const limit = thousandths / 1000;
        const edge = (thousandths * (100 + percent)) / 100_000;
        expect(keptBy(reportWith({ kl: edge }), { kl: limit }, `${percent}%`)).toEqual([true]);
        expect(keptBy(reportWith({ kl: edge + 1e-9 }), { kl: limit }, `${percent}%`)).toEqual([false]);
      }),
    );
  });

  it('show a limit that agrees with the verdict', () => {
    const [tokens] = checkBudgets(reportWith({ calls: 440 }), { calls: 431 }, '2%');
    expect([tokens.kept, ...budgetFigures(tokens, tokens.allowed)]).toEqual([false, '440', '439']);
    expect(brokenText(tokens)).toContain('has calls 440, over 431 (439 with its tolerance)');
    const [kl] = checkBudgets(reportWith({ kl: 0.1000001 }), { kl: 0.1 });
    expect([kl.kept, ...budgetFigures(kl, kl.allowed)]).toEqual([false, '0.1000001', '0.1']);
  });

  it('are broken by what is not known and by what is no finite number', () => {
    for (const kl of [NaN, Infinity, null, 'Infinity'] as number[]) {
      expect(checkBudgets(reportWith({ kl }), { kl: 1e15 }, '100%')[0]).toMatchObject({ value: null, kept: false });
    }
    expect(keptBy(reportWith({}), { predictedMs: 1e15 })).toEqual([false]);
  });

  it('need a run only where quality decides', () => {
    expect([needsRun({ calls: 1, tokens: 1, memoryMiB: 1 }), needsRun({ klTouched: 1 }), needsRun({})]).toEqual([false, true, false]);
  });
});

const nasty = `a<b>&"c"'d'\n\u0001\ud800%,:é`;
const checkOf = (prompt: string, kept: boolean): BudgetCheck => ({
  prompt,
  scenario: 'custom(k <= q and "q" > 0)',
  blockSize: 16,
  budget: 'kl',
  limit: 0.1,
  allowed: 0.105,
  value: 0.25,
  kept,
});

/** The elements and attributes of XML, each once closed; throws where it is not well-formed. */
function parseXml(text: string): { readonly name: string; readonly attributes: Readonly<Record<string, string>> }[] {
  const found: { name: string; attributes: Record<string, string> }[] = [];
  const open: string[] = [];
  const rest = text
    .replace(/^<\?xml [^?]*\?>\n/, '')
    .replace(/<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>/g, (_, end: string, name: string, pairs: string, own: string) => {
      if (end === '/') {
        expect(open.pop()).toBe(name);
        return '';
      }
      const attributes = [...pairs.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, key, value]) => {
        expect(value).toMatch(/^(?:[^&<]|&#\d+;)*$/);
        return [key, value.replace(/&#(\d+);/g, (__, code: string) => String.fromCharCode(Number(code)))] as const;
      });
      found.push({ name, attributes: Object.fromEntries(attributes) });
      if (own === '') {
        open.push(name);
      }
      return '';
    });
  expect([rest.trim(), open]).toEqual(['', []]);
  return found;
}

describe('JUnit XML', () => {
  it('is well-formed with every text escaped, and counts tests and failures', () => {
    const elements = parseXml(junitXml('all', [checkOf(nasty, false), checkOf(nasty, true), checkOf('b.md', true)]));
    expect(elements.map(({ name }) => name)).toEqual([
      'testsuites',
      'testsuite',
      'testcase',
      'failure',
      'testcase',
      'testsuite',
      'testcase',
    ]);
    const [whole, suite, , failure] = elements.map(({ attributes }) => attributes);
    expect(whole).toEqual({ name: 'all', tests: '3', failures: '1', errors: '0' });
    expect(suite).toEqual({ name: nasty.replace('\u0001', '\ufffd').replace('\ud800', '\ufffd'), tests: '2', failures: '1', errors: '0' });
    const [, , ofChat] = parseXml(junitXml('all', [checkOf('chats/x.jsonl:12', true)]));
    expect(ofChat.attributes).toMatchObject({ file: 'chats/x.jsonl', line: '12' });
    expect(failure.message).toContain('has mean KL 0.25, over 0.1 (0.105 with its tolerance)');
  });
});

describe('annotations', () => {
  it('are one line each, escaped as GitHub reads them, on the file and its line', () => {
    const [first, second] = githubAnnotations([checkOf(nasty, false), checkOf('chats/x.jsonl:12', false), checkOf('c.md', true)]);
    expect(first).toMatch(/^::error file=a<b>&"c"'d'%0A.+%25%2C%3Aé,title=Budget%3A mean KL::a<b>&"c"'d'%0A.+%25,:é under [^\n\r]*$/);
    expect(second).toMatch(/^::error file=chats\/x\.jsonl,line=12,title=/);
    expect(githubAnnotations([checkOf('c.md', true)])).toEqual([]);
    expect(githubAnnotations([checkOf('a\u001b[2J\n::error::b.md', false)])[0]).toMatch(
      /^::error file=a\\u\{1b\}\[2J%0A%3A%3Aerror%3A%3Ab\.md,\P{Cc}*$/u,
    );
  });

  it('are ten at most, the last of which sums up the others', () => {
    const lines = githubAnnotations(Array.from({ length: 14 }, (_, index) => checkOf(`${index}.md`, false)));
    expect(lines).toHaveLength(10);
    expect(lines[9]).toBe('::error title=Budgets::5 more budgets are broken.');
  });
});
