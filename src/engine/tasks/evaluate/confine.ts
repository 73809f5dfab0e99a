import { readdir } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { InputError } from '../../../core/errors';
import type { Experiment } from '../../../core/evaluate/experiment';
import { quoted, shown } from '../../../core/text/printable';
import { isInside, realPath, realPlace } from '../../read/input/inside';
import { shippedModels } from '../../read/model/found/resolve';
import { modelPlaces } from '../../read/model/model-places';
import { promptFiles, promptPlaces } from '../../read/prompt';

/** Where an experiment may read and write that somebody else than the user asked for. Plain data: it goes to the engine process. */
export interface Confinement {
  /** Folders on this machine. */
  readonly folders: readonly string[];
  /** Models that the user chose, by name or folder. Those that ship and those within the folders are always allowed. */
  readonly models: readonly string[];
}

/**
 * The files of an experiment's prompts, once all that it names lies within some folders, with links resolved: prompts, results
 * and model.
 *
 * @param experiment with paths that can be opened
 * @throws InputError that names the first that lies elsewhere
 */
export async function confinedPrompts(
  { prompts, results, model }: Pick<Experiment, 'prompts' | 'results' | 'model'>,
  { folders, models }: Confinement,
  modelsFolder: string,
): Promise<string[]> {
  const real = await Promise.all(folders.map(realPath));
  const allowed = folders.map((folder) => shown(folder, 200)).join(', ');
  /** Refuses what a path names by where it leads: `link/..` is above the link's target, so no name is taken out of it first. */
  const hold = async (what: 'Model' | 'Prompt' | 'The results file', path: string, place = path): Promise<void> => {
    const there = await realPlace(isAbsolute(place) ? place : `${process.cwd()}${sep}${place}`);
    if (there === undefined || !real.some((folder) => isInside(folder, there))) {
      throw new InputError(
        what === 'The results file'
          ? `The results file ${quoted(path)} of the experiment is outside ${allowed}; name one inside.`
          : `${what} ${quoted(path)} of the experiment is outside ${allowed}; name one inside.`,
      );
    }
  };
  if (!models.includes(model) && !(await shippedModels(modelsFolder)).includes(model)) {
    await hold('Model', model);
    for await (const place of modelPlaces(model, models, modelsFolder)) {
      await hold('Model', model, place);
    }
  }
  if (results !== null) {
    await hold('The results file', results);
    const inFolder = await readdir(results).catch(() => []);
    for (const path of [`${results}.claims`, ...inFolder.map((name) => join(results, name))]) {
      await hold('The results file', path);
    }
  }
  // What is looked through first: folders elsewhere are not even listed.
  for (const path of prompts) {
    for (const place of await promptPlaces(path)) {
      await hold('Prompt', path, place);
    }
  }
  const files = await promptFiles(prompts, results);
  for (const file of files) {
    await hold('Prompt', file);
  }
  return files;
}
