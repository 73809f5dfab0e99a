import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadModel, openModel, type LoadedModel } from '../../../src/engine/read/model/load';
import { compareWithLlama, llamaFolder } from '../../support/llama-cpp/compare';
import { expertRefusal, llamaArchitectures } from '../../support/llama-cpp/gguf';
import { installLlama, llamaRefusal } from '../../support/llama-cpp/install';
import { mistakes } from '../../support/llama-cpp/mistakes';
import { rotaryRefusal, yarnTurns } from '../../support/llama-cpp/rotary';
import { modelsFolder, root } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

const folder = join(root, 'test', 'golden');

/** Tiny checkpoints of random weights and of the architectures that llama.cpp has too: see test/golden/README.md. */
const cases = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && (jsonOf(entry.name, 'config.json') as { model_type: string }).model_type in llamaArchitectures)
  .map(({ name }) => name);

/** Whose YaRN has another ramp than llama.cpp has. */
const otherRamps: readonly string[] = ['llama-rope-yarn-factors', 'gpt-oss'];

/** Float32 against float32 on logits of about 10: they differ by up to 2.3e-5. */
const tolerance = 1e-4;

/**
 * llama.cpp looks GELU up in a table of float16 numbers: float64 with such a GELU is within 7e-5 of it for GPT-2, with the true one
 * 2.3e-3 away; GPT-NeoX is up to 4.2e-3 away, MPT 6.0e-3, and so is float64 with such a GELU.
 */
const geluTolerance = 1e-2;

function toleranceOf({ activation }: LoadedModel): number {
  return activation.startsWith('gelu') ? geluTolerance : tolerance;
}

function jsonOf(name: string, file: string): unknown {
  return JSON.parse(readFileSync(join(folder, name, file), 'utf8'));
}

function tokensOf(name: string): Int32Array {
  return Int32Array.from((jsonOf(name, 'golden.json') as { tokens: number[] }).tokens);
}

async function modelOf(path: string): Promise<LoadedModel> {
  return loadModel(await openModel(path, modelsFolder));
}

/** A copy of a model whose YaRN has its ramp where llama.cpp has it: what is left to compare is the factor of its sines. */
function withRampOfLlama(name: string): string {
  const copy = temporaryFolder();
  cpSync(join(folder, name), copy, { recursive: true });
  const config = jsonOf(name, 'config.json') as { rope_parameters: object };
  const parameters = { ...config.rope_parameters, beta_fast: yarnTurns.fast, beta_slow: yarnTurns.slow, truncate: true };
  writeFileSync(join(copy, 'config.json'), JSON.stringify({ ...config, rope_parameters: parameters }));
  return copy;
}

describe.skipIf(llamaRefusal !== undefined)(`models against llama.cpp${llamaRefusal === undefined ? '' : `: ${llamaRefusal}`}`, () => {
  let missing: string | undefined;

  beforeAll(async () => {
    await installLlama(llamaFolder).catch((error: unknown) => (missing = String(error)));
  });

  it('has a case for every architecture', () => {
    expect(cases).toEqual(
      expect.arrayContaining([
        'llama',
        'llama-untied-bias',
        'smollm',
        'mistral',
        'qwen2',
        'qwen2-plain',
        'qwen3',
        'smollm3',
        'granite',
        'gpt-neox',
        'olmo2',
        'olmo3',
        'gemma2',
        'gemma3',
        'phi3',
        'phi4-mini',
        'cohere2',
        'gpt2',
        'mixtral',
        'qwen3-moe',
        'gpt-oss',
        'bloom',
        'mpt',
      ]),
    );
  });

  // `--reporter verbose` shows the differences, and why a case is left out.
  it.for(cases)('gives the logits of %s', async (name, { annotate, skip }) => {
    skip(missing !== undefined, missing);
    const model = await modelOf(otherRamps.includes(name) ? withRampOfLlama(name) : join(folder, name));
    const refusal = (model.rotary && rotaryRefusal(model.rotary)) ?? expertRefusal(model);
    skip(refusal !== undefined, refusal);
    const { difference, positions } = await compareWithLlama(model, tokensOf(name));
    await annotate(`largest difference ${difference.toExponential(1)} at ${positions} positions`);
    expect(difference).toBeLessThan(toleranceOf(model));
  });

  it.for(mistakes)('tells %s from one with %s', async ([name, , make], { annotate, skip }) => {
    skip(missing !== undefined, missing);
    const model = await modelOf(otherRamps.includes(name) ? withRampOfLlama(name) : join(folder, name));
    const { difference } = await compareWithLlama(model, tokensOf(name), make(model));
    await annotate(`largest difference ${difference.toExponential(1)}`);
    expect(difference).toBeGreaterThan(10 * toleranceOf(model));
  });
});
