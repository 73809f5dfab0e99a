import { InputError } from '../../../core/errors';
import { said } from '../../../core/l10n';
import { parsePythonJson } from '../input/json';
import type { ArchitectureReader, ReadConfig } from './architecture';
import { bloomReader, mptReader } from './architectures/alibi';
import { bertReader } from './architectures/bert';
import { cohere2Reader } from './architectures/cohere2';
import { gemmaReader } from './architectures/gemma';
import { gpt2Reader } from './architectures/gpt2';
import { gptNeoReader } from './architectures/gpt-neo';
import { gptNeoxReader } from './architectures/gpt-neox';
import { llamaReader } from './architectures/llama';
import { modernbertReader } from './architectures/modernbert';
import { phi3Reader } from './architectures/phi3';
import { checkOwnCode, classOf, type ConfigJson, judgeKeys } from './keys';
import { withLayerConfigs } from './layer-configs';
import { planConfig } from './planning/plan-config';
import { textPart } from './planning/text-part';
import { readQuantisation } from './quantised/quantisation';

/** Readers of the architectures that run, by the `model_type` of `config.json`. */
const readers: ReadonlyMap<string, ArchitectureReader> = new Map(
  [
    ...[llamaReader, gemmaReader, phi3Reader, cohere2Reader, gpt2Reader, gptNeoReader, gptNeoxReader, bloomReader, mptReader],
    ...[bertReader, modernbertReader],
  ].flatMap((reader) => Object.keys(reader.classes).map((type) => [type, reader])),
);

/**
 * Parses a `config.json`: what a plan needs, and what a run needs or why there is none.
 *
 * @param text the file's text
 * @param path named in errors
 * @param beside keys that other files of the folder add to it
 * @throws InputError if it is not JSON, lacks a field, or has one that could make the plan wrong
 */
export function parseConfig(text: string, path: string, beside?: ConfigJson): ReadConfig {
  const json = parsePythonJson(text, path, said`restore the model's config.json`);
  return readConfig({ ...beside, ...(typeof json === 'object' && json !== null ? json : {}) }, path);
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
  const stored = readQuantisation(own);
  const all = [...lacks, ...read.lacks, ...(stored?.lacks ?? [])];
  return {
    ...read,
    notes: [...notes, ...read.notes, ...(stored?.notes ?? [])],
    lacks: all,
    run: all.length === 0 ? read.run : undefined,
    ...(stored && { stored: { format: stored.format, quantisation: stored.quantisation } }),
  };
}

/** Reads the configuration of an architecture that runs. */
function readRunning(reader: ArchitectureReader, type: string, config: ConfigJson, path: string): ReadConfig {
  const { predicting, others } = reader.classes[type];
  const named = classOf(config, [...predicting, ...others], path);
  checkOwnCode(config, path, reader.ownCode);
  const { keysOf } = reader;
  const rules = keysOf(type);
  const { notes, planOnly, unknown } = judgeKeys(config, { ...rules, reads: [...rules.reads, 'per_layer_config'] }, path);
  const run = reader.read(config, path, named === undefined || predicting.includes(named));
  const { modelType, predicts } = run;
  const layered = withLayerConfigs(run.shape, config.per_layer_config, path);
  const all = [...(run.lacks ?? []), ...planOnly, ...unknown, ...layered.lacks];
  return {
    modelType,
    predicts,
    shape: layered.shape,
    notes: [...(run.notes ?? []), ...notes],
    lacks: all,
    run: all.length === 0 ? run : undefined,
  };
}
