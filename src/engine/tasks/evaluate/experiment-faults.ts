import { said } from '../../../core/l10n';
import { readdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import leven from 'leven';
import { InputError, messageOf } from '../../../core/errors';
import { scenarioOf } from '../../../core/evaluate/experiment';
import { choiceDefinitions } from '../../../core/scenario/scenario';
import { isPattern } from '../../../core/text/glob';
import { quoted, shown } from '../../../core/text/printable';
import { exists } from '../../read/input/regular-file';
import { findModel, shippedModels } from '../../read/model/found/resolve';
import type { ModelStores } from '../../read/model/found/stores';
import { promptFiles } from '../../read/prompt';
import { type JsonNode, parseJsonPlaces, stringOf } from '../../read/source/json-places';
import { ExperimentFormError, parseExperiment } from './experiment-file';

/** Something in an experiment file that cannot be, at `[from, to)` of its text in UTF-16 code units. */
export interface ExperimentFault {
  readonly from: number;
  readonly to: number;
  /** A sentence that names the value and the fix. */
  readonly message: string;
  /** Values that may have been meant, the likeliest first. */
  readonly instead: readonly string[];
}

/** What an editor can say of an experiment file from its text. */
export interface ExperimentFaults {
  readonly faults: readonly ExperimentFault[];
  /** Windows that it does not try yet, as text to put at a place; null where there are none, or the file cannot be read. */
  readonly sweep: { readonly at: number; readonly text: string } | null;
}

/** Windows of a sweep. */
const sweptWindows = [64, 128, 256, 512, 1024];

/** Most values that are offered in place of a wrong one. */
const mostInstead = 3;

/**
 * Looks for what is wrong with an experiment file beyond its JSON and its schema, by which editors check themselves: prompts and
 * models that are not there, scenarios that cannot be, fields that do nothing beside others. Nothing is read but names of files.
 *
 * @param path of the file, to whose folder its paths are relative
 */
export async function experimentFaults(
  content: string,
  path: string,
  modelsFolder: string,
  stores: ModelStores,
): Promise<ExperimentFaults> {
  let root: JsonNode;
  try {
    root = parseJsonPlaces(path, content);
  } catch {
    return { faults: [], sweep: null };
  }
  const fields = root.kind === 'object' ? root.fields : new Map<string, JsonNode>();
  const folder = dirname(path);
  // A cycle of scenarios is a list in the list; what is nested deeper is a matter of the schema.
  const strings = (node: JsonNode | undefined, depth = 2): readonly Written[] =>
    node?.kind === 'array' && depth > 0
      ? node.items.flatMap((item) => strings(item, depth - 1))
      : node?.kind === 'string'
        ? [{ from: node.from, to: node.to, text: stringOf(content, node).text }]
        : [];
  const found = [
    ...(await Promise.all(strings(fields.get('prompts')).map((written) => promptFault(written, folder)))),
    ...(await Promise.all(strings(fields.get('model')).map((written) => modelFault(written, folder, modelsFolder, stores)))),
    ...strings(fields.get('scenarios')).map(scenarioFault),
  ];
  const faults = found.filter((fault) => fault !== undefined);
  return { faults: faults.length > 0 ? faults : wholeFaults(content, path, root), sweep: sweepOf(fields.get('scenarios'), strings) };
}

/** A string of the file, with its place. */
interface Written {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

async function promptFault({ text, ...place }: Written, folder: string): Promise<ExperimentFault | undefined> {
  const path = isAbsolute(text) ? text : join(folder, text);
  if (!(await exists(path)) && !isPattern(text)) {
    const message = said`${quoted(text)} is not there (looked for ${shown(resolve(path), 200)}); give the path of a prompt, from this file.`;
    return { ...place, message, instead: await namesLike(path, folder) };
  }
  try {
    await promptFiles([path]);
    return undefined;
  } catch (error) {
    return { ...place, message: messageOf(error), instead: [] };
  }
}

async function modelFault(
  { text, ...place }: Written,
  folder: string,
  modelsFolder: string,
  stores: ModelStores,
): Promise<ExperimentFault | undefined> {
  const shipped = await shippedModels(modelsFolder);
  const beside = isAbsolute(text) ? text : join(folder, text);
  if (shipped.includes(text) || (await exists(beside))) {
    return undefined;
  }
  try {
    await findModel(text, modelsFolder, stores);
    return undefined;
  } catch (error) {
    return { ...place, message: messageOf(error), instead: nearest(text, shipped) };
  }
}

function scenarioFault({ text, ...place }: Written): ExperimentFault | undefined {
  try {
    scenarioOf(text);
    return undefined;
  } catch (error) {
    const [kind, ...numbers] = text.split(':');
    const kinds = choiceDefinitions.map((definition) => definition.kind);
    const isKnown = kinds.some((each) => each === kind);
    const instead = isKnown ? [kind] : nearest(kind, kinds).map((each) => [each, ...numbers].join(':'));
    return { ...place, message: messageOf(error), instead: instead.filter(canBe) };
  }
}

function canBe(scenario: string): boolean {
  try {
    scenarioOf(scenario);
    return true;
  } catch {
    return false;
  }
}

/** What the whole file says that cannot be, at the first field that the message names; none where that is a matter of the schema. */
function wholeFaults(content: string, path: string, root: JsonNode): readonly ExperimentFault[] {
  try {
    parseExperiment(content, path);
    return [];
  } catch (error) {
    if (!(error instanceof InputError) || error instanceof ExperimentFormError) {
      return [];
    }
    const message = error.message.replace(`${path}: `, '');
    const words = message.split(/\W+/);
    const names = root.kind === 'object' ? [...root.fields] : [];
    const named = names
      .map(([name, node]) => ({ node, at: words.indexOf(name) }))
      .filter(({ at }) => at >= 0)
      .sort((one, other) => one.at - other.at);
    const place = named.at(0)?.node ?? { from: root.from, to: root.from + 1 };
    return [{ from: place.from, to: place.to, message, instead: [] }];
  }
}

/** Names in the folder of a path that are like it, as paths from the file's folder. */
async function namesLike(path: string, folder: string): Promise<readonly string[]> {
  const names = await readdir(dirname(path)).catch(() => []);
  return nearest(basename(path), names).map((name) => relative(folder, join(dirname(path), name)).replaceAll('\\', '/'));
}

/** Those of some names that differ from one in at most a third of its letters, the likeliest first. */
function nearest(name: string, names: readonly string[]): readonly string[] {
  const most = Math.max(2, name.length / 3);
  return (
    names
      // A file's text may be of any length, and comparing takes the product of both.
      .filter((each) => Math.abs(each.length - name.length) <= most)
      .map((each) => ({ each, distance: leven(name, each) }))
      .filter(({ distance }) => distance <= most)
      .sort((one, other) => one.distance - other.distance)
      .slice(0, mostInstead)
      .map(({ each }) => each)
  );
}

function sweepOf(node: JsonNode | undefined, strings: (node: JsonNode) => readonly Written[]): ExperimentFaults['sweep'] {
  const last = node?.kind === 'array' ? node.items.at(-1) : undefined;
  if (node === undefined || last === undefined) {
    return null;
  }
  const known = new Set(strings(node).map(({ text }) => text));
  const more = sweptWindows.map((window) => `sliding-window:${window}`).filter((each) => !known.has(each));
  return more.length === 0 ? null : { at: last.to, text: more.map((each) => `, ${JSON.stringify(each)}`).join('') };
}
