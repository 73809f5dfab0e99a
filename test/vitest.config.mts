import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Two projects: `unit` needs nothing but Node; `vscode` drives a real VS Code with the packaged VSIX. */
export default defineConfig({
  test: {
    projects: [
      {
        // Outside an editor there is no module `vscode`: a fake stands for it.
        resolve: { alias: { vscode: fileURLToPath(new URL('support/vscode.ts', import.meta.url)) } },
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000 },
      },
      {
        test: {
          name: 'vscode',
          include: ['test/vscode/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          retry: 0,
        },
      },
      // Not a test: `npm run screenshots` makes the pictures of docs/ and of the walkthrough.
      {
        test: {
          name: 'screenshots',
          include: ['test/screenshots/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          retry: 0,
        },
      },
    ],
  },
});
