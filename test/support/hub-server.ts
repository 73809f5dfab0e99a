import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A file of a repository on the test's hub. */
export interface ServedFile {
  readonly content: Buffer;
  /** Whether it is large, as the hub sees it: named by SHA-256 and sent by the store of contents. */
  readonly isLarge: boolean;
  /** The path that the hub lists it under, where it lies about it. */
  readonly listedAs?: string;
  /** What the store sends in its place. */
  readonly sends?: Buffer;
}

/** A request as a server got it. */
interface SeenRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly token: string | undefined;
}

/** Takes what is to be done when the server is not needed any more. */
type OnEnd = (close: () => Promise<void>) => unknown;

/** What a test does to a request before it is answered; true if it answered it. */
type Intrusion = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * A server that speaks the hub's protocol, with a store of contents at another address to which large files redirect. Both
 * close when the test ends.
 */
export class HubServer {
  readonly seen: SeenRequest[] = [];
  readonly seenByStore: SeenRequest[] = [];
  /** Revisions by name. */
  readonly refs = new Map<string, string>();
  /** Files of each commit. */
  readonly commits = new Map<string, Readonly<Record<string, ServedFile>>>();
  card: object | undefined = { license: 'apache-2.0' };
  gated: string | false = false;
  intrude: Intrusion = () => false;
  /** The store sends so many bytes of a file, and cuts the connection. */
  cutAfter: readonly number[] = [];
  /** The store sends so many bytes of a file, and then nothing more. */
  holdAfter: readonly number[] = [];
  private store = '';
  endpoint = '';

  private constructor(readonly repository: string) {}

  /** @param files of the commit that `main` is @param onEnd closes the servers; by default when the test ends */
  static async start(repository: string, files: Readonly<Record<string, ServedFile>>, onEnd: OnEnd = onTestFinished): Promise<HubServer> {
    const hub = new HubServer(repository);
    hub.endpoint = await listening((request, response) => hub.answer(request, response), onEnd);
    hub.store = await listening((request, response) => hub.send(request, response), onEnd);
    hub.commit('main', files);
    return hub;
  }

  /** A new commit, to which a revision moves. @returns its hash */
  commit(revision: string, files: Readonly<Record<string, ServedFile>>): string {
    const hash = createHash('sha1').update(`commit ${this.commits.size}`).digest('hex');
    this.commits.set(hash, files);
    this.refs.set(revision, hash);
    return hash;
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    this.seen.push(seen(request));
    if (this.intrude(request, response)) {
      return;
    }
    const { pathname } = new URL(request.url ?? '', 'http://hub');
    const about = `/api/models/${this.repository}`;
    const [, kind, revision, name = ''] = new RegExp(`^(?:${about}|/${this.repository})/(revision|tree|resolve)/([^/]+)(?:/(.+))?$`).exec(
      pathname,
    ) ?? ['', '', ''];
    const commit = this.refs.get(decodeURIComponent(revision)) ?? revision;
    const files = this.commits.get(commit);
    if (kind === '') {
      refuse(response, 404, 'RepoNotFound');
    } else if (files === undefined) {
      refuse(response, 404, 'RevisionNotFound');
    } else if (kind === 'revision') {
      json(response, { _id: '1', id: this.repository, sha: commit, gated: this.gated, cardData: this.card, lastModified: '2026-01-01' });
    } else if (kind === 'tree') {
      json(response, [...listOf(files), { type: 'directory', path: 'onnx', size: 0, oid: '0'.repeat(40) }]);
    } else {
      const file = files[decodeURIComponent(name)] as ServedFile | undefined;
      if (file === undefined) {
        refuse(response, 404, 'EntryNotFound');
      } else if (file.isLarge) {
        const Location = `${this.store}/${commit}/${name}?Signature=secret`;
        response.writeHead(302, { Location, 'X-Linked-Size': file.content.length, 'X-Linked-Etag': `"${digestOf(file)}"` }).end();
      } else {
        sendRange(request, response, file.sends ?? file.content);
      }
    }
  }

  /** The store of contents. */
  private send(request: IncomingMessage, response: ServerResponse): void {
    this.seenByStore.push(seen(request));
    const [, commit, name] = new URL(request.url ?? '', 'http://store').pathname.split('/');
    const file = this.commits.get(commit)?.[decodeURIComponent(name)];
    const [cut, ...others] = this.cutAfter as readonly (number | undefined)[];
    this.cutAfter = others as readonly number[];
    const [hold, ...later] = this.holdAfter as readonly (number | undefined)[];
    this.holdAfter = later as readonly number[];
    sendRange(request, response, file?.sends ?? file?.content ?? Buffer.alloc(0), cut, hold);
  }
}

/** A file that the hub holds itself. */
export function small(content: string | Buffer): ServedFile {
  return { content: Buffer.from(content as string), isLarge: false };
}

/** A file in the store of contents. */
export function large(content: Buffer): ServedFile {
  return { content, isLarge: true };
}

/** The digest by which the hub, and the cache, name a file. */
export function digestOf({ content, isLarge }: ServedFile): string {
  return isLarge
    ? createHash('sha256').update(content).digest('hex')
    : createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

function listOf(files: Readonly<Record<string, ServedFile>>): object[] {
  return Object.entries(files).map(([name, file]) => ({
    ...{ type: 'file', path: file.listedAs ?? name, size: file.content.length, oid: digestOf({ ...file, isLarge: false }) },
    ...(file.isLarge && { lfs: { oid: digestOf(file), size: file.content.length, pointerSize: 134 } }),
  }));
}

function sendRange(request: IncomingMessage, response: ServerResponse, content: Buffer, cut?: number, hold?: number): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const status = request.headers.range === undefined ? 200 : 206;
  const range = status === 206 ? { 'Content-Range': `bytes ${from}-${content.length - 1}/${content.length}` } : {};
  response.writeHead(status, { 'Content-Length': content.length - from, ...range });
  if (hold !== undefined) {
    response.write(content.subarray(from, from + hold));
  } else if (cut === undefined) {
    response.end(content.subarray(from));
  } else {
    response.write(content.subarray(from, from + cut), () => setTimeout(() => response.destroy(), 20));
  }
}

function seen({ url = '', headers }: IncomingMessage): SeenRequest {
  return { path: url, range: headers.range, token: headers.authorization };
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

/** Refuses as the hub does. */
export function refuse(response: ServerResponse, status: number, code?: string, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { ...(code !== undefined && { 'X-Error-Code': code }), ...headers }).end('{"error":"no"}');
}

/** Starts a server of this machine only. @returns its address */
export async function listening(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  onEnd: OnEnd = onTestFinished,
): Promise<string> {
  const server: Server = createServer(answer);
  onEnd(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
