import { afterEach, describe, expect, it, vi } from 'vitest';
import { massIndex } from '../../../src/core/chosen/choice';
import { greedy } from '../../../src/core/generate/choose';
import { referenceAttention } from '../../../src/core/math/reference-attention';
import { defaultOptions, type SimulationOptions } from '../../../src/core/options/table';
import { toJson } from '../../../src/core/report/json';
import type { RunReport } from '../../../src/core/report/report';
import { makeScenario, type ScenarioParameters } from '../../../src/core/scenario/scenario';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { PhaseClock } from '../../../src/engine/attend/runtime/clock';
import { ChosenAttention } from '../../../src/engine/attend/tiles/chosen-attention';
import { estimatedMasses } from '../../../src/engine/attend/tiles/estimated-masses';
import { headTensors, type LayerTensors } from '../../../src/engine/attend/tiles/layer';
import { OnnxOracle } from '../../../src/engine/attend/tiles/onnx-oracle';
import { TileAttention } from '../../../src/engine/attend/tiles/tile-attention';
import { plainLlama } from '../../../src/engine/read/model/architectures/llama';
import { promptFromText } from '../../../src/engine/read/prompt';
import { reportsFrom } from '../../../src/engine/read/report/reports';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { atlas } from '../../../src/engine/tasks/atlas/atlas';
import { generate } from '../../../src/engine/tasks/generate/generate';
import { simulate } from '../../../src/engine/tasks/simulate';
import { alignedLayer, randomLayer, withCap } from '../../support/layers';
import { modelsFolder, sampleText } from '../../support/paths';
import { planOf, smallModel } from '../../support/shapes';

const context = {
  modelsFolder,
  calibrations: new CalibrationStore('/nonexistent'),
  signal: new AbortController().signal,
  onProgress: () => undefined,
};
const prompt = promptFromText('sample', sampleText());

function optionsOf(kind: string, parameters: ScenarioParameters, options: Partial<SimulationOptions> = {}): SimulationOptions {
  return { ...defaultOptions, scenario: makeScenario(kind, parameters), blockSize: 8, maxTokens: 121, ...options };
}

function run(kind: string, parameters: ScenarioParameters, options: Partial<SimulationOptions> = {}): Promise<RunReport> {
  return simulate(prompt, optionsOf(kind, parameters, options), context);
}

function withoutSinks({ query, key, value, scoreCap }: LayerTensors): LayerTensors {
  return { query, key, value, ...(scoreCap !== undefined && { scoreCap }) };
}

afterEach(() => vi.restoreAllMocks());

