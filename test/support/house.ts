import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';
import { root } from './paths';

/** A file that is added, or a place in one where lines are added after a line that is there. */
export type Addition =
  { readonly file: string; readonly text: string } | { readonly file: string; readonly after: string; readonly text: string };

/**
 * A copy of the project to which something is added as docs/architecture.md says, to see that it is enough.
 *
 * Packages and models are linked; sources are copied, so that additions change nothing here.
 */
export class HouseCopy {
  constructor(private readonly folder: string) {
    for (const name of ['src', 'webview', 'package.json', 'tsconfig.json']) {
      cpSync(join(root, name), join(folder, name), { recursive: true });
    }
    for (const name of ['node_modules', 'media', 'l10n']) {
      symlinkSync(join(root, name), join(folder, name));
    }
  }

  /** Adds to files. @returns how many files there are, new ones included */
  add(additions: readonly Addition[]): number {
    for (const addition of additions) {
      const path = join(this.folder, addition.file);
      mkdirSync(dirname(path), { recursive: true });
      if (!('after' in addition)) {
        writeFileSync(path, addition.text, { flag: 'wx' });
        continue;
      }
      const before = readFileSync(path, 'utf8');
      const place = before.indexOf(addition.after);
      if (place < 0) {
        throw new Error(`${addition.file} has no "${addition.after}" any more; docs/architecture.md says to add after it.`);
      }
      const end = place + addition.after.length;
      writeFileSync(path, `${before.slice(0, end)}${addition.text}${before.slice(end)}`);
    }
    return new Set(additions.map(({ file }) => file)).size;
  }

  /** What TypeScript complains of, in a ring. */
  complaints(project: string): string {
    return spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], {
      cwd: this.folder,
      encoding: 'utf8',
    }).stdout;
  }

  /** Runs an entry of the copy as Node does. @returns what it prints */
  run(entry: string, ...args: readonly string[]): string {
    const outfile = join(this.folder, 'dist', `${entry.replaceAll('/', '-')}.cjs`);
    buildSync({
      absWorkingDir: this.folder,
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      outfile,
      // The server is in a file of its own, as in dist/: it imports zod another way, and in one bundle esbuild would start neither.
      external: ['onnxruntime-node', 'gpt-tokenizer/*', './src/cli/mcp-server.ts'],
      logLevel: 'silent',
    });
    const { stdout, stderr } = spawnSync(process.execPath, [outfile, ...args], { cwd: this.folder, encoding: 'utf8' });
    return stdout + stderr;
  }
}
