import { describe, expect, it } from 'vitest';
import { costCurves, curveLengths } from '../../../src/core/compare/cost-curves';
import { comparedScenarios, scenarioCosts } from '../../../src/core/compare/scenario-costs';
import { defaultOptions, type SimulationOptions } from '../../../src/core/options/table';
import { makePlan } from '../../../src/core/plan/plan';
import { type PlanRequest, planRequest } from '../../../src/core/plan/request';
import { predict, predictedMs, sumOf, timePredictor } from '../../../src/core/predict/predict';
import { perLayer } from '../../../src/core/scenario/scenario';
import { fit, madeUpCalibration } from '../../support/calibration';
import { smallModel } from '../../support/shapes';

const parameters = { window: 512, sinks: 4 };
const { possible: scenarios } = comparedScenarios({ kind: 'causal' }, parameters);

function requestsOf(options: Partial<SimulationOptions> = {}, tokens = 1): PlanRequest[] {
  return scenarios.map((scenario) => planRequest(tokens, smallModel, { ...defaultOptions, ...options, scenario }));
}

describe('the scenarios side by side', () => {
  it('are every kind, with the chosen one as it is, and layers that differ first', () => {
    expect(scenarios.map(({ kind }) => kind)).toEqual([
      'full',
      'causal',
      'sliding-window',
      'attention-sink',
      'local-window',
      'average-case',
      'top-k',
      'adaptive',
    ]);
    const chosen = perLayer([{ kind: 'causal' }, { kind: 'sliding-window', window: 7 }]);
    expect(comparedScenarios(chosen, parameters).possible[0]).toEqual(chosen);
    expect(comparedScenarios({ kind: 'custom', expression: 'k <= q' }, parameters).possible.at(-1)).toEqual({
      kind: 'custom',
      expression: 'k <= q',
    });
    const native = { kind: 'sliding-window', window: 4096 } as const;
    expect(comparedScenarios(native, parameters).possible[2]).toEqual(native);
  });

  it('leave out what cannot be, and say why', () => {
    const { possible, impossible } = comparedScenarios({ kind: 'causal' }, { window: 2, sinks: -1 });
    expect(possible.map(({ kind }) => kind)).not.toContain('attention-sink');
    expect(impossible).toHaveLength(1);
  });
});

describe('what scenarios cost a prompt', () => {
  it('is what their plans cost, with the times of their predictions', () => {
    const calibration = madeUpCalibration();
    const [, causal] = requestsOf({}, 5000);
    const { possible, impossible } = scenarioCosts(makePlan(causal), { wallMs: 1234 }, parameters, calibration);
    expect(impossible).toEqual([]);
    expect(possible.map(({ kind }) => kind)).toEqual(scenarios.map(({ kind }) => kind));
    for (const [index, cost] of possible.entries()) {
      const plan = makePlan({ ...requestsOf({}, 5000)[index] });
      expect([cost.attentionCalls, cost.tokenwiseCalls, cost.boundCalls, cost.flops, cost.attentionFlops, cost.bytes]).toEqual([
        plan.calls.attention,
        plan.calls.tokenwise,
        plan.bound.calls,
        plan.flops,
        plan.flopsByPhase.attend,
        plan.bytes,
      ]);
    }
    // Of the plan's own scenario the time is the one that is known; of the others, that of their plans.
    expect(possible[1].predictedMs).toBe(1234);
    expect(possible[0].predictedMs).toBeCloseTo(
      predict(makePlan({ ...requestsOf({}, 5000)[0], scoreBytes: calibration.scoreBytes }), calibration)?.wallMs ?? NaN,
      6,
    );
  });

  it('leaves out what the construction cannot have, and says why once', () => {
    const [, causal] = requestsOf({ construction: 'paper' }, 5000);
    const { possible, impossible } = scenarioCosts(makePlan(causal), null, parameters, madeUpCalibration());
    expect(possible.map(({ kind }) => kind)).toEqual(['full', 'causal', 'average-case']);
    expect(impossible).toEqual([
      expect.stringMatching(/A window of 512 is not below the block size/),
      expect.stringMatching(/no arrangement under construction paper/),
      expect.stringMatching(/^Scenario "top-k" chooses its tiles in the run/),
      expect.stringMatching(/^Scenario "adaptive" chooses its tiles in the run/),
    ]);
    expect(possible.every(({ predictedMs: time }) => time === null)).toBe(true);
  });
});

