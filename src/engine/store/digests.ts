import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import * as z from 'zod';
import { InputError, messageOf } from '../../core/errors';
import { text } from '../../core/l10n';
import { parseJson } from '../read/input/json';
import { inputLimits } from '../read/input/limits';
import { readPieces } from '../read/input/regular-file';
import { readRegularText } from '../read/input/text';
import { findBase } from '../read/model/adapter/adapter';
import { isAdapter } from '../read/model/adapter/config';
import { ggufParts, kindAt } from '../read/model/found/folders';
import { makeFolder, writeWhole } from './files';

/** The files that make a model what it is. */
const modelFiles =
  /^(config\.json|adapter_config\.json|hf_quant_config\.json|tokenizer\.json|tokenizer_config\.json|.*\.safetensors|.*\.safetensors\.index\.json)$/;

/** By path, the newest last. */
const knownFiles = z.array(z.tuple([z.string(), z.object({ size: z.number(), changedMs: z.number(), sha256: z.string() })]));

type KnownFiles = Map<string, z.infer<typeof knownFiles>[number][1]>;

/** Most files whose digests are kept: the newest. */
const capacity = 1000;

/** A file that changed so shortly ago may change again within the same tick of the file system's clock, in milliseconds. */
const freshMs = 2000;

/** A file of a model, and the hex SHA-256 of its content: the same that Hugging Face publishes for weights. */
export interface FileDigest {
  readonly name: string;
  readonly sha256: string;
}

/** Digests of models; those of their files are kept, by size and time of change, because weights are large. */
export class DigestStore {
  /** @param folder of Two Heads' own; undefined keeps nothing */
  constructor(private readonly folder: string | undefined) {}

  /**
   * What makes results those of one model and no other: the hex SHA-256 of its configuration's, tokenizer's and weights'
   * names and digests, sorted by name, a line of `sha256  name` each.
   *
   * An adapter is its own files and those of its base, whose names begin with `base/`.
   *
   * @param model its folder, or its GGUF file
   * @throws InputError for a folder or a file that cannot be read
   */
  async ofModel(model: string): Promise<{ readonly digest: string; readonly files: readonly FileDigest[] }> {
    const known = await this.read();
    const files: FileDigest[] = [];
    let learned = false;
    for (const { name, path } of await filesOf(model)) {
      const before = known.get(path);
      files.push({ name, sha256: await digestOf(path, known) });
      learned ||= known.get(path) !== before;
    }
    if (files.length === 0) {
      throw new InputError(`${model} holds no model; give a folder with a config.json.`);
    }
    if (learned) {
      await this.write(known);
    }
    const lines = files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
    return { digest: createHash('sha256').update(lines).digest('hex'), files };
  }

  private async read(): Promise<KnownFiles> {
    const { path } = this;
    const content = path === undefined ? '' : await readRegularText(path, inputLimits.digests, '', '').catch(() => '');
    try {
      return new Map(knownFiles.parse(parseJson(content, '', '')));
    } catch {
      return new Map();
    }
  }

  /** Another process may write at the same time: what one of them loses is digested again. */
  private async write(known: KnownFiles): Promise<void> {
    if (this.folder !== undefined && this.path !== undefined) {
      await makeFolder(this.folder);
      await writeWhole(this.path, JSON.stringify([...known].slice(-capacity)));
    }
  }

  private get path(): string | undefined {
    return this.folder === undefined ? undefined : join(this.folder, 'digests.json');
  }
}

/** A model's files, sorted by name. */
async function filesOf(model: string): Promise<readonly { readonly name: string; readonly path: string }[]> {
  if ((await kindAt(model)) === 'file') {
    return ggufParts(model).map((path) => ({ name: basename(path), path: resolve(path) }));
  }
  const names = await readdir(model).catch((error: unknown) => {
    throw new InputError(`${model} cannot be read (${messageOf(error)}); give a model's folder.`);
  });
  const own = names.filter((each) => modelFiles.test(each)).sort();
  const base = (await isAdapter(model)) ? await filesOf((await findBase(model, '')).base.path) : [];
  return [...own.map((name) => ({ name, path: resolve(model, name) })), ...base.map(({ name, path }) => ({ name: `base/${name}`, path }))];
}

/** The digest of a file, taken from `known` if it has not changed since, and added to it. */
async function digestOf(path: string, known: KnownFiles): Promise<string> {
  const { size, mtimeMs: changedMs } = await stat(path).catch((error: unknown) => {
    throw new InputError(`${path} cannot be read (${messageOf(error)}); download it again.`);
  });
  const before = known.get(path);
  if (before?.size === size && before.changedMs === changedMs) {
    return before.sha256;
  }
  const digest = createHash('sha256');
  for await (const piece of readPieces(path, text('remove it from the model, or put the file itself there'))) {
    digest.update(piece);
  }
  const sha256 = digest.digest('hex');
  if (Date.now() - changedMs > freshMs) {
    known.delete(path);
    known.set(path, { size, changedMs, sha256 });
  }
  return sha256;
}
