import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { nothingKept } from './cli';

/** What an npm command printed. */
export interface NpmResult {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `npm` or `npx` as a user would in a folder: settings that an npm around these tests hands down do not count.
 *
 * @throws Error with what it printed, where it fails
 */
export function npm(program: 'npm' | 'npx', folder: string, args: readonly string[]): Promise<NpmResult> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const env = { ...Object.fromEntries(inherited), ...nothingKept, npm_config_update_notifier: 'false' };
  // On Windows they are batch files, which only a shell runs.
  return promisify(execFile)(program, [...args], { cwd: folder, env, shell: process.platform === 'win32', maxBuffer: 2 ** 26 });
}
