import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../../src/engine/read/model/architecture';
import type { ConfigJson } from '../../../src/engine/read/model/keys';
import { type LoadedModel, loadModel, openModel } from '../../../src/engine/read/model/load';
import type { Weight } from '../../../src/engine/read/model/weights';
import { llamaArchitectures, writeGguf } from '../../support/llama-cpp/gguf';
import { modelsFolder, root } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

const folder = join(root, 'test', 'golden');

function typeOf(name: string): string {
  return (JSON.parse(readFileSync(join(folder, name, 'config.json'), 'utf8')) as { model_type: string }).model_type;
}

/** Tiny checkpoints of the architectures that run, of which the golden tests know the logits. */
const cases = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && typeOf(entry.name) in llamaArchitectures)
  .map(({ name }) => name);

/** What GGUF cannot say: a base that grows with the prompt, any ramp of YaRN but one, other layers without a
 * rope than every fourth, experts in some layers only, and other
 * windows of a Command R than on three layers of four. */
const unwritten = ['llama-rope-dynamic', 'llama-rope-yarn-factors', 'smollm3-window', 'qwen3-moe-mixed', 'cohere2-bias'];

/** Values of a golden configuration that GGUF cannot say, with those that llama.cpp knows by itself. */
const fixed: Readonly<Record<string, ConfigJson>> = {
  gemma2: { query_pre_attn_scalar: 16 },
  gemma3: { query_pre_attn_scalar: 16 },
  'gpt-oss': { rope_parameters: { rope_theta: 10, rope_type: 'default' } },
};

/** Where the activation is another one than published models have, which GGUF cannot say either: a note says what is taken. */
const otherActivation = ['gpt-neox-sequential'];

async function loaded(path: string): Promise<LoadedModel> {
  return loadModel(await openModel(path, modelsFolder));
}

/** A copy of a golden model with other fields. */
function withFields(name: string, fields: ConfigJson): string {
  const copy = join(temporaryFolder(), name);
  cpSync(join(folder, name), copy, { recursive: true });
  const config = JSON.parse(readFileSync(join(copy, 'config.json'), 'utf8')) as ConfigJson;
  writeFileSync(join(copy, 'config.json'), JSON.stringify({ ...config, ...fields }));
  return copy;
}

/** All that a run computes with, but for weights. */
function described({
  norm,
  normPlacement,
  activation,
  rotary,
  multipliers,
  predicts,
  parallelHalves,
  normsAcrossHeads,
  clampedGate,
  experts,
  logitCap,
  shape: { scoreCap },
}: ModelConfig): unknown {
  // What a factor is multiplied with is float32 in the file.
  const rounded = rotary?.map((one) =>
    one?.scaling.type === 'yarn'
      ? { ...one, scaling: { ...one.scaling, attentionFactor: Number(one.scaling.attentionFactor.toPrecision(6)) } }
      : one,
  );
  return {
    ...{ norm, normPlacement, activation, rotary: rounded, multipliers, predicts, parallelHalves, normsAcrossHeads },
    ...{ clampedGate, experts, logitCap, scoreCap },
  };
}

/** The weights, by part of the model and name. */
function weightsOf({ embedding, layers, head }: LoadedModel): Map<string, Weight> {
  const parts: readonly [string, object][] = [
    ['embedding', embedding],
    ...layers.map(({ project }, index): [string, object] => [`${index} project`, project]),
    ...layers.map(({ attend }, index): [string, object] => [`${index} attend`, attend]),
    ...layers.map(({ outputAndMlp }, index): [string, object] => [`${index} output`, outputAndMlp]),
    ['head', head],
  ];
  return new Map(
    parts.flatMap(([part, own]) => Object.entries(own as Record<string, Weight>).map(([name, weight]) => [`${part} ${name}`, weight])),
  );
}

function bytesOf(data: Float32Array): Buffer {
  return Buffer.from(data.slice().buffer);
}

describe('a GGUF file of a golden model', () => {
  it.for(cases.filter((name) => !unwritten.includes(name)))(
    'is %s: its weights bit for bit, and all that is done with them',
    async (name) => {
      const original = await loaded(name in fixed ? withFields(name, fixed[name]) : join(folder, name));
      const path = join(temporaryFolder(), 'model.gguf');
      await writeGguf(path, original, original.shape.trainedTokens ?? 0);
      const opened = await openModel(path, modelsFolder);
      const model = await loadModel(opened);
      const other = otherActivation.includes(name);
      expect(described(model)).toEqual(described(other ? { ...original, activation: 'gelu' } : original));
      expect(opened.config.notes.some((note) => note.includes('does not name the activation'))).toBe(
        /^(gpt|bert|bloom|mpt)/.test(model.modelType) && model.modelType !== 'gpt_oss',
      );
      const found = weightsOf(model);
      for (const [key, { shape, data }] of weightsOf(original)) {
        expect(found.get(key)?.shape, key).toEqual(shape);
        expect(Buffer.compare(bytesOf(data), bytesOf(found.get(key)?.data ?? new Float32Array())), key).toBe(0);
        found.delete(key);
      }
      // llama.cpp takes no GPT-NeoX without biases: in a file they are zeros.
      expect([...found.values()].every(({ data }) => data.every((value) => value === 0))).toBe(true);
      expect(found.size > 0).toBe(name === 'gpt-neox-sequential');
    },
  );
});
