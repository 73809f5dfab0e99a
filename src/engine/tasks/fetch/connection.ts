import { version } from '../../../../package.json';
import { CancelledError, InputError } from '../../../core/errors';
import { formatBytes } from '../../../core/format';
import { said } from '../../../core/l10n';
import { shown } from '../../../core/text/printable';
import { jsonOrNothing } from '../../read/input/json';
import type { HubSettings } from './settings';

/** Node's `fetch`, or what stands for it: undici's with a proxy, VS Code's with its setting `http.proxy`. */
export type Fetch = typeof globalThis.fetch;

/** The other side did not answer, or stopped: what was begun may go on later. */
export class Unreachable extends InputError {}

/** The other side has no such bytes of a file: what was begun is not of it. */
export class RangeRefused extends InputError {}

/** Most redirects of a request: the hub sends a large file's to its store of contents. */
const maximumRedirects = 5;

/** Most bytes of an answer about a repository. */
const maximumAnswer = 64 * 1024 * 1024;

/** Time without a byte after which a connection counts as cut, in milliseconds. */
const patienceMs = 60_000;

/** Longest wait that a server is quoted with, in seconds; the hub's are minutes. */
const maximumRetrySeconds = 24 * 3600;

/** Requests to one endpoint, with its token. It alone decides who is sent that. */
export class HubConnection {
  readonly endpoint: string;
  private readonly origin: string;

  /** @param patience time without a byte after which a connection counts as cut, in milliseconds */
  constructor(
    private readonly settings: HubSettings,
    private readonly fetch: Fetch,
    private readonly signal: AbortSignal,
    private readonly patience = patienceMs,
  ) {
    this.endpoint = settings.endpoint;
    this.origin = new URL(settings.endpoint).origin;
  }

  /**
   * For `@huggingface/hub`, which parses answers itself: they are read up to a limit, are JSON that is not nested too deeply, and refusals are errors already. What it would send of its own is
   * not sent: it knows no token.
   */
  readonly ask: Fetch = async (input) => {
    const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url;
    const text = await this.text(url, maximumAnswer);
    if (jsonOrNothing(text.body) === undefined) {
      throw notUnderstood(this.endpoint);
    }
    return new Response(text.body, { headers: text.link === null ? {} : { Link: text.link } });
  };

  /** The text at an address. @throws InputError as `get` does, and where it has more bytes than `limit` */
  async text(url: string, limit: number): Promise<{ readonly body: string; readonly link: string | null }> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    const { response, body } = await this.get(url, {});
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > limit) {
        throw new InputError(`${hostOf(url)} answers with more than ${formatBytes(limit)}; check HF_ENDPOINT.`);
      }
      pieces.push(piece);
    }
    return { body: Buffer.concat(pieces).toString('utf8'), link: response.headers.get('Link') };
  }

  /**
   * Gets an address, through redirects, and its bytes as they come.
   *
   * @throws InputError for a refusal, with what to do; Unreachable where the connection fails; CancelledError
   */
  async get(
    url: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ readonly response: Response; readonly body: AsyncGenerator<Uint8Array> }> {
    const stalled = new AbortController();
    const signal = AbortSignal.any([this.signal, stalled.signal]);
    let timer = setTimeout(() => stalled.abort(), this.patience);
    const step = async <T>(host: string, wait: () => Promise<T>): Promise<T> => {
      clearTimeout(timer);
      timer = setTimeout(() => stalled.abort(), this.patience);
      try {
        return await wait();
      } catch (error) {
        throw this.signal.aborted
          ? new CancelledError('The fetch was cancelled.')
          : unreachable(host, stalled.signal.aborted ? said`it stopped sending` : error);
      } finally {
        clearTimeout(timer);
      }
    };
    let at = new URL(url);
    // Who was sent elsewhere once is sent no token any more, though the way leads back: another chose the address.
    let isTrusted = true;
    for (let redirects = 0; ; redirects += 1) {
      const { href, host } = at;
      isTrusted &&= at.origin === this.origin;
      const sent = this.headersFor(isTrusted, headers);
      const response = await step(host, () => this.fetch(href, { headers: sent, redirect: 'manual', signal }));
      const location = response.headers.get('Location');
      if (response.status >= 300 && response.status < 400 && location !== null && redirects < maximumRedirects) {
        await response.body?.cancel();
        at = redirected(at, location);
        continue;
      }
      if (!response.ok) {
        await response.body?.cancel().catch(() => undefined);
        throw refusal(response, new URL(url), host, this.settings.token !== undefined);
      }
      return { response, body: pieces(response, (wait) => step(host, wait)) };
    }
  }

  /** Headers of a request: a token only for the endpoint itself. */
  private headersFor(isTrusted: boolean, headers: Readonly<Record<string, string>>): Record<string, string> {
    const { token } = this.settings;
    return {
      ...headers,
      // What is packed could not be continued in the middle.
      'Accept-Encoding': 'identity',
      'User-Agent': `two-heads/${version}`,
      ...(token !== undefined && isTrusted && { Authorization: `Bearer ${token}` }),
    };
  }
}

async function* pieces(response: Response, step: <T>(wait: () => Promise<T>) => Promise<T>): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const next = await step(() => reader?.read() ?? Promise.resolve({ done: true as const, value: undefined }));
      if (next.done) {
        return;
      }
      yield next.value;
    }
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}

