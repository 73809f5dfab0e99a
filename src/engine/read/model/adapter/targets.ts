import { safeRegex } from 'safe-regex2';
import { InputError } from '../../../../core/errors';
import { said } from '../../../../core/l10n';
import { quoted } from '../../../../core/text/printable';
import { ProcessorTime } from '../../input/time-limit';
import type { AdapterConfig } from './config';

/** Most characters of a module's name: a pattern's time grows with it. */
export const longestModule = 128;

/** Most repetitions in a pattern, and processor time of all its matches: many repetitions in a row take long without being nested. */
const repetitions = 25;
const longestMs = 1000;

/** A module's part in an adapter. */
export interface Targets {
  /** Whether the adapter changes a module by low-rank matrices. @param module its name in transformers, such as `model.layers.0.self_attn.q_proj` */
  has(module: string): boolean;
  rankOf(module: string): number;
  /** What the product of its matrices is multiplied with. */
  scaleOf(module: string): number;
  /** Whether the adapter replaces a module. */
  replaces(module: string): boolean;
}

/**
 * Reads which modules an adapter changes, as PEFT does (`tuners_utils.py`, `check_target_module_exists`; `lora/model.py`,
 * `get_pattern_key`).
 *
 * @throws InputError for a pattern that cannot be read, or would take too long
 */
export function targetsOf(config: AdapterConfig): Targets {
  const { targets, excluded, layers, layersPattern, saved } = config;
  const isTarget = targets === 'all-linear' ? isInLayer : matcher(targets, 'target_modules');
  const isExcluded = matcher(excluded, 'exclude_modules');
  const numbers = (layersPattern.length === 0 ? ['[^.]*'] : layersPattern).map((each) =>
    pattern(each, 'layers_pattern', (text) => `.*\\.${text}\\.(\\d+)\\.`),
  );
  const isInLayers = (module: string): boolean => {
    const number = numbers.map((each) => each.exec(module)?.[1]).find((found) => found !== undefined);
    return layers === undefined || (number !== undefined && layers.includes(Number(number)));
  };
  const ranks = patternsOf(config.rankPattern, 'rank_pattern');
  const alphas = patternsOf(config.alphaPattern, 'alpha_pattern');
  const rankOf = (module: string): number => ranks(module) ?? config.r;
  return {
    has: (module) => !isExcluded(module) && isTarget(module) && isInLayers(module),
    rankOf,
    scaleOf: (module) => {
      const r = rankOf(module);
      return (alphas(module) ?? config.alpha) / (config.isRankStabilised ? Math.sqrt(r) : r);
    },
    replaces: (module) => saved.some((name) => endsWith(module, name)),
  };
}

/** Whether a module is in a layer: its name has the layer's number. */
export function isInLayer(module: string): boolean {
  return /(^|\.)\d+\./.test(module);
}

function matcher(value: string | readonly string[], key: string): (module: string) => boolean {
  if (typeof value === 'string') {
    const whole = pattern(value, key);
    return (module) => whole.test(module);
  }
  return (module) => value.some((name) => endsWith(module, name));
}

function endsWith(module: string, name: string): boolean {
  return module === name || module.endsWith(`.${name}`);
}

/** The value of the first pattern that is a module's name, or its end from a dot on. */
function patternsOf(record: Readonly<Record<string, number>>, key: string): (module: string) => number | undefined {
  const all = Object.entries(record).map(([text, value]) => ({ whole: pattern(text, key), value }));
  return (module) => {
    const parts = module.split('.');
    const ends = parts.map((_, index) => parts.slice(index).join('.'));
    return all.find(({ whole }) => ends.some((end) => whole.test(end)))?.value;
  };
}

/** A pattern of Python's, of a whole text. Both languages write what such patterns have alike, or JavaScript refuses it. */
function pattern(text: string, key: string, around: (text: string) => string = (each) => `(?:${each})$`): Pick<RegExp, 'test' | 'exec'> {
  const refusal = (wrong: string): InputError =>
    new InputError(`adapter_config.json: ${key} ${quoted(text)} ${wrong}; write the names of modules.`);
  if (!isReadable(text)) {
    throw refusal(said`cannot be read as a pattern`);
  }
  // Look-ahead and look-behind, which the checker does not know, take no more time than other groups.
  if (!safeRegex(text.replace(/\(\?<?[=!]/g, '(?:'), { limit: repetitions })) {
    throw refusal(said`could take too long`);
  }
  const found = new RegExp(`^${around(text)}`);
  const time = new ProcessorTime(longestMs);
  const limited = <T>(match: () => T): T => time.spend(match, () => refusal(said`takes too long`));
  return { test: (module) => limited(() => found.test(module)), exec: (module) => limited(() => found.exec(module)) };
}

function isReadable(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
