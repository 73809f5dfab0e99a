import { join } from 'node:path';
import * as z from 'zod';
import { InputError } from '../../../../core/errors';
import { said } from '../../../../core/l10n';
import { described, quoted, shown } from '../../../../core/text/printable';
import { parsePythonJson } from '../../input/json';
import { inputLimits } from '../../input/limits';
import { exists } from '../../input/regular-file';
import { readRegularText } from '../../input/text';

/** PEFT's names for the files of an adapter. */
export const adapterConfigFile = 'adapter_config.json';
export const adapterWeightsFile = 'adapter_model.safetensors';

/** What `adapter_config.json` says of a LoRA, as far as it changes the merge; names and defaults are PEFT's `LoraConfig`. */
export interface AdapterConfig {
  /** The model that it adapts, as it was called where the adapter was trained: a repository, or a path. */
  readonly base: string;
  /** The revision of that repository; undefined if it names none. */
  readonly revision: string | undefined;
  readonly r: number;
  readonly alpha: number;
  /** Whether the scale is alpha/sqrt(r), not alpha/r. */
  readonly isRankStabilised: boolean;
  /** Modules that it changes: ends of their names, or one pattern of the whole name; `all-linear` is every matrix of a layer. */
  readonly targets: string | readonly string[];
  /** Those of them that it does not change. */
  readonly excluded: string | readonly string[];
  /** Ranks and alphas of the modules whose names end so. */
  readonly rankPattern: Readonly<Record<string, number>>;
  readonly alphaPattern: Readonly<Record<string, number>>;
  /** Layers that it changes; all by default. */
  readonly layers: readonly number[] | undefined;
  /** What stands before a layer's number in names; anything by default. */
  readonly layersPattern: readonly string[];
  /** Whether the base's matrices are stored `[in, out]`. */
  readonly isInOut: boolean;
  /** Modules that it replaces. */
  readonly saved: readonly string[];
  /** Which biases it replaces. */
  readonly bias: 'none' | 'all' | 'lora_only';
}

const names = z.array(z.string().min(1).max(200)).max(1000);
const scale = z.number().positive().max(1e6);
const rank = z.number().int().min(1).max(65_536);
const patterns = (value: z.ZodType<number>): z.ZodType<Record<string, number>> =>
  z.record(z.string().min(1).max(300), value).refine((record) => Object.keys(record).length <= 1000);
const listed = <T extends z.ZodType>(one: T): z.ZodType<z.infer<T>[]> =>
  z.union([one.transform((value) => [value]), z.array(one).max(1000)]);

/** A commit, branch, tag or other ref. Nothing in it leads to another folder where it stands behind a name. */
const revision = z.string().regex(/^(?!\.+(\/|$))[\w.-]+(\/(?!\.+(\/|$))[\w.-]+)*$/, said`it is the name of no revision`);

/** Keys that are read. `null` is "not set", as in PEFT. */
const schema = z.object({
  base_model_name_or_path: z.string().min(1),
  revision: revision.nullish(),
  r: rank.nullish(),
  lora_alpha: scale.nullish(),
  use_rslora: z.boolean().nullish(),
  target_modules: z.union([z.string().min(1).max(1000), names]).nullish(),
  exclude_modules: z.union([z.string().min(1).max(1000), names]).nullish(),
  rank_pattern: patterns(rank).nullish(),
  alpha_pattern: patterns(scale).nullish(),
  layers_to_transform: listed(z.number().int().min(0).max(100_000)).nullish(),
  layers_pattern: listed(z.string().min(1).max(100)).nullish(),
  fan_in_fan_out: z.boolean().nullish(),
  modules_to_save: names.nullish(),
  bias: z.enum(['none', 'all', 'lora_only']).nullish(),
});

/** Keys that change nothing in a merge, with why. */
const ignored: readonly { readonly keys: readonly string[]; readonly why: string }[] = [
  { keys: ['peft_type', 'init_lora_weights'], why: 'looked at before' },
  { keys: ['task_type', 'auto_mapping', 'peft_version'], why: 'say what made it' },
  { keys: ['inference_mode', 'lora_dropout'], why: 'are about training' },
  { keys: ['megatron_core', 'qalora_group_size'], why: 'belong to ways that other keys switch on' },
];

