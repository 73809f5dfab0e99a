import { join } from 'node:path';
import { InputError, messageOf } from '../../../../core/errors';
import { said, text } from '../../../../core/l10n';
import { shown } from '../../../../core/text/printable';
import { type FoundModel, findModel } from '../found/resolve';
import type { ModelStores } from '../found/stores';
import { type AdapterConfig, adapterConfigFile, baseName, readAdapterConfig } from './config';

/** An adapter that stands before a model's weights. */
export interface Adapter {
  readonly folder: string;
  readonly config: AdapterConfig;
}

/** Whether a folder is in a cache of Hugging Face's, so that its files were written elsewhere. */
function isFetched(folder: string): boolean {
  return /(^|[\\/])models--[^\\/]+[\\/]snapshots[\\/]/.test(folder);
}

/** An adapter's base is not on this machine. */
export class MissingBase extends InputError {
  constructor(
    message: string,
    /** What `two-heads fetch` takes to get it; undefined where the adapter names no repository. */
    readonly fetchable: string | undefined,
  ) {
    super(message);
  }
}

/**
 * Reads an adapter's configuration, and finds the model that it adapts, by the name that this has there.
 *
 * @param modelsFolder the folder of the models that ship
 * @throws InputError where it cannot be merged; MissingBase
 */
export async function findBase(
  folder: string,
  modelsFolder: string,
  stores?: ModelStores,
): Promise<{ readonly adapter: Adapter; readonly base: Omit<FoundModel, 'notes'> }> {
  const config = await readAdapterConfig(folder);
  const { base, revision } = config;
  // What is made of points alone leads to another folder.
  const isName = /^[\w.-]+(\/[\w.-]+)?$/.test(base) && !base.split('/').some((part) => /^\.+$/.test(part));
  // Its author wrote it: only listing models would connect to another machine where it is the path of one.
  if (/^(?:[\\/]{2}|\w+:\/\/|\/net\/)/.test(base) || (!isName && isFetched(folder))) {
    throw new InputError(
      `${join(folder, adapterConfigFile)}: base_model_name_or_path ${baseName(config)} is a path of another machine; write the name or the path of the same model on this machine there.`,
    );
  }
  const named = revision === undefined || !isName ? base : `${base}@${revision}`;
  const found = await findModel(named, modelsFolder, stores).catch((error: unknown) => {
    const fix = isName
      ? said`fetch it (two-heads fetch ${shown(named, 100)})`
      : text('write the name or the path of the same model on this machine there');
    throw new MissingBase(
      said`${join(folder, adapterConfigFile)}: base_model_name_or_path ${baseName(config)} is not on this machine; ${fix}. ${shown(messageOf(error), 100)}`,
      isName ? named : undefined,
    );
  });
  return { adapter: { folder, config }, base: { name: found.name, path: found.path, kind: found.kind } };
}
