import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { npm } from '../../support/npm';
import { root, sampleText } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

/** What `npm pack --json` says of a package. */
interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** What this test reads of a report by name. */
interface Report {
  readonly fidelity?: { readonly maxRelError: number };
}

/** Files of `dist` that are the editor's alone, and whatever else is no part of the command line. */
const foreign = /^(src|test|webview|docs|l10n)\/|^dist\/(extension|fleet|planner|web|webview)\b|\.(vsix|map|d\.ts)$/;

describe('npm pack', () => {
  // `npm test` has built dist; without `--ignore-scripts` a pack would build it again, under the other tests.
  it('makes a package whose command line runs from an empty folder, with no network and nothing else to install', async () => {
    expect(existsSync(join(root, 'dist', 'node_modules')), 'run `npm run package` first').toBe(true);
    const outside = temporaryFolder();
    const folder = join(outside, 'empty');
    mkdirSync(folder);

    const { stdout } = await npm('npm', root, ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]);
    const [{ filename, files }] = JSON.parse(stdout) as [Packed];
    const paths = files.map(({ path }) => path);
    expect(paths.filter((path) => foreign.test(path))).toEqual([]);
    // What commands load late, such as `fetch` the hub's library, is in files of its own.
    const built = readdirSync(join(root, 'dist')).flatMap((name) => (name.endsWith('.js') ? [`dist/${name}`] : []));
    expect(paths.filter((path) => /^dist\/[^/]+\.js$/.test(path)).sort()).toEqual(built.filter((path) => !foreign.test(path)).sort());
    expect(paths).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'dist/cli.js', 'media/samples/prompt.md', 'media/samples/long-prompt.md']),
    );

    writeFileSync(join(folder, 'prompt.md'), sampleText().slice(0, 3000));
    const twoHeads = async (...args: string[]): Promise<Report> => {
      const npx = ['--yes', '--offline', '--cache', join(outside, 'cache'), `./${filename}`, ...args, '--json'];
      const said = await npm('npx', folder, npx);
      expect(said.stderr).not.toMatch(/npm warn/);
      return JSON.parse(said.stdout) as Report;
    };

    // ONNX Runtime's library, and the encoding that this model's tokenizer is, are files that load late.
    const plan = await twoHeads('plan', 'prompt.md', '--model', 'llama-3.1-8b');
    expect(plan).toMatchObject({ prompt: { path: 'prompt.md' }, model: { name: 'llama-3.1-8b' } });
    const report = await twoHeads('simulate', 'prompt.md', '--provider', 'cpu');
    expect(report).toMatchObject({ model: { name: 'tiny-docs-5m' }, run: { provider: 'cpu' } });
    expect(report.fidelity?.maxRelError).toBeLessThan(1e-4);
    expect(readdirSync(folder).sort()).toEqual(['prompt.md', filename]);
  });
});