/** Ways to begin that leave the base as it is. The others (PiSSA, OLoRA, CorDA, LoftQ) change its weights, so that no published base fits. */
const plainStarts: readonly unknown[] = [undefined, null, true, false, 'gaussian', 'orthogonal', 'eva'];

/** Whether a folder holds an adapter, and not a model with weights of its own. */
export async function isAdapter(folder: string): Promise<boolean> {
  const [config, ...weights] = await Promise.all(
    [adapterConfigFile, 'model.safetensors', 'model.safetensors.index.json'].map((name) => exists(join(folder, name))),
  );
  return config && !weights.includes(true);
}

/** Reads an adapter's configuration. @throws InputError where it is broken, or is no LoRA that can be merged */
export async function readAdapterConfig(folder: string): Promise<AdapterConfig> {
  const path = join(folder, adapterConfigFile);
  const text = await readRegularText(
    path,
    inputLimits.config,
    said`use a folder with an adapter`,
    said`restore the adapter's configuration`,
  );
  return parseAdapterConfig(text, path);
}

/** The same of a text. @param path named in errors */
export function parseAdapterConfig(text: string, path: string): AdapterConfig {
  const value = parsePythonJson(text, path, said`restore the adapter's configuration`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`${path} is ${described(value)}, not an adapter's configuration; restore it.`);
  }
  const json = value as Readonly<Record<string, unknown>>;
  if (json.peft_type !== 'LORA') {
    throw new InputError(`${path}: peft_type is ${described(json.peft_type)}, and only LORA is merged; ${instead}.`);
  }
  if (!plainStarts.includes(json.init_lora_weights)) {
    throw new InputError(
      `${path}: init_lora_weights ${described(json.init_lora_weights)} begins by changing the base, so that the adapter does not fit the base as it is published; ${instead}.`,
    );
  }
  const known = new Set([...Object.keys(schema.shape), ...ignored.flatMap(({ keys }) => keys)]);
  const unknown = Object.entries(json).find(([key, each]) => !known.has(key) && !isUnset(each));
  if (unknown !== undefined) {
    throw new InputError(`${path}: ${shown(unknown[0], 60)} is ${described(unknown[1])}, which is not merged; ${instead}.`);
  }
  const read = schema.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    const key = String(issue.path[0] ?? 'it');
    throw new InputError(`${path}: ${shown(key, 60)} ${described(json[key])} cannot be (${shown(issue.message, 80)}); correct it.`);
  }
  const { data } = read;
  if (typeof data.target_modules === 'string' && data.target_modules !== 'all-linear' && (data.layers_to_transform ?? null) !== null) {
    throw new InputError(`${path}: layers_to_transform does nothing beside a target_modules that is a pattern; remove one of them.`);
  }
  const none: readonly string[] = [];
  return {
    base: data.base_model_name_or_path,
    revision: data.revision ?? undefined,
    r: data.r ?? 8,
    alpha: data.lora_alpha ?? 8,
    isRankStabilised: data.use_rslora ?? false,
    targets: data.target_modules ?? none,
    excluded: data.exclude_modules ?? none,
    rankPattern: data.rank_pattern ?? {},
    alphaPattern: data.alpha_pattern ?? {},
    layers: data.layers_to_transform ?? undefined,
    layersPattern: data.layers_pattern ?? none,
    isInOut: data.fan_in_fan_out ?? false,
    saved: data.modules_to_save ?? none,
    bias: data.bias ?? 'none',
  };
}

const instead = "merge it into its base with PEFT's merge_and_unload and use that, or use another adapter";

/** Whether a value leaves its key as it is by default. */
function isUnset(value: unknown): boolean {
  return value === null || value === false || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** An adapter's name of its base, for messages. */
export function baseName({ base, revision }: AdapterConfig): string {
  return quoted(revision === undefined ? base : `${base}@${revision}`);
}
