import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkedRows } from '../../../src/core/report/checked-rows';
import { spelledOut, toJson } from '../../../src/core/report/json';
import type { Fidelity } from '../../../src/core/report/report';
import type { SamplingReport } from '../../../src/core/report/sampling';
import { statisticalErrors } from '../../../src/core/report/sampling';
import {
  agreeingKl,
  type Evidence,
  failOn,
  judge,
  runVerdict,
  type Verdict,
  type VerdictKind,
  worstVerdict,
} from '../../../src/core/report/verdict';
import { withMarkedNumbers, withNumbers } from '../../../src/protocol/numbers';

const fidelity = {
  maxAbsError: 1e-6,
  maxRelError: 1e-6,
  logNormaliserError: 1e-6,
  rounding: { error: 1e-6, bound: 1e-5, largestBound: 1e-4 },
};
const evidence: Evidence = {
  fidelity,
  sampling: null,
  quality: null,
  scenario: { kind: 'causal' },
  construction: 'fused',
  native: true,
  precision: 'float32',
};
const whole: Fidelity = { ...fidelity, reference: 'float64', rows: 4, seed: 1, wrongRows: [], probe: null };
const kindOf = (part: Partial<Evidence>): VerdictKind => runVerdict({ ...evidence, ...part }).kind;
const rounded = (error: number, bound: number, largestBound = bound): Partial<Evidence> => ({
  fidelity: { ...fidelity, rounding: { error, bound, largestBound } },
});

describe('a verdict', () => {
  it('is exact up to the bound, failed above it, and vacuous where a bound promises nothing', () => {
    expect(kindOf(rounded(1e-5, 1e-5))).toBe('exact');
    expect(kindOf(rounded(1.001e-5, 1e-5))).toBe('failed');
    expect(kindOf(rounded(1e-5, 1e-5, 1))).toBe('vacuous');
    expect(kindOf(rounded(2.8, 1e-5, 4))).toBe('failed');
    expect(kindOf({ ...rounded(1e-3, 1e-2), construction: 'paper' })).toBe('within');
    expect(kindOf({ ...rounded(1e-3, 1e-2), construction: 'tight' })).toBe('exact');
  });

  it('never passes what is not finite, whatever the bound', () => {
    fc.assert(
      fc.property(fc.constantFrom(NaN, Infinity), fc.double({ min: 0 }), (error, bound) => judge(error, bound, 'exact') === 'failed'),
    );
    for (const error of [NaN, Infinity]) {
      for (const name of ['maxAbsError', 'maxRelError', 'logNormaliserError'] as const) {
        expect(kindOf({ fidelity: { ...fidelity, [name]: error, rounding: { error: 1, bound: Infinity, largestBound: Infinity } } })).toBe(
          'failed',
        );
      }
    }
    expect(kindOf({ fidelity: null, quality: { perplexity: NaN } })).toBe('failed');
    expect(judge(0, NaN, 'exact')).toBe('failed');
  });

  it('names what was not verified, what has no bound, and rows that the probe finds', () => {
    expect(runVerdict({ ...evidence, fidelity: null })).toMatchObject({ kind: 'vacuous', bound: null, measured: null });
    expect(kindOf({ fidelity: { ...fidelity, rounding: undefined } })).toBe('vacuous');
    const probe = { maxRelError: 0.5, wrongRows: [{ from: 1024, to: 1152 }] };
    const found = runVerdict({ ...evidence, fidelity: { ...fidelity, probe } });
    expect([found.kind, found.measured]).toEqual(['failed', 0.5]);
    expect(found.reason).toContain('1,025 to 1,152');
    expect(checkedRows({ ...whole, probe: { ...probe, rows: 2000, maxAbsError: 0.5, logNormaliserError: 0 } }, 2000)).toContain(
      'the probe finds wrong rows: 1,025 to 1,152',
    );
    expect(kindOf({ fidelity: { ...fidelity, probe: { maxRelError: 0, wrongRows: [] } } })).toBe('exact');
  });

  it('counts a row that is wrong from 1, in its reason as in the line of rows that were checked', () => {
    const wrongRows = [{ layer: 0, head: 2, row: 0 }];
    const said = '1 of head 3 in layer 1';
    expect(runVerdict({ ...evidence, fidelity: { ...fidelity, wrongRows } }).reason).toContain(`Row ${said} is off`);
    expect(checkedRows({ ...whole, wrongRows }, 2000)).toContain(`float64 finds wrong rows: ${said}`);
    const tokenwise = { layers: 1, maxRelError: 1, bound: 1e-3, wrongRows: [{ layer: 0, row: 9 }] };
    expect(runVerdict({ ...evidence, fidelity: { ...fidelity, tokenwise } }).reason).toMatch(/^Row 10 of layer 1, /);
    expect(runVerdict({ ...evidence, fidelity: { ...fidelity, wrongHalos: [{ layer: 1, row: 9 }] } }).reason).toContain(
      'row 10 of layer 2',
    );
    const prediction = { position: 9, error: 1, bound: 1e-8, largestBound: 1e-8 };
    expect(runVerdict({ ...evidence, fidelity: { ...fidelity, prediction } }).reason).toContain('at position 10 is off');
  });

  it('compares the model’s own attention with a dense baseline, and with nothing where it is its own', () => {
    const dense = (meanKl: number): Evidence['quality'] => ({ perplexity: 10, meanKl, baselineBy: 'dense' });
    expect(kindOf({ quality: dense(1e-9) })).toBe('exact');
    expect(kindOf({ quality: dense(2 * agreeingKl) })).toBe('failed');
    expect(kindOf({ quality: dense(1e-9), fidelity: null })).toBe('within');
    // A mask may differ from the model's own attention as it likes.
    expect(kindOf({ quality: dense(1), native: false })).toBe('exact');
    expect(kindOf({ quality: { perplexity: 10, meanKl: 0, baselineBy: 'own' }, fidelity: null })).toBe('vacuous');
  });

  it('fails where the residual stream overflowed', () => {
    expect(kindOf({ fidelity: { ...fidelity, lostRows: 0 } })).toBe('exact');
    expect(kindOf({ fidelity: { ...fidelity, lostRows: 1 } })).toBe('failed');
    expect(kindOf({ fidelity: null, quality: null, lostRows: 1 })).toBe('failed');
  });

  it('promises nothing where logits are so large that losses may be off by anything', () => {
    const off = (largestBound: number): VerdictKind =>
      kindOf({ fidelity: { ...fidelity, prediction: { position: 1, error: 1e-9, bound: 1e-8, largestBound } } });
    expect([off(0.1), off(25)]).toEqual(['exact', 'vacuous']);
  });

  it('ends a command where it failed, and of several takes the worst', () => {
    const of = (kind: VerdictKind): Verdict => ({ kind, bound: 1, measured: 0, reason: kind });
    expect(worstVerdict((['exact', 'within'] as const).map(of)).kind).toBe('within');
    expect(worstVerdict((['exact', 'failed', 'vacuous'] as const).map(of)).kind).toBe('failed');
    expect(() => failOn(of('failed'), 'The run under causal')).toThrow('The run under causal failed: failed');
    expect(() => failOn(of('vacuous'))).not.toThrow();
  });
});

