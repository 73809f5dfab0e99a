import { defineConfig } from 'vitest/config';

/** What drives a real VS Code: one file at a time; the setup gives it its limits. */
const inVsCode = { setupFiles: 'test/vscode/harness/setup.ts', fileParallelism: false, retry: 0 };

/** Two projects: `unit` needs nothing but Node; `vscode` drives a real VS Code with the packaged VSIX. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000 } },
      { test: { name: 'vscode', include: ['test/vscode/**/*.test.ts'], ...inVsCode } },
      // Not a test: `npm run screenshots` makes the pictures of docs/ and of the walkthrough.
      { test: { name: 'screenshots', include: ['test/screenshots/**/*.test.ts'], ...inVsCode } },
    ],
  },
});
