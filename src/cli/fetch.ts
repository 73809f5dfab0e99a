import { CancelledError, InputError, messageOf } from '../core/errors';
import { fetchProgressText, type Offer, offerLines } from '../core/fetch/offer';
import { formatBytes, formatNumberOf } from '../core/format';
import type { Option } from '../core/options/option';
import { shown } from '../core/text/printable';
import { findBase, MissingBase } from '../engine/read/model/adapter/adapter';
import { isAdapter } from '../engine/read/model/adapter/config';
import { modelStores } from '../engine/read/model/found/stores';
import { HubConnection } from '../engine/tasks/fetch/connection';
import { fetchOffer } from '../engine/tasks/fetch/fetch';
import { askedModel } from '../engine/tasks/fetch/files';
import { offerOf } from '../engine/tasks/fetch/offer';
import { proxiedFetch } from '../engine/tasks/fetch/proxy';
import { hubSettings } from '../engine/tasks/fetch/settings';
import { type Io, jsonOption, linePrinter, print } from './io';
import { type Command, textGiven } from './options';

const revisionOption: Option = {
  flag: 'revision',
  symbol: 'name',
  description: 'Branch, tag or commit of the repository; without it, main.',
  value: { type: 'text' },
};

const fileOption: Option = {
  flag: 'file',
  symbol: 'name.gguf',
  description: 'The GGUF file to fetch, of a repository with several.',
  value: { type: 'text' },
};

const yesOption: Option = {
  flag: 'yes',
  description: 'Agree to what would be fetched without being asked: for scripts.',
  value: { type: 'switch' },
  default: false,
};

/** `two-heads fetch`: gets a model from Hugging Face's hub into its cache. */
export const fetchCommand: Command = {
  usage: 'fetch <model>',
  description: "fetch a model, such as org/name or org/name:Q4_K_M, into Hugging Face's cache, after asking",
  options: [revisionOption, fileOption, yesOption, jsonOption],
  run: async ([name], given, io) => {
    const about = { revision: textGiven(revisionOption, given), file: textGiven(fileOption, given) };
    // What is no name at all is said before what is wrong with the settings.
    askedModel(name, about);
    const settings = await hubSettings();
    const asked = askedModel(name, { ...about, endpoint: settings.endpoint });
    const connection = new HubConnection(settings, await proxiedFetch(), io.signal);
    const offer = await offerOf(asked, connection, modelStores().hub);
    if (offer.missingBytes > 0 && given.yes !== true) {
      await agree(offer, io);
    }
    const line = linePrinter(io);
    const fetched = await fetchOffer(offer, {
      connection,
      signal: io.signal,
      onProgress: (progress) =>
        offer.missingBytes > 0 && line(progress.bytes / Math.max(1, progress.totalBytes), fetchProgressText(progress)),
    });
    const { repository, commit, licence, bytes } = offer;
    const missing = await missingBase(fetched.folder, io.modelsFolder);
    print(
      io,
      given,
      { ...fetched, repository, commit, licence, files: offer.files, bytes },
      () =>
        `${offer.missingBytes > 0 ? '' : 'all of it was there already\n'}${fetched.folder}\nuse it with --model ${forShell(fetched.name)}${missing}`,
    );
  },
};

/** Asks for consent. @throws InputError where nobody can be asked, CancelledError where the answer is not yes */
async function agree(offer: Offer, { stdin, stderr, signal }: Io): Promise<void> {
  if (stdin.isTTY !== true) {
    const { repository, files, missingBytes, licence, endpoint } = offer;
    throw new InputError(
      `${shown(repository, 100)} (${formatNumberOf(files.length, 'file')}, ${formatBytes(missingBytes)} to fetch from ${endpoint}, licence: ${licence ?? 'none stated'}) is fetched only after consent, and there is no terminal to ask on; give --yes.`,
    );
  }
  stderr.write(`${offerLines(offer).join('\n')}\nFetch it? [y/N] `);
  const answer = stdin[Symbol.asyncIterator]().next();
  const stopped = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(new CancelledError('Nothing was fetched.')), { once: true }),
  );
  const { value } = (await Promise.race([answer, stopped])) as { readonly value?: Uint8Array };
  if (!/^\s*y(es)?\s*$/i.test(Buffer.from(value ?? []).toString('utf8'))) {
    throw new CancelledError('Nothing was fetched.');
  }
}

/** What is still to be done for an adapter whose base is not on this machine, as a line; empty if nothing is. */
async function missingBase(folder: string, modelsFolder: string): Promise<string> {
  if (!(await isAdapter(folder))) {
    return '';
  }
  return findBase(folder, modelsFolder).then(
    () => '',
    (error: unknown) =>
      error instanceof MissingBase && error.fetchable !== undefined
        ? `\nits base is not on this machine yet: two-heads fetch ${error.fetchable}`
        : `\n${messageOf(error)}`,
  );
}

/** A word as a shell takes it: files of a repository may have names with spaces, and worse. */
function forShell(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) {
    return word;
  }
  return process.platform === 'win32' ? `"${word}"` : `'${word.replaceAll("'", "'\\''")}'`;
}
