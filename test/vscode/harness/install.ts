import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WAIT_LIMIT_MS } from './limits';

/** code-server 4.100.3 holds VS Code 1.100.3, the oldest that `engines.vscode` allows, for Node 20. */
export const CODE_SERVER_VERSION = '4.100.3';
/** Where the harness keeps what it installs; ignored by git. */
export const CACHE_FOLDER = join(process.cwd(), '.vscode-test');
const MARKER = 'installed';
const TAIL_CHARACTERS = 2_000;

/**
 * Installs VS Code's server from npm once, and returns its `lib/vscode` folder.
 *
 * It is built in a folder beside the final one and renamed when whole, so an interrupted install leaves nothing behind
 * that looks done, and two test runs at once do no harm. Throws with the tail of npm's output when npm fails.
 */
export async function installCodeServer(): Promise<string> {
  const target = join(CACHE_FOLDER, `code-server-${CODE_SERVER_VERSION}`);
  const library = join(target, 'node_modules/code-server/lib/vscode');
  if (!existsSync(join(target, MARKER))) {
    await rm(target, { recursive: true, force: true });
    const staging = `${target}.${process.pid}`;
    await rm(staging, { recursive: true, force: true });
    await mkdir(staging, { recursive: true });
    await writeFile(join(staging, 'package.json'), '{ "private": true }\n');
    await npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', `code-server@${CODE_SERVER_VERSION}`], staging);
    await npm(
      ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev'],
      join(staging, 'node_modules/code-server/lib/vscode'),
    );
    await writeFile(join(staging, MARKER), `${CODE_SERVER_VERSION}\n`);
    await moveWhole(staging, target);
  }
  await linkRipgrep(library);
  return library;
}

/** Renames `staging` to `target`; where another run was first, its result stays. */
async function moveWhole(staging: string, target: string): Promise<void> {
  try {
    await rename(staging, target);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    if (!existsSync(join(target, MARKER))) {
      throw error;
    }
  }
}

/**
 * VS Code's own ripgrep would be downloaded by an install script. Debian's does as well; without it only the search for
 * files by name or content is missing (`workspace.findFiles` rejects).
 */
async function linkRipgrep(library: string): Promise<void> {
  const wanted = join(library, 'node_modules/@vscode/ripgrep/bin/rg');
  if (!existsSync(wanted) && existsSync('/usr/bin/rg')) {
    await mkdir(join(wanted, '..'), { recursive: true });
    await symlink('/usr/bin/rg', wanted);
  }
}

function npm(args: readonly string[], folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', args, { cwd: folder, env: outsideOfNpm(), stdio: ['ignore', 'pipe', 'pipe'], timeout: WAIT_LIMIT_MS });
    let tail = '';
    const keep = (chunk: Buffer): void => {
      tail = (tail + chunk.toString()).slice(-TAIL_CHARACTERS);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) {
        resolve();
      } else {
        reject(new Error(`npm ${args.join(' ')} in ${folder} ended with ${code ?? signal ?? 'nothing'}:\n${tail}`));
      }
    });
  });
}

/** The environment without what an outer `npm run` or `npx` says about *its* package, which would redirect the install. */
function outsideOfNpm(): NodeJS.ProcessEnv {
  const inherited = /^(npm_(package|lifecycle|command|execpath)|npm_config_(local_prefix|prefix|global_prefix|workspace)|INIT_CWD$)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !inherited.test(name)));
}
