import { InputError } from '../core/errors';

/** Where a broker is, and how to get in; plain data. */
export interface BrokerAddress {
  /** `redis://` or `rediss://`, with a user and a database where it has them, and never with a password. */
  readonly url: string;
  readonly password?: string | undefined;
  /** Certificates of the authority that signed the broker's, as PEM; those of the system where it is left out. */
  readonly ca?: string | undefined;
  /** Fixes that refusals name; the command line's where they are left out. */
  readonly hints?: BrokerHints | undefined;
}

/** What users can do about a broker that refuses them, each the end of a sentence. */
interface BrokerHints {
  /** Gives a password. */
  readonly givePassword: string;
  /** Gives none. */
  readonly dropPassword: string;
  /** Where the password is. */
  readonly passwordPlace: string;
  /** Has a certificate trusted. */
  readonly trust: string;
}

/** The environment's variable that holds a broker's password on the command line. */
export const passwordVariable = 'TWO_HEADS_BROKER_PASSWORD';

const commandLineHints: BrokerHints = {
  givePassword: `give it in ${passwordVariable} or with --password-file`,
  dropPassword: `unset ${passwordVariable}`,
  passwordPlace: `${passwordVariable} or --password-file`,
  trust: 'name its authority with --ca',
};

/** The fixes that refusals of an address name. */
export function hintsOf({ hints = commandLineHints }: BrokerAddress): BrokerHints {
  return hints;
}

/** Where a connection goes. */
interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: { readonly servername: string; readonly ca?: string };
}

/** How an address is connected to. @throws InputError */
export function endpointOf(address: BrokerAddress): {
  options: Endpoint;
  /** Host and port, for people. */
  name: string;
  /** Whether nobody but this machine and the broker's can read what crosses. */
  isPrivate: boolean;
} {
  const { url, password, ca } = address;
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '') {
    throw new InputError(
      `The broker ${hidePassword(url)} is no address; give one such as redis://127.0.0.1:6379 or rediss://user@host:6379.`,
    );
  }
  if (parsed.password !== '') {
    throw new InputError(
      `The broker ${hidePassword(url)} has a password in its address, which others can see; ${hintsOf(address).givePassword}.`,
    );
  }
  const db = parsed.pathname.replace(/^\//, '');
  if (!/^\d{0,5}$/.test(db) || parsed.search !== '' || parsed.hash !== '') {
    throw new InputError(`The broker ${url} has more than a database's number behind its host; write it as redis://host:6379/0.`);
  }
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  const port = parsed.port === '' ? 6379 : Number(parsed.port);
  const encrypted = parsed.protocol === 'rediss:';
  return {
    options: {
      host,
      port,
      db: Number(db),
      ...(parsed.username === '' ? {} : { username: decodeURIComponent(parsed.username) }),
      ...(password === undefined ? {} : { password }),
      ...(encrypted ? { tls: { servername: host, ...(ca === undefined ? {} : { ca }) } } : {}),
    },
    name: `${parsed.hostname}:${port}`,
    isPrivate: encrypted || /^(localhost|127(\.\d+){3}|::1)$/.test(host),
  };
}

function hidePassword(url: string): string {
  return url.replace(/:[^:/@]*@/, ':...@');
}
