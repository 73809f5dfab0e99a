import { homedir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../../../core/errors';
import { said } from '../../../core/l10n';
import { inputLimits } from '../../read/input/limits';
import { exists } from '../../read/input/regular-file';
import { readRegularText } from '../../read/input/text';
import { type Environment, hubHome, namedIn } from '../../read/model/found/stores';

/** Where models are fetched from, and as whom. */
export interface HubSettings {
  /** An address without a slash at its end. */
  readonly endpoint: string;
  /** Sent to the endpoint and nowhere else, and never shown. */
  readonly token: string | undefined;
}

export const usualEndpoint = 'https://huggingface.co';

/** Variables that forbid to connect, as huggingface_hub reads them. */
const offlineVariables = ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'];

/**
 * Reads endpoint and token as huggingface_hub does (its `constants.py` and `utils/_auth.py`).
 *
 * @throws InputError where a variable forbids to connect, or names what is no address
 */
export async function hubSettings(environment: Environment = process.env, home = homedir()): Promise<HubSettings> {
  const named = (name: string): string | undefined => namedIn(environment, name, home);
  const isOn = (name: string): boolean => /^(1|on|yes|true)$/i.test(named(name) ?? '');
  const offline = offlineVariables.find(isOn);
  if (offline !== undefined) {
    throw new InputError(`${offline} is set, so that nothing is fetched; unset it to fetch a model.`);
  }
  const given = token(named('HF_TOKEN') ?? named('HUGGING_FACE_HUB_TOKEN'), 'HF_TOKEN');
  // There is no way here to ask for the token but to have one.
  const known = isOn('HF_HUB_DISABLE_IMPLICIT_TOKEN')
    ? undefined
    : (given ?? (await tokenOf(named('HF_TOKEN_PATH') ?? join(hubHome(environment, home), 'token'))));
  return { endpoint: checkedEndpoint(named('HF_ENDPOINT')), token: known };
}

function checkedEndpoint(given: string | undefined): string {
  if (given === undefined) {
    return usualEndpoint;
  }
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.search + url.hash !== '') {
    // Its value may hold a password, also where it is no address.
    throw new InputError(`HF_ENDPOINT: the address given is no plain http or https address; write one such as ${usualEndpoint}.`);
  }
  return url.href.replace(/\/+$/, '');
}

async function tokenOf(path: string): Promise<string | undefined> {
  const fix = said`log in again with hf auth login, or remove the file`;
  return (await exists(path)) ? token(await readRegularText(path, inputLimits.secret, fix, fix), path) : undefined;
}

/** A token without the space around it; none where it is empty. @throws InputError for one that no header can carry */
function token(text: string | undefined, source: string): string | undefined {
  const clean = text?.trim() ?? '';
  if (!/^[\x21-\x7e]*$/.test(clean)) {
    throw new InputError(`${source} holds something other than a token; log in again with hf auth login, or remove it.`);
  }
  return clean === '' ? undefined : clean;
}
