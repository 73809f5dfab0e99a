import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, messageOf } from '../core/errors';
import { adapterConfigFile } from '../engine/read/model/adapter/config';
import { openModel, placeOf } from '../engine/read/model/load';
import type { DigestStore } from '../engine/store/digests';
import type { WorkerModel } from './worker';

/**
 * The models with weights in a folder: the folder itself, or those in it. What cannot be read as a model is left out, and said.
 *
 * @throws InputError where there is none
 */
export async function workerModels(folder: string, digests: DigestStore, log: (line: string) => void): Promise<WorkerModel[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new InputError(`--models ${folder} cannot be read (${messageOf(error)}); give a folder with models.`);
  });
  const candidates = names.includes('config.json') ? [folder] : names.sort().map((name) => join(folder, name));
  const models: WorkerModel[] = [];
  for (const candidate of candidates) {
    if (!(await hasWeights(candidate))) {
      continue;
    }
    try {
      const model = await openModel(candidate, '');
      const { name } = model;
      const path = placeOf(model);
      const { digest } = await digests.ofModel(path);
      const same = models.find((model) => model.digest === digest);
      if (same !== undefined) {
        log(`${candidate} is left out: ${same.name} has the same content.`);
        continue;
      }
      models.push({ name, folder: path, digest });
      log(`${name} is ${digest.slice(0, 12)}.`);
    } catch (error) {
      log(`${candidate} is left out: ${messageOf(error)}`);
    }
  }
  if (models.length === 0) {
    throw new InputError(
      `--models ${folder} holds no model that can be run; give a folder with config.json and safetensors files, or one of such.`,
    );
  }
  return models;
}

function hasWeights(folder: string): Promise<boolean> {
  return readdir(folder).then(
    (names) => (names.includes('config.json') || names.includes(adapterConfigFile)) && names.some((name) => name.endsWith('.safetensors')),
    () => false,
  );
}
