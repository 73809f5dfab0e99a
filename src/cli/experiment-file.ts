import { dirname, relative, resolve } from 'node:path';
import type { Experiment } from '../core/evaluate/experiment';
import { withPaths } from '../engine/tasks/evaluate/experiment-file';
import { writeWhole } from './files';

/** Writes an experiment as a file that repeats it, with paths relative to that file. @throws InputError where it cannot be written */
export async function writeExperiment(path: string, experiment: Experiment, modelsFolder: string): Promise<void> {
  const saved = await withPaths(
    experiment,
    modelsFolder,
    (inner) => relative(resolve(dirname(path)), resolve(inner)).replaceAll('\\', '/') || '.',
  );
  await writeWhole(path, `${JSON.stringify(saved, null, 2)}\n`, '--save');
}
