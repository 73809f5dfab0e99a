import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installCodeServer } from './install';
import { WAIT_LIMIT_MS } from './limits';
import { askProbe, installProbe } from './probe/client';
import { PROBE_SOCKET, type ProbeAnswers, type Question } from './probe/protocol';
import { descendantsOf, killAll, processesWithEnvironment, type RunningProcess } from './processes';
import { eventually } from './wait';

const run = promisify(execFile);
const MARK = 'TWO_HEADS_HARNESS_ID';
const LOG_CHARACTERS = 20_000;

/** Servers that run: a test run that is ended before it can dispose of them must not leave them, and what they run, behind. */
const running = new Set<VsCodeServer>();
process.once('exit', () => running.forEach((server) => server.kill()));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1));
}

/** User settings: names with dots to JSON values. */
export type Settings = Readonly<Record<string, unknown>>;

/**
 * VS Code's server with a fresh data folder, fresh extensions and fresh user settings; `dispose` leaves nothing of it.
 *
 * Its user settings are a file on this machine, read when the page loads. Processes below it are found by parentage
 * and by an environment entry they all inherit, so that an orphaned child is found (and ended) too.
 */
export class VsCodeServer {
  private constructor(
    private readonly library: string,
    private readonly folder: string,
    private readonly id: string,
    private port: number,
    private process: ChildProcess | undefined,
    private log: string,
  ) {}

  /** Installs `vsix` with VS Code's own command line, writes `settings` and starts listening on a free local port. */
  static async start(vsix: string, settings: Settings, environment: Readonly<Record<string, string>>): Promise<VsCodeServer> {
    const library = await installCodeServer();
    const folder = await mkdtemp(join(tmpdir(), 'two-heads-vscode-'));
    const server = new VsCodeServer(library, folder, randomUUID(), await freePort(), undefined, '');
    running.add(server);
    try {
      await mkdir(join(folder, 'data/data/User'), { recursive: true });
      // The probe first: once VS Code has written its list of extensions, it ignores folders that are not on it.
      await installProbe(server.extensionsFolder);
      await server.installVsix(vsix);
      await server.writeSettings(settings);
      await server.listen(environment);
      return server;
    } catch (error) {
      await server.dispose();
      throw error;
    }
  }

  /** Where installed extensions lie, each in `<publisher>.<name>-<version>`. */
  get extensionsFolder(): string {
    return join(this.folder, 'extensions');
  }

  /** The page of a folder, or of a workspace file. */
  urlOf(workspace: string): string {
    return `http://127.0.0.1:${this.port}/?${workspace.endsWith('.code-workspace') ? 'workspace' : 'folder'}=${encodeURIComponent(workspace)}`;
  }

  /** The last part of what the server printed. */
  get output(): string {
    return this.log;
  }

  /** Writes the user settings with which VS Code starts. */
  private async writeSettings(settings: Settings): Promise<void> {
    await writeFile(join(this.folder, 'data/data/User/settings.json'), JSON.stringify(settings, undefined, 2));
  }

  /** Asks the probe inside the extension host. */
  ask<Q extends Question>(question: Q, argument?: string): Promise<ProbeAnswers[Q]> {
    return askProbe(this.socket, question, argument);
  }

  /** Every process the server started, directly or not, orphans included; not the server itself. */
  childProcesses(): RunningProcess[] {
    const own = this.process?.pid;
    if (own === undefined) {
      return [];
    }
    const found = [...descendantsOf(own), ...processesWithEnvironment(`${MARK}=${this.id}`)];
    return [...new Map(found.filter(({ pid }) => pid !== own).map((child) => [child.pid, child])).values()];
  }

  /** Ends the server and everything it started, and removes its folder. */
  async dispose(): Promise<void> {
    this.kill();
    running.delete(this);
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  /** Ends the server and everything it started. */
  kill(): void {
    const children = this.childProcesses();
    this.process?.kill('SIGKILL');
    killAll(children);
    // Those forked while we were killing.
    killAll(processesWithEnvironment(`${MARK}=${this.id}`));
  }

  private get socket(): string {
    return join(this.folder, 'probe.sock');
  }

  private get entry(): string {
    return join(this.library, 'out/server-main.js');
  }

  private get folders(): string[] {
    return ['--server-data-dir', join(this.folder, 'data'), '--extensions-dir', this.extensionsFolder];
  }

  private async installVsix(vsix: string): Promise<void> {
    const { stdout, stderr } = await run(
      process.execPath,
      [this.entry, '--accept-server-license-terms', '--install-extension', vsix, ...this.folders],
      {
        timeout: WAIT_LIMIT_MS,
        env: cleanEnvironment(),
      },
    );
    if (!stdout.includes('was successfully installed')) {
      throw new Error(`VS Code did not install ${vsix}:\n${stdout}\n${stderr}`);
    }
  }

  private async listen(environment: Readonly<Record<string, string>>): Promise<void> {
    const address = ['--host', '127.0.0.1', '--port', `${this.port}`, '--without-connection-token'];
    const child = spawn(
      process.execPath,
      [this.entry, '--accept-server-license-terms', ...address, ...this.folders, '--telemetry-level', 'off'],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...cleanEnvironment(),
          // No gallery: nothing asks for updates or recommendations.
          EXTENSIONS_GALLERY: '{"serviceUrl":""}',
          ...environment,
          [PROBE_SOCKET]: this.socket,
          [MARK]: this.id,
        },
      },
    );
    this.process = child;
    const keep = (chunk: Buffer): void => {
      this.log = (this.log + chunk.toString()).slice(-LOG_CHARACTERS);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const ended = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`The VS Code server ended with ${code ?? signal ?? 'nothing'}:\n${this.log}`)));
    });
    const listening = eventually('the VS Code server to listen', () =>
      this.log.includes(`listening on ${this.port}`) ? { found: true } : { seen: this.log },
    );
    await Promise.race([listening, ended]);
  }
}

/** This environment without what another VS Code (or a test run inside its terminal) put there. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VSCODE_|ELECTRON_|NODE_OPTIONS$|VITEST)/.test(name)));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === 'string') {
          reject(new Error('No free port.'));
        } else {
          resolve(address.port);
        }
      });
    });
  });
}
