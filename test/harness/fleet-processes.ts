import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The repository's root: tests and the benchmark are started there. */
const root = process.cwd();

/** A place without calibrations of this machine's user. */
const nothingKept = { XDG_CACHE_HOME: join(root, '.cache', 'none'), LOCALAPPDATA: join(root, '.cache', 'none') };

/** The built command line as a process that a test can stop, kill and read. */
export class CliProcess {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  private readonly ended: Promise<unknown>;

  /** @param before a command that runs it, such as one that puts it into another network */
  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}, before: readonly string[] = []) {
    const env = { ...process.env, ...nothingKept, ...environment };
    const [program, ...rest] = [...before, process.execPath, join(root, 'dist', 'cli.js'), ...args];
    const child = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.child = child;
    this.ended = once(child, 'close');
  }

  /** Waits for its end. @returns its exit code; null after a signal */
  async end(): Promise<number | null> {
    await this.ended;
    return this.child.exitCode;
  }

  /** Waits until it has printed something on stderr. @throws Error where it ends before */
  says(text: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (text.test(this.stderr)) {
          this.child.stderr?.off('data', look);
          resolve();
        }
      };
      this.child.stderr?.on('data', look);
      this.child.once('close', () => reject(new Error(`It ended without ${String(text)}: ${this.stderr}`)));
      look();
    });
  }

  /** Sends a signal, and waits for its end where the signal ends it. */
  async signal(name: NodeJS.Signals): Promise<void> {
    this.child.kill(name);
    if (name !== 'SIGSTOP' && name !== 'SIGCONT') {
      await this.ended;
    }
  }

  async dispose(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGCONT');
      await this.signal('SIGKILL');
    }
  }
}

/** A worker that waits for work. @param args besides the broker */
export async function startWorker(url: string, args: readonly string[] = [], ...how: HowToStart): Promise<CliProcess> {
  const worker = new CliProcess(['worker', '--on', url, ...args], ...how);
  await worker.says(/waits for work/);
  return worker;
}

type HowToStart = ConstructorParameters<typeof CliProcess> extends [unknown, ...infer Rest] ? Rest : never;

/** The lines of a results file without what differs from run to run, sorted. */
export function resultLines(path: string): string[] {
  return (
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      // A digest covers the time too.
      .map((line) => line.replace(/"wallMs":[^,}]+,?/, '').replace(/,?"digest":"[0-9a-f]{32}"/, ''))
      .sort()
  );
}
