import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The version of llama.cpp's npm package that is compared with. */
export const llamaVersion = '3.22.1';

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
  const modules = join(folder, 'node_modules');
  const entry = join(modules, 'node-llama-cpp', 'dist', 'index.js');
  if (![entry, join(modules, '@node-llama-cpp', binary, 'package.json')].every(existsSync)) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
    // Without the optional packages, which are builds for other machines and for graphics cards, but with the one for this machine's CPU.
    const packages = [`node-llama-cpp@${llamaVersion}`, `@node-llama-cpp/${binary}@${llamaVersion}`];
    await npm(folder, ['install', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', ...impatient, ...packages]);
  }
  return entry;
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