function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (
    to === undefined ||
    !/^https?:$/.test(to.protocol) ||
    to.username + to.password !== '' ||
    (from.protocol === 'https:' && to.protocol === 'http:')
  ) {
    throw new InputError(
      `${from.host} redirects to ${to === undefined || to.username + to.password !== '' ? 'an address' : shown(location.split('?')[0], 80)}, which is not followed; check HF_ENDPOINT.`,
    );
  }
  return to;
}

/** A failed connection in one line: without the address of a proxy, which may hold a password. */
function unreachable(host: string, reason: unknown): InputError {
  if (typeof reason === 'string') {
    return new Unreachable(said`${host} cannot be reached (${reason}); fetch again to continue.`);
  }
  const chain: readonly unknown[] = causes(reason);
  const texts = chain.map((error) => (error instanceof Error ? error.message : ''));
  // Of a tunnel, and of an answer without one: Node's `fetch` makes errors of both.
  const refused = texts
    .map((text) => /Proxy response \((\d+)\)/.exec(text)?.[1] ?? (/proxy authentication required/i.test(text) ? '407' : undefined))
    .find((status) => status !== undefined);
  if (refused !== undefined) {
    return proxyRefusal(host, refused);
  }
  const code = chain
    .map((error) => (error as { code?: unknown } | undefined)?.code)
    .find((each): each is string => typeof each === 'string');
  // Node 20 says nothing at all where a proxy asks for a password that nobody gave it.
  const reasonText = code ?? (texts[0] === '' ? said`no reason is given, as where a proxy wants a password (407)` : texts[0]);
  return new Unreachable(
    said`${host} cannot be reached (${shown(reasonText, 80)}); check the network, HTTPS_PROXY and HF_ENDPOINT, then fetch again.`,
  );
}

/** An error with those that caused it. */
function causes(error: unknown, depth = 0): unknown[] {
  const { cause } = (error ?? {}) as { cause?: unknown };
  return cause === undefined || depth === 5 ? [error] : [...causes(cause, depth + 1), error];
}

function proxyRefusal(host: string, status: string | number): InputError {
  const fix =
    String(status) === '407'
      ? 'give it a name and a password, as in HTTPS_PROXY=http://name:password@proxy:8080 or in VS Code the setting http.proxy'
      : 'ask who runs it, or name the host in NO_PROXY';
  return new InputError(`The proxy refuses the way to ${host} (${status}); ${fix}.`);
}

/**
 * What an answer means that is none, and what to do. Codes are the hub's (`X-Error-Code`, huggingface_hub's `_http.py`).
 *
 * @param host who answered, perhaps after a redirect of `at`
 */
function refusal(response: Response, at: URL, host: string, hasToken: boolean): InputError {
  const { status, headers } = response;
  const code = headers.get('X-Error-Code');
  const what = repositoryIn(at);
  const login = hasToken
    ? 'the token that was sent does not allow it'
    : 'log in with hf auth login, or set HF_TOKEN to a token of huggingface.co/settings/tokens';
  if (code === 'GatedRepo') {
    return new InputError(
      `${what} is gated: accept its conditions at ${at.origin}/${repositoryIn(at)}, then fetch it with the token of that account (${login}).`,
    );
  }
  if (code === 'RevisionNotFound') {
    return new InputError(`${what} has no such revision; give a branch, a tag or a commit with --revision.`);
  }
  if (status === 407) {
    return proxyRefusal(host, status);
  }
  if (status === 429) {
    const seconds = Number(headers.get('Retry-After') ?? NaN);
    const when = seconds > 0 && seconds <= maximumRetrySeconds ? `in ${Math.ceil(seconds)} s` : 'after a while';
    return new InputError(
      hasToken
        ? `${host} limits how often it is asked (429); fetch again ${when}.`
        : `${host} limits how often it is asked (429); fetch again ${when}, or with a token, which may ask more often.`,
    );
  }
  if (code === 'RepoNotFound' || status === 404) {
    return new InputError(
      hasToken
        ? `${what} is not on ${host}, or is private; check the name.`
        : `${what} is not on ${host}, or is private; check the name, or ${login}.`,
    );
  }
  if (status === 401 || status === 403) {
    return new InputError(
      hasToken
        ? `${host} refuses ${what} (${status}); the token that was sent does not allow it.`
        : `${host} refuses ${what} (${status}); log in with hf auth login, or set HF_TOKEN to a token of huggingface.co/settings/tokens.`,
    );
  }
  if (status === 416) {
    return new RangeRefused(said`${host} does not send ${what} from where it was (416); fetch again.`);
  }
  return status >= 500
    ? new Unreachable(said`${host} fails (${status}); fetch again later.`)
    : new InputError(`${host} answers ${status} for ${what}; check HF_ENDPOINT.`);
}

/** The repository of an address of the hub, for messages. */
function repositoryIn({ pathname }: URL): string {
  const path = decodeURIComponent(pathname).replace(/^.*?\/api\/models\//, '/');
  return shown(/^\/(.+?)(?:\/(?:revision|tree|resolve)\/|$)/.exec(path)?.[1] ?? path, 100);
}

/** What answers is no hub. */
export function notUnderstood(endpoint: string): InputError {
  return new InputError(`${endpoint} does not answer as the hub does; check HF_ENDPOINT.`);
}

function hostOf(url: string): string {
  return new URL(url).host;
}
