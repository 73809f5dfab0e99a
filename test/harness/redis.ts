import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** How a broker is started. */
interface RedisOptions {
  /** Only through TLS, with a certificate of an authority of its own. */
  readonly tls?: boolean;
  /** Lines of redis.conf besides. */
  readonly config?: readonly string[];
  /** The program. */
  readonly program: string;
}

/** A real broker on a free port, with nothing in it. */
export class TestRedis {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly options: RedisOptions,
    readonly folder: string,
    readonly port: number,
  ) {}

  static async start(options: RedisOptions): Promise<TestRedis> {
    const redis = new TestRedis(options, mkdtempSync(join(tmpdir(), 'two-heads-redis-')), await freePort());
    if (options.tls === true) {
      makeCertificates(redis.folder);
    }
    await redis.launch();
    return redis;
  }

  get url(): string {
    return `${this.options.tls === true ? 'rediss' : 'redis'}://localhost:${this.port}`;
  }

  /** The authority's certificate. */
  get ca(): string {
    return join(this.folder, 'ca.pem');
  }

  /** Starts it, or starts it again. */
  async launch(): Promise<void> {
    const { folder, port, options } = this;
    const lines = [
      'save ""',
      'maxmemory-policy noeviction',
      `dir ${folder}`,
      ...(options.tls === true
        ? [
            'port 0',
            `tls-port ${port}`,
            'tls-auth-clients no',
            ...['cert', 'key', 'ca-cert'].map((name) => `tls-${name}-file ${join(folder, fileOf[name])}`),
          ]
        : [`port ${port}`]),
      ...(options.config ?? []),
    ];
    const path = join(folder, 'redis.conf');
    writeFileSync(path, `${lines.join('\n')}\n`);
    const child = spawn(options.program, [path], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.child = child;
    let printed = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        if (printed.includes('Ready to accept connections')) {
          resolve();
        }
      });
      child.once('exit', () => reject(new Error(printed)));
    });
  }

  /** Ends it without a word, as a power cut does. */
  async kill(): Promise<void> {
    if (this.child?.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await ended;
    }
  }

  /** Asks it something, as an operator would. */
  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis({ port: this.port });
    try {
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const fileOf: Readonly<Record<string, string>> = { cert: 'server.pem', key: 'server.key', 'ca-cert': 'ca.pem' };

/** An authority, and a certificate of it for localhost. */
function makeCertificates(folder: string): void {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
  );
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost\n');
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    'names',
    '-out',
    'server.pem',
  );
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
