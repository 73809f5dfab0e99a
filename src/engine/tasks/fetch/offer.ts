import { join } from 'node:path';
import * as z from 'zod';
import { InputError } from '../../../core/errors';
import type { HubFile, Offer } from '../../../core/fetch/offer';
import { quoted, shown } from '../../../core/text/printable';
import { jsonOrNothing } from '../../read/input/json';
import { inputLimits } from '../../read/input/limits';
import { repositoryFolder } from '../../read/model/found/hub-cache';
import { isShardName } from '../../read/model/shards';
import { type HubConnection, notUnderstood } from './connection';
import { isWhole } from './download';
import { type AskedModel, chooseFiles, shardIndex } from './files';
import { partialsOf } from './partial';

/** Most files and folders of a repository's own folder, and pages on which they are listed. */
const maximumFiles = 10_000;
const maximumPages = 100;

const infoSchema = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  gated: z.union([z.boolean(), z.string()]).nullish(),
  cardData: z
    .object({ license: z.union([z.string(), z.array(z.string())]).nullish(), license_name: z.string().nullish() })
    .nullish()
    .catch(undefined),
  tags: z.array(z.string()).nullish().catch(undefined),
});

const entrySchema = z.object({
  type: z.string(),
  path: z.string(),
  size: z.number().int().min(0),
  // Only files of these digests can be checked; folders have one as well, which nobody reads.
  oid: z.string().regex(/^[0-9a-f]{40}$/),
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.number().int().min(0) }).nullish(),
});

/**
 * Asks the hub what a model is, without fetching it.
 *
 * @param hub the folder of Hugging Face's cache
 * @throws InputError where it is not there, not allowed, not a model, or not named clearly enough
 */
export async function offerOf(asked: AskedModel, connection: HubConnection, hub: string): Promise<Offer> {
  const { listFiles, modelInfo } = await import('./hub');
  const { repository, revision } = asked;
  const { endpoint } = connection;
  const about = { hubUrl: endpoint, fetch: connection.ask };
  const info = infoSchema.safeParse(
    await understood(endpoint, modelInfo({ ...about, name: repository, revision, additionalFields: ['sha', 'cardData', 'tags'] })),
  );
  if (!info.success) {
    throw notUnderstood(endpoint);
  }
  const { sha: commit, gated, cardData, tags } = info.data;
  let pages = 0;
  const askPage: typeof connection.ask = (input) => {
    pages += 1;
    if (pages > maximumPages) {
      throw new InputError(`${endpoint} lists files on more than ${maximumPages} pages; check HF_ENDPOINT, or use another repository.`);
    }
    return connection.ask(input);
  };
  const all = new Map<string, HubFile>();
  let listed = 0;
  const entries = listFiles({ ...about, fetch: askPage, repo: { type: 'model', name: repository }, revision: commit });
  for (;;) {
    const next = await understood(endpoint, entries.next());
    if (next.done === true) {
      break;
    }
    if (listed === maximumFiles) {
      throw new InputError(`${shown(repository, 100)} has more than ${maximumFiles} files and folders in its own folder; use another.`);
    }
    listed += 1;
    for (const file of fileOf(next.value, endpoint)) {
      all.set(file.name, file);
    }
  }
  const { files, notes } = chooseFiles([...all.values()], asked, await shardsOf(asked, commit, all, connection));
  const folder = join(hub, repositoryFolder(repository));
  const missing = await Promise.all(files.map(async (file) => file.bytes - (await bytesThere(folder, file))));
  return {
    ...{ repository, revision, commit, endpoint, files, notes, folder },
    licence: licenceOf(cardData, tags),
    isGated: gated !== undefined && gated !== null && gated !== false,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    missingBytes: missing.reduce((sum, bytes) => sum + bytes, 0),
  };
}

/** The path of a file's content in the cache. */
export function blobPath(folder: string, { digest }: HubFile): string {
  return join(folder, 'blobs', digest.hex);
}

/** Bytes of a file that are in the cache: all of them, or as many as were fetched before. */
async function bytesThere(folder: string, file: HubFile): Promise<number> {
  const blob = blobPath(folder, file);
  return (await isWhole(blob, file)) ? file.bytes : ((await partialsOf(blob, file.bytes)).at(0)?.bytes ?? 0);
}

/** A file that a repository lists; none for a folder, and for a name that could lead elsewhere: no model needs such a file. */
function fileOf(entry: unknown, endpoint: string): HubFile[] {
  const read = entrySchema.safeParse(entry);
  if (!read.success) {
    throw notUnderstood(endpoint);
  }
  const { type, path: name, size, oid, lfs } = read.data;
  const isOdd = /[\\/:\p{C}\p{Zl}\p{Zp}]/u.test(name) || /^\.+$/.test(name) || name.length > 200;
  if (type !== 'file' || isOdd) {
    return [];
  }
  const large = lfs ?? undefined;
  return [
    {
      ...{ name, bytes: large?.size ?? size },
      digest: large === undefined ? { kind: 'git', hex: oid } : { kind: 'sha256', hex: large.oid },
    },
  ];
}

/** The files that the index of a sharded checkpoint names; undefined where that is not needed. */
async function shardsOf(
  { repository, gguf }: AskedModel,
  commit: string,
  all: ReadonlyMap<string, HubFile>,
  connection: HubConnection,
): Promise<readonly string[] | undefined> {
  if (gguf !== undefined || !all.has(shardIndex) || all.has('model.safetensors')) {
    return undefined;
  }
  const { body } = await connection.text(addressOf(connection.endpoint, repository, commit, shardIndex), inputLimits.shardIndex);
  const read = z.object({ weight_map: z.record(z.string(), z.string()) }).safeParse(jsonOrNothing(body));
  if (!read.success) {
    throw new InputError(`${shown(repository, 100)} has a ${shardIndex} without a weight_map; use another revision.`);
  }
  const shards = [...new Set(Object.values(read.data.weight_map))];
  const wrong = shards.find((name) => !isShardName(name));
  if (wrong !== undefined || shards.length === 0) {
    const what = wrong === undefined ? 'no file' : `${quoted(wrong)}, which is no safetensors file of its own folder`;
    throw new InputError(`${shown(repository, 100)} names ${what} in ${shardIndex}; nothing was fetched, use another revision.`);
  }
  return shards;
}

/** Where a file of a commit is fetched. */
export function addressOf(endpoint: string, repository: string, commit: string, name: string): string {
  return `${endpoint}/${repository}/resolve/${commit}/${encodeURIComponent(name)}`;
}

type Card = z.infer<typeof infoSchema>['cardData'];

function licenceOf(card: Card, tags: readonly string[] | null | undefined): string | null {
  const stated = [card?.license ?? []].flat().map((each) => (each === 'other' ? (card?.license_name ?? each) : each));
  const tagged = (tags ?? []).filter((tag) => tag.startsWith('license:')).map((tag) => tag.slice('license:'.length));
  const licences = stated.length > 0 ? stated : tagged;
  return licences.length === 0 ? null : shown(licences.join(', '), 100);
}

/** What the library makes of an answer. What it cannot read ends in errors of any kind. */
async function understood<T>(endpoint: string, answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    throw error instanceof SyntaxError || error instanceof TypeError || error instanceof URIError ? notUnderstood(endpoint) : error;
  });
}
