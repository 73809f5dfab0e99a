import type { ConnectionOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { InputError, messageOf } from '../core/errors';
import { said, text } from '../core/l10n';
import { type BrokerAddress, endpointOf, hintsOf } from './address';

export type { BrokerAddress };

/** All keys begin with it: an ACL user needs no others. */
export const keyPrefix = 'two-heads';

/** Time for the first answers of a broker, in milliseconds. */
const connectMs = 10_000;

/** How long an answer may take, in milliseconds: longer than BullMQ waits for a job or an event. */
const silentMs = 30_000;

/** A broker that answered: Redis or Valkey. Once it did, an outage is waited for. */
export class Broker {
  private constructor(
    /** For commands; they wait while the broker is away. */
    readonly redis: Redis,
    /** For the connections that BullMQ opens itself. */
    readonly connection: ConnectionOptions,
    /** Its host and port, for people. */
    readonly name: string,
  ) {}

  /**
   * Connects to a broker.
   *
   * @param log takes a line where something about the broker is not as it should be, when it goes away, and when it is back
   * @throws InputError that says why it cannot be used
   */
  static async open(address: BrokerAddress, log: (line: string) => void): Promise<Broker> {
    const { options, name, isPrivate } = endpointOf(address);
    if (!isPrivate) {
      log(`${name} is not on this machine and its connection is not encrypted: who can read it sees the prompts' tokens; use rediss://.`);
    }
    const { Redis: Client } = await import('./bullmq');
    const probe = new Client({
      ...options,
      db: 0,
      lazyConnect: true,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
      connectTimeout: connectMs / 2,
    });
    let last: unknown;
    probe.on('error', (error) => {
      last = error;
    });
    try {
      await within(
        connectMs,
        probe.connect().then(() => checkServer(probe, options.db, name, log)),
        name,
      );
    } catch (error) {
      throw error instanceof InputError ? error : refusal(address, name, last ?? error);
    } finally {
      probe.disconnect();
    }
    // BullMQ wants commands to wait for the broker, however long. A connection that says nothing is opened anew: its other end
    // may be gone without a word.
    const connection = {
      ...options,
      socketTimeout: silentMs,
      maxRetriesPerRequest: null,
      retryStrategy: (times: number) => Math.min(2000, 100 * times),
    };
    const redis = new Client(connection);
    tellOutages(redis, name, log);
    return new Broker(redis, connection, name);
  }

  close(): void {
    this.redis.disconnect();
  }
}

/** Refuses a server that cannot be a broker, and says what it may do to its data. */
async function checkServer(redis: Redis, db: number, name: string, log: (line: string) => void): Promise<void> {
  // A connection to a database that is not there is one to the first.
  await redis.select(db).catch((error: unknown) => {
    throw !/index/i.test(messageOf(error))
      ? error
      : new InputError(`The broker ${name} has no database ${db} (${messageOf(error)}); leave its number out of the address.`);
  });
  if (/^role:slave/m.test(await redis.info('replication'))) {
    throw new InputError(`The broker ${name} is a replica, which cannot be written to; name its primary.`);
  }
  const memory = await redis.info('memory');
  const policy = /^maxmemory_policy:(.*?)\r?$/m.exec(memory)?.[1];
  if (policy !== undefined && policy !== 'noeviction') {
    log(`${name} may drop jobs when its memory is full (maxmemory-policy ${policy}); set it to noeviction.`);
  }
}

/** Waits for an answer so long. @throws InputError */
export async function within<T>(ms: number, asked: Promise<T>, name: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new InputError(`The broker ${name} does not answer; check its address, and that it runs.`)), ms);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}

function tellOutages(redis: Redis, name: string, log: (line: string) => void): void {
  let isAway = false;
  redis.on('error', () => {
    if (!isAway) {
      isAway = true;
      log(`${name} is away; waiting for it.`);
    }
  });
  redis.on('ready', () => {
    if (isAway) {
      isAway = false;
      log(`${name} is back.`);
    }
  });
}

/** Why a broker cannot be used, with the fix. */
function refusal(address: BrokerAddress, name: string, error: unknown): InputError {
  const { url } = address;
  const hints = hintsOf(address);
  const message = messageOf(error);
  const { code } = error as NodeJS.ErrnoException;
  const because = (reason: string, fix: string): InputError => new InputError(`The broker ${name} ${reason}; ${fix}.`);
  if (/WRONGPASS|invalid username-password/.test(message)) {
    return because(text('refuses the user or the password'), said`check the user in its address and ${hints.passwordPlace}`);
  }
  if (/NOAUTH/.test(message)) {
    return because(text('wants a password'), hints.givePassword);
  }
  if (/without any password configured/.test(message)) {
    return because(text('has no password, and one was given'), said`${hints.dropPassword}, or set a password there`);
  }
  if (/NOPERM/.test(message)) {
    return because(said`does not let this user work (${message})`, text('give the user the rights that docs/fleet names'));
  }
  if (code !== undefined && /CERT|SIGNED|ALTNAME|UNABLE_TO/.test(code)) {
    return because(said`has a certificate that is not trusted (${message})`, hints.trust);
  }
  if (url.startsWith('rediss:') && code !== 'ECONNREFUSED' && code !== 'ENOTFOUND') {
    // A server without TLS waits for the rest of what it takes for a command.
    return because(
      said`does not answer through TLS (${message})`,
      text('check its address, and whether it speaks TLS: otherwise use redis://'),
    );
  }
  if (url.startsWith('redis:') && (code === 'ECONNRESET' || /closed/i.test(message))) {
    return because(text('closed the connection'), text('if it wants TLS, use rediss://'));
  }
  return because(said`cannot be reached (${message})`, text('check its address, and that it runs'));
}