describe('attention over chosen tiles', () => {
  // Short last blocks, runs of one tile and of many, bent scores, sinks, and scores so far apart that sums overflow.
  const cases = [
    { tokens: 100, blockSize: 10, scoreBytes: undefined, scale: 1 },
    { tokens: 93, blockSize: 10, scoreBytes: 800, scale: 1, scoreCap: 3 },
    { tokens: 93, blockSize: 10, scoreBytes: 1, scale: 2, sinks: true },
    { tokens: 75, blockSize: 8, scoreBytes: undefined, score: 900 },
    { tokens: 7, blockSize: 10, scoreBytes: undefined, scale: 1 },
  ] as const;

  it.each(cases)('is exact over those tiles with their weights, in as many calls as planned: %j', async (setting) => {
    const { tokens, blockSize, scoreBytes } = setting;
    const scenario = makeScenario('adaptive', { share: 45, sample: 40, queries: 2, seed: 3 });
    const plan = { ...planOf({ tokens, blockSize, scenario }, { layers: 2, heads: 3 }), scoreBytes };
    const scoreCap = 'scoreCap' in setting ? setting.scoreCap : undefined;
    const plain =
      'score' in setting ? alignedLayer(tokens, smallModel, 5, setting.score) : randomLayer(tokens, smallModel, 5, setting.scale);
    const layer: LayerTensors = withCap('sinks' in setting ? { ...plain, sinks: Float32Array.of(0, 1, 2, 3) } : plain, scoreCap);
    const device = await openDevice('cpu', 1);
    const oracle = new OnnxOracle(plainLlama({ ...smallModel, ...(scoreCap !== undefined && { scoreCap }) }), blockSize, device);
    const apart = vi.spyOn(oracle, 'attendApart');
    let instances = 0;
    const rule = { share: 45, sample: 40, queries: 2, seed: 3 };
    const attention = new ChosenAttention(plan, rule, oracle, new PhaseClock(), (more) => (instances += more));
    await attention.run(randomLayer(tokens, smallModel, 6, 1));
    instances = 0;
    const before = oracle.calls.attention;
    const { out, logNormaliser, choice } = await attention.run(layer);
    expect(choice?.fault()).toBeUndefined();
    expect(oracle.calls.attention - before - oracle.calls.retries).toBe(plan.calls.attention / plan.model.layers);
    expect(instances).toBe(plan.tiles * plan.model.heads);
    expect(apart.mock.calls.length > 0).toBe('score' in setting);
    let worst = 0;
    for (let head = 0; head < smallModel.heads; head += 1) {
      const own = headTensors(withoutSinks(layer), head);
      for (let query = 0; query < tokens; query += 1) {
        const parts = (choice?.rangesOf(head, query, blockSize) ?? []).map((range) => {
          const state = referenceAttention(own, { visible: () => ({ prefixEnd: 0, start: range.from, end: range.to }) }, 1, [query]);
          return { out: state.out, log: state.logNormaliser[0] + range.logScale };
        });
        const high = Math.max(...parts.map(({ log }) => log));
        const total = parts.reduce((sum, { log }) => sum + Math.exp(log - high), 0);
        for (let column = 0; column < own.width; column += 1) {
          const exact = parts.reduce((sum, part) => sum + Math.exp(part.log - high) * part.out[column], 0) / total;
          worst = Math.max(worst, Math.abs(out.data[(head * tokens + query) * own.width + column] - exact));
        }
        worst = Math.max(worst, Math.abs(logNormaliser[head * tokens + query] - high - Math.log(total)));
      }
    }
    // Scores of hundreds are rounded by 3e-5.
    expect(worst).toBeLessThan('score' in setting ? 5e-4 : 2e-5);
    await oracle.release();
  });

  it('chooses by the true masses where all queries of a block are asked, learned sinks included', async () => {
    const [tokens, rows] = [93, 10];
    const plan = planOf({ tokens, blockSize: rows, scenario: makeScenario('top-k') });
    const sinks = Float32Array.of(0, 1, 2, 3);
    const layer = { ...randomLayer(tokens, smallModel, 9, 3), sinks };
    const oracle = new OnnxOracle(plainLlama(smallModel), rows, await openDevice('cpu', 1));
    for (const mostScores of [1, 1e6]) {
      const masses = await estimatedMasses(layer, { plan, rows, queries: rows, mostScores, oracle });
      for (const [head, block, key] of [
        [0, 3, 1],
        [1, 8, 0],
        [3, 8, 7],
      ]) {
        const own = headTensors(layer, head);
        const first = block * rows;
        const queries = Array.from({ length: rows }, (_, row) => first + row);
        const all = referenceAttention(own, { visible: (query) => ({ prefixEnd: 0, start: 0, end: query + 1 }) }, 1, queries);
        const keysAlone = headTensors(withoutSinks(layer), head);
        const tile = referenceAttention(
          keysAlone,
          { visible: () => ({ prefixEnd: 0, start: key * rows, end: (key + 1) * rows }) },
          1,
          queries,
        );
        const exact = queries.reduce((sum, _, row) => sum + Math.exp(tile.logNormaliser[row] - all.logNormaliser[row]), 0) / rows;
        expect(masses[head][massIndex(block, key)]).toBeCloseTo(exact, 6);
      }
    }
    await oracle.release();
  });
});

