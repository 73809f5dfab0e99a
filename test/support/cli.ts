import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Io } from '../../src/cli/io';
import { modelsFolder, root } from './paths';

/** What a run of the command line left behind. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A place with no calibrations: what this machine's user measured must not change what tests see. */
export const nothingKept = { XDG_CACHE_HOME: join(root, '.cache', 'none'), LOCALAPPDATA: join(root, '.cache', 'none') };

/** Runs the command line in this process. @param input standard input @param stdin what stands for it, such as a terminal */
export async function run(
  args: readonly string[],
  input: string | Uint8Array = '',
  stdin: Io['stdin'] = Readable.from(input.length === 0 ? [] : [Buffer.from(input)]),
): Promise<CliResult> {
  // Tests that only start processes do without the engine.
  const { main } = await import('../../src/cli/program');
  const { CalibrationStore } = await import('../../src/engine/store/calibrations');
  const { DigestStore } = await import('../../src/engine/store/digests');
  const written = { stdout: '', stderr: '' };
  const code = await main(args, {
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    stdin,
    signal: new AbortController().signal,
    modelsFolder,
    calibrations: new CalibrationStore(nothingKept.XDG_CACHE_HOME),
    digests: new DigestStore(undefined),
    engineEntry: join(import.meta.dirname, '..', '..', 'dist', 'engine.js'),
  });
  return { code, ...written };
}

/** Runs the built command line as a user would. @param input standard input @param environment variables besides this process's own */
export function cli(args: readonly string[], input = '', environment: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  const env = { ...process.env, ...nothingKept, ...environment };
  const child = spawn(process.execPath, [join(root, 'dist', 'cli.js'), ...args], { env });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A command that refuses its arguments leaves without reading.
  child.stdin.on('error', () => undefined).end(input);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}
