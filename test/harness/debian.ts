import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../src/core/errors';

const execute = promisify(execFile);

/** Where Debian puts the servers that tests start; PATH of a user lacks the second. */
const folders = (): string[] => [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin'];

/** A wait for other test files that install, and for slow mirrors, in seconds. */
const limitSeconds = 300;

/**
 * A real server for tests: from this machine, or installed by apt-get where this process is root.
 *
 * Where it cannot be had, that is said aloud, and tests skip: `describe.skipIf(program === undefined)`.
 *
 * @param packages of Debian, that hold the program and what else the test starts
 * @returns its path; undefined where there is none and none can be installed
 * @throws Error where root's apt-get fails and CI is `true`: there a test must not vanish
 */
export async function debianProgram(program: string, packages: readonly string[]): Promise<string | undefined> {
  const found = await find(program);
  if (found !== undefined) {
    return found;
  }
  const reason = await install(packages);
  const installed = await find(program);
  if (installed === undefined) {
    const what = `${program} is missing: ${reason ?? `${packages.join(' ')} do not hold it`}`;
    if (process.env.CI === 'true' && (await canInstall())) {
      throw new Error(what);
    }
    console.warn(`SKIPPED: ${what}. Its tests need \`apt-get install ${packages.join(' ')}\`.`);
  }
  return installed;
}

async function find(program: string): Promise<string | undefined> {
  for (const folder of folders()) {
    const path = join(folder, program);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) {
      return path;
    }
  }
  return undefined;
}

async function canInstall(): Promise<boolean> {
  return process.platform === 'linux' && userInfo().uid === 0 && (await find('apt-get')) !== undefined;
}

/** Installs packages, one process at a time: apt-get refuses a second one. @returns why it could not */
async function install(packages: readonly string[]): Promise<string | undefined> {
  if (!(await canInstall())) {
    return 'only root can install it, with apt-get';
  }
  const aptGet = (...args: string[]): Promise<unknown> =>
    execute('flock', ['--no-fork', '--timeout', `${limitSeconds}`, join(tmpdir(), 'two-heads-apt.lock'), 'apt-get', ...args], {
      // Run level 1 keeps Debian from starting the servers itself.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
      timeout: 2 * limitSeconds * 1000,
      maxBuffer: 2 ** 26,
    });
  const installing = ['-o', `DPkg::Lock::Timeout=${limitSeconds}`, 'install', '--yes', '--no-install-recommends', ...packages];
  try {
    // Its lists may be missing, or too old for what the mirrors still have.
    await aptGet(...installing).catch(() => aptGet('update').then(() => aptGet(...installing)));
    return undefined;
  } catch (error) {
    return messageOf(error).trim();
  }
}
