import { isIP } from 'node:net';
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
  readonly tls?: { readonly servername?: string; readonly ca?: string };
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
  const username = parsed === null ? null : decoded(parsed.username);
  // Of what is no address, nothing is shown: a part of it may be a password.
  if (parsed === null || username === null || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '') {
    throw new InputError('What is given for the broker is no address; give one such as redis://127.0.0.1:6379 or rediss://user@host:6379.');
  }
  const host = parsed.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = parsed.port === '' ? 6379 : Number(parsed.port);
  const name = `${parsed.hostname.toLowerCase()}:${port}`;
  if (parsed.password !== '') {
    throw new InputError(`The address of the broker ${name} has a password in it, which others can see; ${hintsOf(address).givePassword}.`);
  }
  const db = parsed.pathname.replace(/^\//, '');
  if (!/^\d{0,5}$/.test(db) || parsed.search !== '' || parsed.hash !== '') {
    throw new InputError(
      `The address of the broker ${name} has more than a database's number behind the host; write it as redis://host:6379/0.`,
    );
  }
  const encrypted = parsed.protocol === 'rediss:';
  if (ca !== undefined && !encrypted) {
    throw new InputError(`A certificate does nothing for redis://; use rediss:// for the broker ${name}, or leave it out.`);
  }
  // A certificate for a number has no name to be asked for.
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return {
    options: {
      host,
      port,
      db: Number(db),
      ...(username === '' ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(encrypted ? { tls: { ...servername, ...(ca === undefined ? {} : { ca }) } } : {}),
    },
    name,
    isPrivate: encrypted || /^(localhost|127(\.\d+){3}|::1)$/.test(host),
  };
}

/** A part of an address; null where it is no text. */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
