import { InputError } from '../../../core/errors';
import type { HubFile } from '../../../core/fetch/offer';
import { said } from '../../../core/l10n';
import { quoted, shown } from '../../../core/text/printable';
import { adapterConfigFile, adapterWeightsFile } from '../../read/model/adapter/config';
import { usualEndpoint } from './settings';

/** A repository as a user names it, and what of it is meant. */
export interface AskedModel {
  readonly repository: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
  /** A GGUF file, by its name or by how its weights are stored, such as `Q4_K_M`; undefined if none was named. */
  readonly gguf: string | undefined;
}

/** A repository with several models in GGUF, of which none was named. */
export class SeveralFiles extends InputError {
  constructor(
    message: string,
    /** The first file of each. */
    readonly files: readonly HubFile[],
  ) {
    super(message);
  }
}

/** What was said beside a name. */
interface Given {
  readonly revision?: string | undefined;
  readonly file?: string | undefined;
  /** Where it would be fetched from; an address of another host is refused. Undefined if that is not known yet. */
  readonly endpoint?: string;
}

/**
 * What a user means.
 *
 * @param asked `org/name`, `org/name@revision`, `org/name:Q4_K_M`, or the repository's address
 * @throws InputError for what names no repository, or one elsewhere
 */
export function askedModel(asked: string, given: Given = {}): AskedModel {
  const name = nameIn(asked.trim(), given.endpoint).replace(/\/$/, '');
  const match = /^([\w.-]+(?:\/[\w.-]+)?)(?:@([\w.-]+(?:\/[\w.-]+)*))?(?::([\w.-]+))?$/.exec(name);
  // Names of folders are made of these: none may lead elsewhere.
  const leads = (text: string): boolean => text.split('/').some((part) => /^\.*$/.test(part)) || text.includes('--');
  if (match === null || leads(match[1])) {
    throw new InputError(`${quoted(asked)} is no repository of models; write org/name, as the hub's address has it.`);
  }
  // A group that matched nothing is undefined, whatever its type says.
  const [, repository, behindAt, behindColon] = match as unknown as readonly [string, string, string | undefined, string | undefined];
  if ((given.revision !== undefined && behindAt !== undefined) || (given.file !== undefined && behindColon !== undefined)) {
    throw new InputError(
      `${quoted(asked)} names ${given.revision === undefined ? 'a file' : 'a revision'} that an option names too; name it once.`,
    );
  }
  const revision = given.revision ?? behindAt ?? 'main';
  if (!/^[\w.-]+(\/[\w.-]+)*$/.test(revision) || revision.split('/').some((part) => /^\.*$/.test(part))) {
    throw new InputError(`Revision ${quoted(revision)} is no branch, tag or commit; write one such as main.`);
  }
  return { repository, revision, gguf: given.file ?? behindColon };
}

/** The name in an address of the endpoint or of the hub itself; any other text as it is. */
function nameIn(asked: string, endpoint: string | undefined): string {
  const [address, host] = /^https?:\/\/([^/]*)\//i.exec(asked) ?? [];
  if (address === undefined) {
    return asked;
  }
  if (endpoint !== undefined && asked.startsWith(`${endpoint}/`)) {
    return asked.slice(endpoint.length + 1);
  }
  const hosts = [new URL(usualEndpoint).host, ...(endpoint === undefined ? [] : [new URL(endpoint).host])];
  if (endpoint !== undefined && !hosts.includes(host.toLowerCase())) {
    throw new InputError(
      `${quoted(asked)} is not at ${endpoint}, from where it would be fetched; write org/name, or set HF_ENDPOINT to its host.`,
    );
  }
  return asked.slice(address.length);
}

/** Files that are read besides weights: what it is, what ends its texts, its tokens, its chats. */
const besides = [
  'config.json',
  'hf_quant_config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'chat_template.jinja',
];

const single = 'model.safetensors';
export const shardIndex = 'model.safetensors.index.json';
const adapterFiles = [adapterConfigFile, adapterWeightsFile];

/** What of a repository is fetched, and what a user should know of it. */
export interface Choice {
  readonly files: readonly HubFile[];
  /** A sentence each. */
  readonly notes: readonly string[];
}

/**
 * Chooses what a run needs, and nothing else: never a pickle, whose reader would execute what its author wrote.
 *
 * @param all the files of the repository's own folder
 * @param shards the files that the index of a sharded checkpoint names; undefined if there is none
 * @throws InputError where there is no model, or several; SeveralFiles where a GGUF file must be named
 */
