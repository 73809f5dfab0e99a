import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The version of llama.cpp's npm package that is compared with. */
export const llamaVersion = '3.22.1';

/** The version of koffi, which calls llama.cpp's functions on blocks (MIT). */
const koffiVersion = '3.3.4';

/** npm packages with a build for the CPU alone, by platform and architecture as Node names them. */
const binaryPackages: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
  'win32-arm64': 'win-arm64',
};

/** Without a network npm would try for more than two minutes. */
const impatient = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000'];

/** Why this machine cannot run llama.cpp; undefined where it can. */
export const llamaRefusal = machine() in binaryPackages ? undefined : `node-llama-cpp has no build for the CPU of ${machine()}`;

function machine(): string {
  return `${process.platform}-${process.arch}`;
}

/** Where an installation has llama.cpp's libraries. */
export function llamaPackage(folder: string): string {
  return join(folder, 'node_modules', '@node-llama-cpp', binaryPackages[machine()]);
}

/** Why this machine cannot call llama.cpp's functions on blocks; undefined where it can. */
export const ggmlRefusal = machine() === 'linux-x64' ? undefined : `koffi is installed for linux-x64 alone, and this is ${machine()}`;

/**
 * Installs `node-llama-cpp` with its CPU binary in a folder, unless it is there, from the registry that npm is set up with.
 *
 * @returns the path of its entry module
 * @throws Error where npm cannot get it
 */
export async function installLlama(folder: string): Promise<string> {
  if (llamaRefusal !== undefined) {
    throw new Error(llamaRefusal);
  }
  const binary = binaryPackages[machine()];
  const koffi = ggmlRefusal === undefined ? [`koffi@${koffiVersion}`, `@koromix/koffi-linux-x64@${koffiVersion}`] : [];
  const entry = join('node_modules', 'node-llama-cpp', 'dist', 'index.js');
  const last = join(folder, 'installed');
  if (!existsSync(last)) {
    // Test files run at the same time: each installs aside, and the first to be ready stays.
    const aside = `${folder}-${process.pid}`;
    await mkdir(aside, { recursive: true });
    await writeFile(join(aside, 'package.json'), '{ "private": true }\n');
    // Without the optional packages, which are builds for other machines and for graphics cards, but with the one for this machine's CPU.
    const packages = [`node-llama-cpp@${llamaVersion}`, `@node-llama-cpp/${binary}@${llamaVersion}`, ...koffi];
    await npm(aside, ['install', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', ...impatient, ...packages]);
    await writeFile(join(aside, 'installed'), packages.join('\n'));
    await becomes(aside, folder, last);
  }
  return join(folder, entry);
}

/** Renames a finished installation, unless another one is there by now; one that is not finished goes. */
async function becomes(aside: string, folder: string, last: string): Promise<void> {
  if (!existsSync(last)) {
    await rm(folder, { recursive: true, force: true });
  }
  await rename(aside, folder).catch(async (error: unknown) => {
    await rm(aside, { recursive: true, force: true });
    if (!existsSync(last)) {
      throw error;
    }
  });
}

async function npm(folder: string, command: readonly string[]): Promise<void> {
  try {
    // On Windows npm is a batch file, which only a shell runs.
    await promisify(execFile)('npm', [...command], { cwd: folder, shell: process.platform === 'win32' });
  } catch (error) {
    const said = /npm error code (\S+)/.exec(String(error))?.[1] ?? String(error);
    throw new Error(`npm cannot install node-llama-cpp: ${said}`, { cause: error });
  }
}