describe('the verdict on a sample', () => {
  const sampling: SamplingReport = {
    data: 'synthetic',
    tokens: 1000,
    sample: 100,
    epsilon: 0.5,
    failureProbability: 0.1,
    rows: 10,
    heads: [],
    holds: false,
    logNeededLength: 600,
    seeds: 10,
    errors: { minimum: 0.01, median: 0.02, ninetiethPercentile: 0.03, maximum: 0.04 },
    within: 10,
    statisticalError: 0.05,
  };
  const of = (part: Partial<SamplingReport> | null): Verdict =>
    runVerdict({ ...evidence, scenario: { kind: 'average-case', seed: 1 }, sampling: part && { ...sampling, ...part } });

  it('goes by statistics where the theorem promises nothing, and by the theorem where that promises more', () => {
    expect(of({})).toMatchObject({ kind: 'within', bound: 0.05, measured: 0.04 });
    expect(of({ statisticalError: 0.03 }).kind).toBe('failed');
    expect(of({ statisticalError: 4.2 }).kind).toBe('vacuous');
    expect(of({ statisticalError: undefined }).reason).toContain('10^');
    // The theorem's M is there: what it is asked for holds.
    const theorem = of({ logNeededLength: Math.log(100), statisticalError: undefined });
    expect([theorem.kind, theorem.bound?.toFixed(6)]).toEqual(['within', '0.500000']);
    expect(of(null).kind).toBe('vacuous');
    expect(of({ errors: { ...sampling.errors, maximum: Infinity } }).kind).toBe('failed');
  });

  it('expects of a sample what samples have, and nothing where it is all of the keys', () => {
    const spread = { output: { deviation: 0.1, largest: 0.3 }, normaliser: { deviation: 0.05, largest: 0.2 } };
    const error = (sample: number): number => statisticalErrors(spread, 1000, sample, 1, 0.1).output;
    expect(error(1000)).toBe(0);
    expect(error(400)).toBeLessThan(error(100));
    // Many standard errors, not many times as many.
    const standard = 0.1 * Math.sqrt(0.9 / 100);
    expect(error(100) / standard).toBeGreaterThan(2);
    expect(error(100) / standard).toBeLessThan(6);
    expect(statisticalErrors({ ...spread, normaliser: { deviation: 10, largest: 100 } }, 1000, 10, 1, 0.1).output).toBe(Infinity);
  });
});

describe('JSON', () => {
  it('spells numbers that are not finite, and a page gets them as numbers', () => {
    const document = { a: [1, Infinity, -Infinity, NaN], b: { c: null, d: 'NaN' } };
    expect(toJson(document)).toBe('{"a":[1,"Infinity","-Infinity","NaN"],"b":{"c":null,"d":"NaN"}}');
    expect(spelledOut(document)).toEqual({ a: [1, 'Infinity', '-Infinity', 'NaN'], b: { c: null, d: 'NaN' } });
    expect(withNumbers(JSON.parse(JSON.stringify(withMarkedNumbers(document))))).toEqual(document);
    const plain = { a: [1, { b: 'NaN' }], data: new Float32Array(2) };
    expect(withMarkedNumbers(plain)).toBe(plain);
  });
});
