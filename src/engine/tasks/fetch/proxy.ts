import { InputError } from '../../../core/errors';
import { text } from '../../../core/l10n';
import type { Environment } from '../../read/model/found/stores';
import type { Fetch } from './connection';

const variables = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'] as const;

/**
 * Node's `fetch`, through a proxy where the environment names one: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, also in small
 * letters. Node reads them itself from version 24 on, and only where `NODE_USE_ENV_PROXY` is set.
 *
 * @throws InputError for a proxy that is no address
 */
export async function proxiedFetch(environment: Environment = process.env): Promise<Fetch> {
  const set = variables.filter((name) => (environment[name] ?? '') !== '');
  if (set.length === 0) {
    return globalThis.fetch;
  }
  const wrong = set.find((name) => !isProxy(environment[name] ?? ''));
  if (wrong !== undefined) {
    // Its value may hold a password.
    throw new InputError(
      `${wrong} is no http or https address; write one such as http://proxy:8080 (with % in a password as %25), or unset it.`,
    );
  }
  const { EnvHttpProxyAgent, fetch, Pool } = await import('./undici');
  // An empty text is no proxy; what is left out would be looked for in the process's own environment.
  const of = (...names: readonly string[]): string => names.map((name) => environment[name] ?? '').find((value) => value !== '') ?? '';
  const dispatcher = new EnvHttpProxyAgent({
    httpProxy: of('http_proxy', 'HTTP_PROXY'),
    httpsProxy: of('https_proxy', 'HTTPS_PROXY'),
    noProxy: of('no_proxy', 'NO_PROXY'),
    clientFactory: (proxy, options) => {
      const pool = new Pool(proxy, options);
      const connect = pool.connect.bind(pool) as (tunnel: object) => Promise<unknown>;
      const once = (tunnel: object): Promise<unknown> =>
        connect(tunnel).catch((error: unknown) => {
          // After an error of this code undici connects again at once, without end.
          throw (error as NodeJS.ErrnoException).code === 'UND_ERR_SOCKET' ? new Error(text('the proxy closed the connection')) : error;
        });
      return Object.assign(pool, { connect: once as typeof pool.connect });
    },
  });
  // The types of undici and of Node's own copy of it differ in name only.
  return ((url: string, init: object) => fetch(url, { ...init, dispatcher })) as unknown as Fetch;
}

/** Whether undici can read an address of a proxy, with the name and the password in it. */
function isProxy(address: string): boolean {
  if (!/^https?:\/\/[^/]/i.test(address) || !URL.canParse(address)) {
    return false;
  }
  const { username, password } = new URL(address);
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}
