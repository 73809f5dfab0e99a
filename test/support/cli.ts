import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './paths';

/** What a run of the command line left behind. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line as a user would. @param input standard input */
export function cli(args: readonly string[], input = ''): Promise<CliResult> {
  const child = spawn(process.execPath, [join(root, 'dist', 'cli.js'), ...args]);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A command that refuses its arguments leaves without reading.
  child.stdin.on('error', () => undefined).end(input);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}
