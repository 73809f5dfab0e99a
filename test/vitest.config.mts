import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What drives a real VS Code, each file one of its own; the setup gives it its limits. */
const inVsCode = { globalSetup: 'test/vscode/harness/prepare.ts', setupFiles: 'test/vscode/harness/setup.ts', retry: 0 };

const noModels = fileURLToPath(new URL('../.cache/none', import.meta.url));

/** Two projects: `unit` needs nothing but Node; `vscode` drives a real VS Code with the packaged VSIX. */
export default defineConfig({
  test: {
    // Vitest leaves one core free, of the two that a usual machine for tests has. `test:unit` takes a worker more: fleets mostly wait.
    maxWorkers: '100%',
    // `npm run coverage`: fails where a ring's unit tests cover fewer of its lines than this.
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts', 'webview/**/*.ts'],
      exclude: ['**/generated/**'],
      reporter: [['text', { maxCols: 100 }], fileURLToPath(new URL('support/coverage-by-ring.cjs', import.meta.url))],
      reportsDirectory: '.cache/coverage',
      reportOnFailure: true,
      thresholds: {
        'src/core/**': { lines: 95 },
        'src/engine/**': { lines: 90 },
        'src/extension/**': { lines: 70 },
        'webview/**': { lines: 70 },
      },
    },
    projects: [
      {
        // Outside an editor there is no module `vscode`: a fake stands for it. The limit is for a busy machine; nothing is timed here.
        resolve: { alias: { vscode: fileURLToPath(new URL('support/vscode.ts', import.meta.url)) } },
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          // What other programs do must not change what tests see.
          setupFiles: 'test/support/quiet-machine.ts',
          testTimeout: 600_000,
          hookTimeout: 600_000,
          // The models that this machine's user has fetched must not change what tests see.
          env: { HF_HUB_CACHE: noModels, OLLAMA_MODELS: noModels },
        },
      },
      { test: { name: 'vscode', include: ['test/vscode/**/*.test.ts'], ...inVsCode } },
      // Not a test: `npm run screenshots` makes the pictures of docs/.
      { test: { name: 'screenshots', include: ['test/screenshots/**/*.test.ts'], ...inVsCode } },
    ],
  },
});
