import { join } from 'node:path';
import * as z from 'zod';
import { InputError } from '../../../../core/errors';
import { shown } from '../../../../core/text/printable';
import { parseJson } from '../../input/json';
import { inputLimits } from '../../input/limits';
import { readRegularText } from '../../input/text';
import { kindAt } from './folders';

/** What names of Ollama's models begin with. */
export const ollamaScheme = 'ollama:';

/** Parts that Ollama's names leave out. */
const usualHost = 'registry.ollama.ai';
const usualNamespace = 'library';
const usualTag = 'latest';

const weightsLayer = 'application/vnd.ollama.image.model';
const manifestSchema = z.object({
  layers: z.array(z.object({ mediaType: z.string(), digest: z.string() })).max(1024),
});

/** A model's place in Ollama's store: its manifest's path is `manifests/host/namespace/model/tag`. */
export type OllamaPlace = readonly [host: string, namespace: string, model: string, tag: string];

/** How the command line and reports name a model of Ollama's: `ollama:name:tag`. */
export function ollamaName([host, namespace, model, tag]: OllamaPlace): string {
  const owner = host === usualHost ? (namespace === usualNamespace ? [] : [namespace]) : [host, namespace];
  return `${ollamaScheme}${[...owner, model].join('/')}:${tag}`;
}

/** The place that a name means, which is written as for `ollama run`; undefined if it is no such name. */
function placeOf(name: string): OllamaPlace | undefined {
  const match = /^((?:[\w.-]+\/){0,2}[\w.-]+)(?::([\w.-]+))?$/.exec(name.slice(ollamaScheme.length));
  if (match === null) {
    return undefined;
  }
  // A group that matched nothing is undefined, whatever its type says.
  const [, path, tag] = match as unknown as readonly (string | undefined)[];
  const place = [...(path ?? '').split('/'), tag ?? usualTag];
  if (place.some((part) => /^\.*$/.test(part))) {
    return undefined;
  }
  return [...[usualHost, usualNamespace].slice(0, 4 - place.length), ...place] as unknown as OllamaPlace;
}

/** The weights that a manifest names: a GGUF file among the store's blobs. @throws InputError for a manifest without */
export async function ollamaWeights(store: string, place: OllamaPlace): Promise<{ readonly path: string; readonly name: string }> {
  const path = join(store, 'manifests', ...place);
  const name = ollamaName(place);
  const fix = `fetch it again with ollama pull ${shown(name.slice(ollamaScheme.length), 100)}`;
  const parsed = manifestSchema.safeParse(parseJson(await readRegularText(path, inputLimits.manifest, fix, fix), path, fix));
  const layers = parsed.success ? parsed.data.layers.filter(({ mediaType }) => mediaType === weightsLayer) : [];
  const digest = layers.length === 1 ? /^sha256[:-]([0-9a-f]{64})$/.exec(layers[0].digest)?.[1] : undefined;
  if (digest === undefined) {
    throw new InputError(`${path} names no single layer of type ${weightsLayer}, which holds weights; ${fix}.`);
  }
  return { path: join(store, 'blobs', `sha256-${digest}`), name: `${name}@${digest.slice(0, 8)}` };
}

/**
 * Finds `ollama:name:tag`, or `ollama:namespace/name:tag`, in Ollama's stores; the tag is `latest` by default. Behind it `@` and
 * the beginning of the weights' digest may stand, as reports have it.
 *
 * @throws InputError where it is not there
 */
export async function findOllama(asked: string, stores: readonly string[]): Promise<{ readonly path: string; readonly name: string }> {
  const [name, digest = ''] = asked.split('@', 2);
  const place = placeOf(name);
  if (place === undefined) {
    throw new InputError(`Model "${shown(asked, 100)}" is no name of Ollama's; write ollama:name:tag.`);
  }
  for (const store of stores) {
    const manifest = await kindAt(join(store, 'manifests', ...place));
    if (manifest !== undefined) {
      const found = await ollamaWeights(store, place);
      if (!found.name.slice(found.name.indexOf('@') + 1).startsWith(digest.slice(0, 8))) {
        throw new InputError(
          `Model "${shown(asked, 100)}" is ${found.name} in Ollama's store ${store}; name that, or fetch the other one.`,
        );
      }
      return found;
    }
  }
  throw new InputError(
    `Model "${shown(asked, 100)}" is not in Ollama's store (looked for ${stores.map((store) => join(store, 'manifests', ...place)).join(' and ')}); two-heads models lists what is there.`,
  );
}