describe('cost over N', () => {
  it('is what a plan of that length costs', () => {
    const requests = requestsOf();
    const { curves, breakEven } = costCurves(requests, requests[1], undefined);
    expect(breakEven).toBeNull();
    for (const [index, { scenario, points }] of curves.entries()) {
      expect(scenario).toEqual(requests[index].scenario);
      expect(points.map(({ tokens }) => tokens)).toEqual(curveLengths);
      for (const { tokens, attentionCalls, boundCalls, flops, bytes, predictedMs: time } of points.filter(
        (point) => point.tokens < 20_000,
      )) {
        const plan = makePlan({ ...requests[index], tokens });
        expect([attentionCalls, boundCalls, flops, bytes, time]).toEqual([
          plan.calls.attention,
          plan.bound.calls,
          plan.flops,
          plan.bytes,
          null,
        ]);
      }
    }
  });

  it('has no point where a black box cannot have the window', () => {
    const requests = requestsOf({ construction: 'paper' });
    const { curves } = costCurves(requests, requests[1], madeUpCalibration());
    // Up to the window it is causal attention; beyond, a window must be below M = 256.
    expect(curves.find(({ scenario }) => scenario.kind === 'sliding-window')?.points.map(({ tokens }) => tokens)).toEqual([128, 256, 512]);
    expect(curves.map(({ scenario }) => scenario.kind)).not.toContain('local-window');
    expect(curves.flatMap(({ points }) => points).every((point) => point.predictedMs === null)).toBe(true);
  });

  it('stops early for a written mask, whose tiles are looked at one by one', () => {
    const [request] = requestsOf();
    const written = { ...request, scenario: { kind: 'custom', expression: 'k <= q' } } as const;
    const {
      curves: [{ points }],
      breakEven,
    } = costCurves([written], written, madeUpCalibration());
    expect(points.map(({ tokens }) => tokens)).toEqual([128, 256, 512, 1024, 2048]);
    expect(points.at(-1)?.flops).toBe(makePlan({ ...written, tokens: 2048 }).flops);
    expect(breakEven).toBeNull();
  });

  it('knows the break-even, and times that rise with the length', () => {
    const calibration = madeUpCalibration();
    const requests = requestsOf();
    const { curves, breakEven } = costCurves(requests, requests[1], calibration);
    expect(breakEven?.fromTokens).toBeGreaterThan(0);
    for (const { points } of curves) {
      const times = points.map((point) => point.predictedMs ?? NaN);
      expect(times).toEqual(times.toSorted((one, other) => one - other));
    }
  });
});

describe('a prediction without a plan', () => {
  it('is that of the plan up to 128 blocks, and within 2% beyond', () => {
    const calibration = madeUpCalibration();
    for (const blockSize of [64, 256]) {
      for (const request of requestsOf({ blockSize }, 500 * blockSize)) {
        const { scoreBytes } = calibration;
        const timeAt = timePredictor(request, calibration);
        const short = timeAt(100 * blockSize);
        expect(short && sumOf(short)).toBe(predict(makePlan({ ...request, tokens: 100 * blockSize, scoreBytes }), calibration)?.wallMs);
        const long = timeAt(request.tokens);
        const exact = predict(makePlan({ ...request, scoreBytes }), calibration);
        expect((long?.attend ?? NaN) / (exact?.phases.attend ?? NaN)).toBeCloseTo(1, 1);
        expect(Math.abs((predictedMs(request, calibration) ?? NaN) / (exact?.wallMs ?? NaN) - 1)).toBeLessThan(0.02);
      }
    }
  });

  it('is that of the plan at any length where layers are compiled, and none for a black box', () => {
    const calibration = madeUpCalibration({ layer: { layerMs: 2, attendNsPerFlop: 1, tokenwiseNsPerFlop: 0.5, fit } });
    const [request] = requestsOf({}, 100_000);
    expect(predictedMs(request, calibration)).toBeCloseTo(predict(makePlan(request), calibration)?.wallMs ?? NaN, 6);
    expect(predictedMs({ ...request, construction: 'tight' }, madeUpCalibration())).toBeUndefined();
  });
});

describe('the predicted times of layers', () => {
  it('add up to the whole, and differ where layers do', () => {
    const calibration = madeUpCalibration();
    const cycle = perLayer([{ kind: 'causal' }, { kind: 'sliding-window', window: 16 }, { kind: 'causal' }]);
    for (const scenario of [{ kind: 'causal' } as const, cycle]) {
      const found = predict(makePlan(planRequest(3000, smallModel, { ...defaultOptions, blockSize: 64, scenario })), calibration);
      const layers = found?.layerMs ?? [];
      expect(layers).toHaveLength(smallModel.layers);
      expect(layers.reduce((sum, time) => sum + time, 0)).toBeCloseTo(found?.wallMs ?? NaN, 6);
      // The first layer starts the sessions.
      expect(layers[0] - layers[2]).toBeCloseTo(calibration.pass.startMs, 6);
      expect(layers[1] < layers[2]).toBe(scenario === cycle);
    }
  });
});
