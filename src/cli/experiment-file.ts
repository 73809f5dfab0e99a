import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { InputError, messageOf } from '../core/errors';
import type { Experiment } from '../core/experiment/experiment';
import { parseExperiment } from '../engine/experiment/schema';
import { writeWhole } from './files';

/**
 * Reads an experiment file; its paths are made relative to the working folder.
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

/** Writes an experiment as a file that repeats it, with paths relative to that file. @throws InputError where it cannot be written */
export async function writeExperiment(path: string, experiment: Experiment, modelsFolder: string): Promise<void> {
  const saved = await withPaths(experiment, modelsFolder, (inner) => relative(resolve(dirname(path)), resolve(inner)).replaceAll('\\', '/') || '.');
  await writeWhole(path, `${JSON.stringify(saved, null, 2)}\n`, '--save');
}

async function withPaths(experiment: Experiment, modelsFolder: string, moved: (path: string) => string): Promise<Experiment> {
  const { prompts, model, results } = experiment;
  const ships = await stat(join(modelsFolder, model)).catch(() => undefined);
  return { ...experiment, prompts: prompts.map(moved), model: ships === undefined ? moved(model) : model, results: results === null ? null : moved(results) };
}