describe('a run under chosen tiles', () => {
  it('is proved, and says what it chose and how far that is from all tiles', async () => {
    const report = await run('adaptive', { share: 40, sample: 40, queries: 8 });
    expect(report.verdict.kind).toBe('exact');
    expect(report.run.calls.attention).toBe(report.plan.calls.attention);
    expect(report.fidelity?.probe).toMatchObject({ rows: 121, wrongRows: [] });
    expect(report.choice).toMatchObject({ tiles: 8 * 55, sampled: 8 * 15, causalTiles: 8 * 136 });
    expect(report.choice?.heads).toHaveLength(48);
    expect(report.choice?.estimated?.rows).toBeGreaterThan(100);
    // Light tiles have heavy tails; of a normal error 95% and more would be.
    expect(report.choice?.estimated?.within).toBeGreaterThan(0.6);
    expect(report.quality?.touchedNote).toMatch(/^Tiles are chosen in each head/);
    expect(reportsFrom(toJson(report), 'report.json')).toEqual([report]);
  });

  it('is causal attention where all tiles are in the budget, and nearer to it the more of them are', async () => {
    const errors: number[] = [];
    for (const share of [20, 60]) {
      const { choice } = await run('top-k', { share, queries: 8 }, { quality: false });
      errors.push(choice?.measured.ninetiethPercentile ?? NaN);
    }
    expect(errors[0]).toBeGreaterThan(2 * errors[1]);
    const { choice } = await run('adaptive', { share: 100 }, { quality: false });
    expect(choice?.measured.ninetiethPercentile).toBeLessThan(1e-4);
    expect(choice?.estimated).toMatchObject({ ninetiethPercentile: 0, within: 1 });
  });

  it.each(['top-k', 'adaptive'])('of one block has nothing to choose, and says so: %s', async (kind) => {
    const report = await run(kind, {}, { blockSize: 128, quality: false });
    expect(report.choice).toMatchObject({ tiles: 8, sampled: 0, causalTiles: 8 });
    expect(report.choice?.measured.ninetiethPercentile).toBeLessThan(1e-4);
    expect(reportsFrom(toJson(report), 'report.json')).toEqual([report]);
  });

  it('is repeated by its seed', async () => {
    const of = async (seed: number): Promise<RunReport['choice']> =>
      (await run('adaptive', { share: 40, sample: 40, seed }, { quality: false, maxTokens: 64 })).choice;
    const first = await of(1);
    expect(await of(1)).toEqual(first);
    expect((await of(2))?.measured).not.toEqual(first?.measured);
  });

  it('fails where sums of chosen tiles are wrong in one query block, whatever the choice was', async () => {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its object below
    const { attendChosen } = TileAttention.prototype;
    let runs = 0;
    vi.spyOn(TileAttention.prototype, 'attendChosen').mockImplementation(async function (this: TileAttention, given) {
      const sums = await attendChosen.call(this, given);
      runs += 1;
      return runs === 7 ? { ...sums, weighted: sums.weighted.map((x) => 1.01 * x) } : sums;
    });
    expect((await run('top-k', {}, { quality: false })).verdict.kind).toBe('failed');
  });

  it('is refused by name where tiles must be known before', async () => {
    const chooses = /^Compiled layers, and float16 with them, have their tiles before the run, and top-k\(share 25, queries 16\) chooses/;
    await expect(run('top-k', {}, { executor: 'compiled' })).rejects.toThrow(chooses);
    await expect(run('adaptive', {}, { construction: 'tight' })).rejects.toThrow('Scenario "adaptive" chooses its tiles in the run');
    await expect(atlas(prompt, optionsOf('top-k', {}), context)).rejects.toThrow('so that no mask says what it cuts off');
    const generation = { ...greedy, tokens: 2, baseline: false };
    await expect(generate(prompt, optionsOf('top-k', {}), generation, context)).rejects.toThrow(
      'top-k(share 25, queries 16) chooses tiles of whole prompts, not of one token after another',
    );
  });
});
