import { InputError } from '../../../core/errors';
import { quoted } from '../../../core/text/printable';
import { parsePythonJson } from '../input/json';
import type { ModelConfig } from './architecture';
import { bertConfig } from './architectures/bert';
import { gpt2Config } from './architectures/gpt2';
import { llamaConfig, llamaTypes } from './architectures/llama';
import { modernbertConfig } from './architectures/modernbert';

/** Readers of `config.json` by its `model_type`. */
const readers: Readonly<Record<string, (json: unknown, path: string) => ModelConfig>> = {
  ...Object.fromEntries(llamaTypes.map((type) => [type, llamaConfig])),
  gpt2: gpt2Config,
  bert: bertConfig,
  modernbert: modernbertConfig,
};

/** The supported architectures, by the `model_type` of their `config.json`. */
const modelTypes: readonly string[] = Object.keys(readers);

/**
 * Parses a `config.json`.
 *
 * @param text the file's text
 * @param path named in errors
 * @throws InputError if it is not JSON, lacks a field, or needs an unsupported part
 */
export function parseConfig(text: string, path: string): ModelConfig {
  const json = parsePythonJson(text, path, "restore the model's config.json");
  const { model_type: type, quantization_config: quantization } = (typeof json === 'object' && json !== null ? json : {}) as Readonly<
    Record<string, unknown>
  >;
  if (typeof type !== 'string') {
    throw new InputError(`${path}: model_type is missing; restore the model's config.json.`);
  }
  if (!Object.hasOwn(readers, type)) {
    throw new InputError(`${path}: model_type ${quoted(type)} is not supported; use a model of one of ${modelTypes.join(', ')}.`);
  }
  if (quantization !== undefined && quantization !== null) {
    throw new InputError(
      `${path}: quantization_config: quantised weights are not supported; use the model's own checkpoint, in F32, F16 or BF16.`,
    );
  }
  return readers[type](json, path);
}