export function chooseFiles(all: readonly HubFile[], { repository, gguf }: AskedModel, shards: readonly string[] | undefined): Choice {
  const named = (names: readonly string[]): readonly HubFile[] => all.filter(({ name }) => names.includes(name));
  const has = (name: string): boolean => all.some((file) => file.name === name);
  const ggufs = all.filter(({ name }) => /\.gguf$/i.test(name) && !/^mmproj/i.test(name));
  if (gguf !== undefined || (ggufs.length > 0 && !has('config.json'))) {
    return { files: chooseGguf(ggufs, repository, gguf), notes: [] };
  }
  if (has(adapterFiles[0]) && !has(single) && shards === undefined) {
    if (!has(adapterFiles[1])) {
      throw new InputError(
        `${shown(repository, 100)} is an adapter without ${adapterFiles[1]}, the only file of one that is read; use another.`,
      );
    }
    return {
      files: named(adapterFiles),
      notes: [said`It is an adapter: it runs on the model that its adapter_config.json names, which is fetched apart.`],
    };
  }
  if (!has('config.json')) {
    throw new InputError(
      `${shown(repository, 100)} has no config.json and no .gguf file in its own folder; it is no model that can be fetched.`,
    );
  }
  const weights = has(single) ? [single] : shards === undefined ? [] : [shardIndex, ...shards];
  const missing = weights.find((name) => !has(name));
  if (missing !== undefined) {
    throw new InputError(`${shown(repository, 100)} names ${quoted(missing)} in ${shardIndex} and has no such file; use another revision.`);
  }
  const pickle = all.find(({ name }) => /\.(bin|pth?|ckpt|pkl)$/i.test(name));
  if (weights.length === 0 && pickle !== undefined) {
    throw new InputError(
      `${shown(repository, 100)} has its weights in ${shown(pickle.name)}, a pickle, which is never fetched because reading one executes it; use a revision with safetensors (many have one as refs/pr/1), or convert it.`,
    );
  }
  return {
    files: named([...besides, ...weights]),
    notes: [
      ...(has('tokenizer.json') ? [] : [said`It has no tokenizer.json, without which prompts have no tokens: it could not be planned.`]),
      ...(weights.length > 0 ? [] : [said`It has no weights in safetensors: it could be planned, not run.`]),
    ],
  };
}

/** One model in GGUF: all of its files. */
function chooseGguf(ggufs: readonly HubFile[], repository: string, asked: string | undefined): readonly HubFile[] {
  const part = /-(\d{5})-of-(\d{5})\.gguf$/i;
  const firsts = ggufs.filter(({ name }) => Number(part.exec(name)?.[1] ?? 1) === 1);
  const isMeant = (name: string): boolean => {
    const model = name.replace(part, '.gguf').toLowerCase();
    const wanted = asked?.toLowerCase() ?? '';
    return model === wanted || (/^[-._]/.test(model.slice(0, -5 - wanted.length).at(-1) ?? '') && model.endsWith(`${wanted}.gguf`));
  };
  const exact = firsts.filter(({ name }) => name === asked);
  const meant = asked === undefined ? firsts : exact.length > 0 ? exact : firsts.filter(({ name }) => isMeant(name));
  if (meant.length !== 1) {
    const there = firsts.length === 0 ? 'there is none' : `there: ${shown(firsts.map(({ name }) => name).join(', '), 300)}`;
    const wrong =
      asked === undefined ? `${firsts.length} models` : `${meant.length === 0 ? 'no model' : `${meant.length} models`} ${quoted(asked)}`;
    const message = `${shown(repository, 100)} has ${wrong} in GGUF (${there}); name one with --file, or its type as in org/name:Q4_K_M.`;
    throw firsts.length > 0 ? new SeveralFiles(message, firsts) : new InputError(message);
  }
  const [{ name }] = meant;
  const count = Number(part.exec(name)?.[2] ?? 1);
  const base = name.replace(part, '');
  const files =
    count === 1
      ? meant
      : ggufs.filter((file) => file.name.replace(part, '') === base && part.exec(file.name)?.[2] === part.exec(name)?.[2]);
  if (files.length !== count) {
    throw new InputError(`${shown(repository, 100)} has ${files.length} of the ${count} files of ${shown(name)}; use another.`);
  }
  return files;
}
