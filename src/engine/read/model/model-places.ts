import { isAbsolute } from 'node:path';
import { findBase } from './adapter/adapter';
import { isAdapter, readAdapterConfig } from './adapter/config';
import { ggufParts } from './found/folders';
import { findModel, type FoundModel, shippedModels } from './found/resolve';

/**
 * Where a model is read from: its folder, or the files of one in GGUF; of an adapter, also its base. Each is given before anything of
 * it or of the next is read: one that must not be read ends the loop. Links within a folder are judged where they are followed
 * (`checkLink`).
 *
 * @param free models that may lie anywhere, by name or path; as those that ship, they have no places
 * @throws InputError as `findModel`, and for an adapter that cannot be read or whose base is not there
 */
export async function* modelPlaces(asked: string, free: readonly string[], modelsFolder: string): AsyncGenerator<string> {
  const shipped = await shippedModels(modelsFolder);
  if (free.includes(asked) || shipped.includes(asked)) {
    return;
  }
  const found = await findModel(asked, modelsFolder);
  yield* placesOf(found);
  if (found.kind !== 'folder' || !(await isAdapter(found.path))) {
    return;
  }
  const { base: named } = await readAdapterConfig(found.path);
  if (free.includes(named) || shipped.includes(named)) {
    return;
  }
  if (isAbsolute(named) || named.startsWith('.')) {
    // By its name first: whether there is a model elsewhere is not to be told.
    yield named;
  }
  const { base } = await findBase(found.path, modelsFolder);
  const chosen = await Promise.all(free.map((each) => findModel(each, modelsFolder).catch(() => undefined)));
  if (chosen.every((each) => each?.path !== base.path)) {
    yield* placesOf(base);
  }
}

function placesOf({ path, kind }: Pick<FoundModel, 'path' | 'kind'>): readonly string[] {
  return kind === 'gguf' ? ggufParts(path) : [path];
}
