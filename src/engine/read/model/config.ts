import { InputError } from '../../../core/errors';
import { parsePythonJson } from '../input/json';
import type { ArchitectureReader, ReadConfig } from './architecture';
import { bloomReader, mptReader } from './architectures/alibi';
import { bertReader } from './architectures/bert';
import { gpt2Reader } from './architectures/gpt2';
import { gptNeoxReader } from './architectures/gpt-neox';
import { llamaReader } from './architectures/llama';
import { modernbertReader } from './architectures/modernbert';
import { checkOwnCode, classOf, type ConfigJson, judgeKeys } from './keys';
import { withLayerConfigs } from './layer-configs';
import { planConfig } from './planning/plan-config';
import { textPart } from './planning/text-part';

/** Readers of the architectures that run, by the `model_type` of `config.json`. */
const readers: ReadonlyMap<string, ArchitectureReader> = new Map(
  [llamaReader, gpt2Reader, gptNeoxReader, bertReader, modernbertReader, bloomReader, mptReader].flatMap((reader) =>
    Object.keys(reader.classes).map((type) => [type, reader]),
  ),
);

/**
 * Parses a `config.json`: what a plan needs, and what a run needs or why there is none.
 *
 * @param text the file's text
 * @param path named in errors
 * @throws InputError if it is not JSON, lacks a field, or has one that could make the plan wrong
 */
export function parseConfig(text: string, path: string): ReadConfig {
  const json = parsePythonJson(text, path, "restore the model's config.json");
  return readConfig((typeof json === 'object' && json !== null ? json : {}) as ConfigJson, path);
}

/** Reads a configuration that was parsed. @throws InputError like `parseConfig` */
export function readConfig(config: ConfigJson, path: string): ReadConfig {
  const type = config.model_type;
  if (typeof type !== 'string') {
    throw new InputError(`${path}: model_type is missing; restore the model's config.json.`);
  }
  const { json: own, modelType, notes, lacks } = textPart(config, type, path);
  const reader = readers.get(modelType);
  const read = reader === undefined ? planConfig(own, modelType, path) : readRunning(reader, modelType, own, path);
  return lacks.length === 0 ? read : { ...read, notes: [...notes, ...read.notes], lacks: [...lacks, ...read.lacks], run: undefined };
}

/** Reads the configuration of an architecture that runs. */
function readRunning(reader: ArchitectureReader, type: string, config: ConfigJson, path: string): ReadConfig {
  const { predicting, others } = reader.classes[type];
  const named = classOf(config, [...predicting, ...others], path);
  checkOwnCode(config, path, reader.published);
  const { keysOf } = reader;
  const rules = keysOf(type);
  const { notes, planOnly, unknown } = judgeKeys(config, { ...rules, reads: [...rules.reads, 'per_layer_config'] }, path);
  const run = reader.read(config, path, named === undefined || predicting.includes(named));
  const { modelType, predicts } = run;
  const layered = withLayerConfigs(run.shape, config.per_layer_config, path);
  const all = [...planOnly, ...unknown, ...layered.lacks];
  return {
    modelType,
    predicts,
    shape: layered.shape,
    notes: [...(run.notes ?? []), ...notes],
    lacks: all,
    run: all.length === 0 ? run : undefined,
  };
}
