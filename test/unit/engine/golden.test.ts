import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultOptions, type SimulationOptions } from '../../../src/core/options/table';
import { makePlan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { type LayerScenario, scenarioTitle } from '../../../src/core/scenario/scenario';
import { compiledFunctions } from '../../../src/engine/attend/compiled/functions';
import { modelGraph } from '../../../src/engine/attend/compiled/graphs';
import { wholeStream } from '../../../src/engine/attend/forward';
import { executorOf, passOf } from '../../../src/engine/attend/pass';
import { PhaseClock } from '../../../src/engine/attend/runtime/clock';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { GraphSession } from '../../../src/engine/attend/runtime/session';
import { OnnxOracle } from '../../../src/engine/attend/tiles/onnx-oracle';
import { TokenwiseCheck } from '../../../src/engine/attend/verify/tokenwise-check';
import { OutputHead } from '../../../src/engine/attend/verify/predictions';
import { type LoadedModel, loadModel, openModel } from '../../../src/engine/read/model/load';
import { furtherMistakes, mistakes } from '../../support/llama-cpp/mistakes';
import { modelsFolder, root } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

/** What transformers, or PyTorch alone, made of a tiny checkpoint of random weights, in float64: see test/golden/README.md. */
interface Golden {
  readonly tokens: readonly number[];
  /** `[N][vocabulary]`, or for a model without an output head `hidden` `[N][d]`. */
  readonly logits?: readonly (readonly number[])[];
  readonly hidden?: readonly (readonly number[])[];
}

const folder = join(root, 'test', 'golden');
const cases = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** Those for which make.py also wrote the configuration in transformers 4's form. */
const older = cases.filter((name) => existsSync(join(folder, name, 'config.v4.json')));

/** Float32 against float64 on logits of about 10: transformers' own float32 differs by up to 9e-6. */
const tolerance = 5e-5;

function goldenOf(name: string): Golden {
  return JSON.parse(readFileSync(join(folder, name, 'golden.json'), 'utf8')) as Golden;
}

/** A model's last residual stream under its own attention, M = 16; by tiles, unless it is said how. */
async function run(model: LoadedModel, tokens: Int32Array, options: Partial<SimulationOptions> = {}): Promise<Float32Array> {
  const device = await openDevice('cpu', 1);
  const oracle = new OnnxOracle(model, 16, device, tokens.length);
  const own = { ...defaultOptions, blockSize: 16, ...options };
  const plan = makePlan(planRequest(tokens.length, model.shape, own));
  const rows = { from: 0, to: tokens.length };
  const check = new TokenwiseCheck({ model, tokens, positions: { ranges: [rows], tokens: tokens.length }, streams: true }, rows, 1);
  try {
    const pass = passOf(
      executorOf(own, plan, device),
      own.precision,
    )({
      model,
      plan,
      tokens,
      oracle,
      clock: new PhaseClock(),
      signal: new AbortController().signal,
      onProgress: () => undefined,
      inspect: (...given) => Promise.resolve(check.inspect(...given)),
    });
    const hidden = await wholeStream(pass, plan);
    check.end(hidden, rows);
    // What is written for graphs and for the check apart is the same function: far within the check's own tolerance.
    expect(check.result()).toMatchObject({ layers: model.layers.length, wrongRows: [] });
    expect(check.result().maxRelError).toBeLessThan(5e-5);
    return hidden;
  } finally {
    await oracle.release();
  }
}

async function logitsOf(model: LoadedModel, hidden: Float32Array): Promise<Float32Array> {
  const head = new OutputHead(model, await openDevice('cpu', 1));
  try {
    return await head.logits(hidden);
  } finally {
    await head.release();
  }
}

function largestDifference(found: Float32Array, expected: readonly (readonly number[])[]): number {
  const flat = expected.flat();
  expect(found.length).toBe(flat.length);
  return flat.reduce((largest, value, index) => Math.max(largest, Math.abs(value - found[index])), 0);
}

/** Decoders of every kind of layer, for what differs between them in executors. */
const denseFamilies = [
  'llama',
  'qwen2',
  'smollm3',
  'granite',
  'olmo2',
  'olmo3',
  'gpt-neox',
  'gemma2',
  'gemma3',
  'phi3',
  'phi4-mini',
  'cohere2',
  'cohere2-bias',
  'gpt-neo',
];

describe('models against other implementations', () => {
  it('has a golden file for every architecture', () => {
    expect(cases).toEqual(
      expect.arrayContaining([
        'llama',
        'mistral',
        'qwen2',
        'qwen3',
        'smollm',
        'smollm3',
        'granite',
        'olmo2',
        'olmo3',
        'gemma2',
        'gemma3',
        'mixtral',
        'qwen3-moe',
        'qwen3-moe-mixed',
        'gpt-oss',
        'phi3',
        'phi4-mini',
        'cohere2',
        'gpt-neo',
        'bloom',
        'mpt',
        'gpt2',
        'gpt-neox',
        'bert',
        'roberta',
        'xlm-roberta',
        'modernbert',
        'llama-sharded',
      ]),
    );
    expect(older).toEqual(expect.arrayContaining(['llama-rope-llama3', 'mistral', 'qwen2', 'modernbert']));
  });

  // `--reporter verbose` shows the differences, which the README's table of architectures gives.
  it.for(cases)('gives the logits of %s', async (name, { annotate }) => {
    const { tokens, logits, hidden: expectedHidden } = goldenOf(name);
    const model = await loadModel(await openModel(join(folder, name), modelsFolder));
    const hidden = await run(model, Int32Array.from(tokens));
    const difference =
      logits === undefined ? largestDifference(hidden, expectedHidden ?? []) : largestDifference(await logitsOf(model, hidden), logits);
    await annotate(`largest difference ${difference.toExponential(1)}`);
    expect(difference).toBeLessThan(tolerance);
  });

  it.for([...mistakes, ...furtherMistakes])('tells %s from one with %s', async ([name, , make], { annotate }) => {
    const { tokens, logits = [] } = goldenOf(name);
    const model = make(await loadModel(await openModel(join(folder, name), modelsFolder)));
    const difference = largestDifference(await logitsOf(model, await run(model, Int32Array.from(tokens))), logits);
    await annotate(`largest difference ${difference.toExponential(1)}`);
    expect(difference).toBeGreaterThan(100 * tolerance);
  });

  it.each(older)('reads the configuration of %s as transformers 4 wrote it', async (name) => {
    const variant = join(temporaryFolder(), name);
    cpSync(join(folder, name), variant, { recursive: true });
    cpSync(join(folder, name, 'config.v4.json'), join(variant, 'config.json'));
    const [{ config }, { config: newer }] = [await openModel(variant, modelsFolder), await openModel(join(folder, name), modelsFolder)];
    expect(config).toEqual(newer);
  });

  // What `make.py` gave each, with the factor of its scaling.
  it.each([
    ['llama', 64],
    ['llama-rope-dynamic', 2 * 24],
    ['llama-rope-linear', 4 * 64],
    ['llama-rope-llama3', 256],
    ['llama-rope-yarn', 4 * 16],
    ['llama-rope-yarn-factors', 4 * 512],
    ['modernbert', 64],
  ])('knows the length that %s was trained on', async (name, trainedTokens) => {
    const { shape } = (await openModel(join(folder, name), modelsFolder)).config;
    expect([shape.trainedTokens, shape.maximumTokens]).toEqual([trainedTokens, undefined]);
  });

  // RoBERTa's first two of 64 are for padding.
  it.each([
    ['gpt2', 48],
    ['bert', 64],
    ['roberta', 62],
  ])('knows the positions of %s', async (name, positions) => {
    const { shape } = (await openModel(join(folder, name), modelsFolder)).config;
    expect(shape.maximumTokens).toBe(positions);
    expect(shape.trainedTokens).toBe(shape.maximumTokens);
  });

  it.each([
    ...[...denseFamilies, 'mixtral', 'qwen3-moe', 'bloom', 'mpt', 'roberta'].map(
      (name) => [name, 'compiled layers', { executor: 'compiled' }] as const,
    ),
    ...['llama', 'smollm3', 'granite', 'olmo2', 'mixtral', 'qwen3-moe', 'bloom', 'mpt', 'gpt-neox', 'phi4-mini', 'roberta'].map(
      (name) => [name, 'black boxes', { construction: 'tight' }] as const,
    ),
  ])('gives the logits of %s by %s', async (name, _how, options) => {
    const { tokens, logits = [] } = goldenOf(name);
    const model = await loadModel(await openModel(join(folder, name), modelsFolder));
    const hidden = await run(model, Int32Array.from(tokens), options);
    expect(largestDifference(await logitsOf(model, hidden), logits)).toBeLessThan(2 * tolerance);
  });

  it.each([...denseFamilies, ...['mixtral', 'qwen3-moe-mixed', 'gpt-oss', 'bloom', 'mpt', 'gpt2', 'bert', 'roberta', 'modernbert']])(
    'gives the logits of %s as one compiled graph',
    async (name) => {
      const { tokens, logits = [] } = goldenOf(name);
      const model = await loadModel(await openModel(join(folder, name), modelsFolder));
      const plan = makePlan(planRequest(tokens.length, model.shape, { ...defaultOptions, blockSize: 16 }));
      const { graph } = modelGraph(plan, model, 'all');
      const session = await GraphSession.create(graph.build({ functions: compiledFunctions.float32 }), await openDevice('cpu', 1));
      const result = await session.run<'logits'>({ tokens: { data: BigInt64Array.from(tokens, BigInt), shape: [tokens.length] } });
      await session.release();
      expect(largestDifference(result.logits, logits)).toBeLessThan(tolerance);
    },
  );

  it.each(['gpt-oss', 'qwen3-moe-mixed'])('gives the logits of %s, whose layers differ, by compiled layers', async (name) => {
    const { tokens, logits = [] } = goldenOf(name);
    const model = await loadModel(await openModel(join(folder, name), modelsFolder));
    const hidden = await run(model, Int32Array.from(tokens), { executor: 'compiled' });
    expect(largestDifference(await logitsOf(model, hidden), logits)).toBeLessThan(2 * tolerance);
  });

  // Learned sinks, experts, layers without a rope and slopes stay what they are under another mask.
  describe.each(['gpt-oss', 'qwen3-moe', 'smollm3', 'bloom'])('%s under a scenario', (name) => {
    const cases = JSON.parse(readFileSync(join(folder, name, 'scenarios.json'), 'utf8')) as {
      readonly scenario: LayerScenario;
      readonly logits: readonly (readonly number[])[];
    }[];
    const ways: readonly [string, Partial<SimulationOptions>][] = [
      ['tiles', {}],
      ['compiled layers', { executor: 'compiled' }],
      ['black boxes', { construction: 'tight' }],
    ];

    it.each(
      cases.flatMap(({ scenario, logits }) =>
        ways
          .filter(([how]) => how !== 'black boxes' || scenario.kind !== 'custom')
          .map(([how, options]) => [scenarioTitle(scenario), how, scenario, options, logits] as const),
      ),
    )('gives the logits of %s by %s', async (_title, _how, scenario, options, logits) => {
      const { tokens } = goldenOf(name);
      const model = await loadModel(await openModel(join(folder, name), modelsFolder));
      const found = await logitsOf(model, await run(model, Int32Array.from(tokens), { ...options, scenario }));
      const { vocabulary } = model.shape;
      const worst = Math.max(
        ...logits.flatMap((row, position) => row.map((value, token) => Math.abs(value - found[position * vocabulary + token]))),
      );
      expect(worst).toBeLessThan(2 * tolerance);
    });
  });
});
