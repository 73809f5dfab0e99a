import { afterEach, describe, expect, it, vi } from 'vitest';
import { InputError } from '../../../src/core/errors';
import { defaultOptions, type SimulationOptions } from '../../../src/core/options/table';
import type { Plan } from '../../../src/core/plan/plan';
import { expectedMemory, memoryMargin } from '../../../src/core/predict/memory';
import type { Progress } from '../../../src/core/report/phases';
import type { ComparisonReport, RunReport } from '../../../src/core/report/report';
import { makeScenario, type ScenarioChoice } from '../../../src/core/scenario/scenario';
import { processBytes } from '../../../src/engine/memory';
import { engineMethods } from '../../../src/engine/process/engine-methods';
import { promptFromText } from '../../../src/engine/read/prompt';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { DigestStore } from '../../../src/engine/store/digests';
import { compare, planComparison } from '../../../src/engine/tasks/compare';
import { simulate } from '../../../src/engine/tasks/simulate';
import { modelsFolder, sampleText } from '../../support/paths';

/** Nothing is calibrated in a folder that is not there. */
const places = { modelsFolder, calibrations: new CalibrationStore('/nonexistent') };
const prompt = promptFromText('sample', sampleText());
const options: SimulationOptions = { ...defaultOptions, blockSize: 32, maxTokens: 90, threads: 1, verify: 'none' };
const { signal } = new AbortController();

/** Compares, and keeps what each run says of its progress. */
async function compared(
  scenarios: readonly ScenarioChoice[],
  own: Partial<SimulationOptions> = {},
): Promise<{ report: ComparisonReport; messages: readonly (readonly string[])[]; handedOver: readonly RunReport[] }> {
  const planned = await planComparison(prompt, { scenarios, named: false }, { ...options, ...own }, places);
  const handedOver: RunReport[] = [];
  /** By turn. */
  const messages: string[][] = planned.possible.map(() => []);
  const report = await compare(
    planned,
    { ...options, ...own },
    {
      signal,
      progressOf: (_scenario, turn) => (progress) => messages[turn].push(progress.message),
      onRun: (run) => handedOver.push(run),
    },
  );
  return { report, messages, handedOver };
}

/** What this process is made to have, so that limits are exact. */
const residentBytes = 100 * 1024 ** 2;
const fixProcess = (): unknown => vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(residentBytes);
afterEach(() => vi.restoreAllMocks());

/** What a run must be allowed, by its plan before a device is open. */
function allowed(plan: Plan, own: SimulationOptions): number {
  return expectedMemory(plan, own, undefined, processBytes()).peak * (1 + memoryMargin);
}

const window = makeScenario('sliding-window', { window: 8 });
const sink = makeScenario('attention-sink', { window: 8, sinks: 2 });

describe('comparing scenarios', () => {
  it('reports of each what a run of its own does', async () => {
    const { report } = await compared([window, sink]);
    for (const each of report.runs) {
      const alone = await simulate(prompt, { ...options, scenario: each.scenario }, { ...places, signal, onProgress: () => undefined });
      expect(each.quality).toEqual(alone.quality);
      expect(each.run.calls).toEqual(alone.run.calls);
      expect(each.plan).toEqual(alone.plan);
    }
  });

  it('counts as process what earlier runs left, and not the weights, which are a part of their own', async () => {
    const mebibyte = 1024 ** 2;
    let resident = 100 * mebibyte;
    vi.spyOn(process.memoryUsage, 'rss').mockImplementation(() => resident);
    const planned = await planComparison(prompt, { scenarios: [window, sink, window], named: false }, options, places);
    const parts = [50 * mebibyte, -mebibyte, 0];
    const { runs } = await compare(planned, options, {
      signal,
      progressOf: () => () => undefined,
      onRun: ({ run }) => (resident = 100 * mebibyte + (run.memory?.weights ?? NaN) + (parts.shift() ?? NaN)),
    });
    // What the third begins with is less than the weights and what was there before them.
    expect(runs.map(({ run }) => (run.memory?.process ?? NaN) / mebibyte)).toEqual([100, 150, 100]);
  });

  it("runs the model's own attention once for all, and not at all where it is one of them", async () => {
    const runsBaseline = (messages: readonly string[]): boolean => messages.some((message) => message.startsWith('baseline'));
    expect((await compared([window, sink])).messages.map(runsBaseline)).toEqual([true, false]);
    const { report, messages } = await compared([window, { kind: 'native' }, sink]);
    expect(messages.map(runsBaseline)).toEqual([false, false, false]);
    expect(report.runs.map(({ scenario }) => scenario.kind)).toEqual(['sliding-window', 'causal', 'attention-sink']);
    expect(report.runs.map(({ quality }) => quality?.ownBaseline)).toEqual([false, true, false]);
  });

  it('counts the baseline that it keeps as memory', async () => {
    fixProcess();
    const { possible } = await planComparison(prompt, { scenarios: [window, sink], named: false }, options, places);
    const memoryLimit = Math.max(...possible.map(({ plan }) => allowed(plan, options)));
    await expect(compared([window], { memoryLimit })).resolves.toBeDefined();
    await expect(compared([window, sink], { memoryLimit, quality: false })).resolves.toBeDefined();
    await expect(compared([window, sink], { memoryLimit })).rejects.toThrow(/of memory \(process .*\) and .* may be used/);
  });

  it('hands over each run, and names a scenario that lacks memory', async () => {
    fixProcess();
    const paper = { construction: 'paper', quality: false } as const;
    const full = makeScenario('full');
    const { possible } = await planComparison(prompt, { scenarios: [full, sink], named: false }, { ...options, ...paper }, places);
    const peak = (plan: Plan): number => allowed(plan, { ...options, ...paper });
    const [lean, large] = possible.map(({ plan }) => plan).sort((one, other) => peak(one) - peak(other));
    expect(peak(lean)).toBeLessThan(peak(large));
    const memoryLimit = peak(large) - 1;
    const { report, handedOver } = await compared([full, sink], { ...paper, memoryLimit });
    expect(report.runs.map(({ scenario }) => scenario)).toEqual([lean.scenario]);
    expect(handedOver).toEqual(report.runs);
    expect(report.refused).toEqual([
      { scenario: large.scenario, reason: expect.stringMatching(/of memory \(process .*\) and .* may be used/) as string },
    ]);
  });

  it('refuses where no scenario is possible', async () => {
    const wide = makeScenario('sliding-window', { window: 50 });
    await expect(
      planComparison(prompt, { scenarios: [wide], named: false }, { ...options, construction: 'paper' }, places),
    ).rejects.toThrow(InputError);
    await expect(planComparison(prompt, { scenarios: [], named: false }, options, places)).rejects.toThrow(/no scenario to compare/);
  });

  it('is a method of the engine process, with one bar of progress for all', async () => {
    const seen: Progress[] = [];
    const runs: RunReport[] = [];
    const report = await engineMethods({ ...places, digests: new DigestStore(undefined) }).compare(
      { path: 'sample', text: sampleText(), scenarios: [window, sink], named: false, options },
      { signal, isCancelled: () => false, onProgress: (progress) => seen.push(progress), onRun: (run) => runs.push(run) },
    );
    expect(runs).toEqual(report.runs);
    expect(report.runs.map(({ scenario }) => scenario)).toEqual([window, sink]);
    expect(seen.map(({ fraction }) => fraction)).toEqual(seen.map(({ fraction }) => fraction).sort((a, b) => a - b));
    expect(seen.at(-1)).toMatchObject({ fraction: 1, message: expect.stringMatching(/^attention-sink/) as string });
  });
});
