import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { InputError, messageOf } from '../../core/errors';
import type { Experiment } from '../../core/evaluate/experiment';
import { parseExperiment } from '../tasks/evaluate/experiment-file';

/**
 * Reads an experiment file; its paths, relative to it, become paths that can be opened.
 *
 * @param modelsFolder the folder of the models that ship, whose names are no paths
 * @throws InputError where it cannot be read, or says something that cannot be
 */
export async function readExperiment(path: string, modelsFolder: string): Promise<Experiment> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new InputError(`${path} cannot be read (${messageOf(error)}); give the path of an experiment file.`);
  });
  return withPaths(parseExperiment(text, path), modelsFolder, (inner) => (isAbsolute(inner) ? inner : join(dirname(path), inner)));
}

/** An experiment with its paths moved; the name of a model that ships is none. */
export async function withPaths(experiment: Experiment, modelsFolder: string, moved: (path: string) => string): Promise<Experiment> {
  const { prompts, model, results } = experiment;
  const ships = await stat(join(modelsFolder, model)).catch(() => undefined);
  return {
    ...experiment,
    prompts: prompts.map(moved),
    model: ships === undefined ? moved(model) : model,
    results: results === null ? null : moved(results),
  };
}
