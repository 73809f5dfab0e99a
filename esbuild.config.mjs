import { execFileSync } from 'node:child_process';
import { cp, rm, writeFile } from 'node:fs/promises';
import { build, context } from 'esbuild';

/**
 * Bundles the extension, its engine and fleet processes, the command line and the panel's page into dist/.
 *
 *   node esbuild.config.mjs                      once
 *   node esbuild.config.mjs --watch              again and again, with source maps
 *   node esbuild.config.mjs --package [target]   once, and makes the VSIX of a target such as linux-x64 (default: this machine's);
 *                                                the target `web` has no native library, and is for vscode.dev
 *   node esbuild.config.mjs --stage [target]     once, with the target's native library in place: what `npm pack` ships
 */
const [mode, target = `${process.platform}-${process.arch}`] = process.argv.slice(2);
const watch = mode === '--watch';

/** @type {import('esbuild').BuildOptions} */
const shared = { bundle: true, minify: !watch, sourcemap: watch, legalComments: 'linked', logLevel: 'warning', outdir: 'dist' };

/** The JSON Schema of experiment files, by which the editor completes and checks them: what the built command line prints. @type {import('esbuild').Plugin} */
const experimentSchema = {
  name: 'experiment-schema',
  setup: ({ onEnd }) =>
    onEnd(({ errors }) =>
      errors.length > 0
        ? undefined
        : writeFile('dist/experiment.schema.json', execFileSync(process.execPath, ['dist/cli.js', 'schema'])).then(() => undefined),
    ),
};

/**
 * What talks to others is in files of its own: BullMQ and ioredis are read once a broker is named, the hub's library once a model
 * is asked for, undici where that goes through a proxy, and the Model Context Protocol's SDK where tools are served. @type {import('esbuild').Plugin}
 */
const networkApart = {
  name: 'network-apart',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\/(bullmq|hub|mcp-server|undici)$/ }, ({ path }) => ({ path: `${path}.js`, external: true })),
};

/** zod's messages in English alone: the other fifty languages are a third of what the editor loads, and nobody asks for them. @type {import('esbuild').Plugin} */
const englishOnly = {
  name: 'english-only',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.c?js$/ }, ({ path }) =>
      path.endsWith('.cjs')
        ? { contents: "exports.en = require('./en.cjs').default;" }
        : { contents: "export { default as en } from './en.js';" },
    ),
};

/** @type {import('esbuild').BuildOptions} */
const node = {
  ...shared,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // ONNX Runtime finds its native library beside its own files; VS Code provides `vscode`.
  // Encodings are megabytes that few prompts need: they stay files of their own.
  external: ['vscode', 'onnxruntime-node', 'gpt-tokenizer/*'],
  // A deferred import of an external package becomes a deferred `require`, which finds what is staged below.
  supported: { 'dynamic-import': false },
  plugins: [networkApart, englishOnly, experimentSchema],
  entryPoints: {
    extension: 'src/extension/main.ts',
    engine: 'src/engine/process/main.ts',
    planner: 'src/engine/process/planner-thread.ts',
    cli: 'src/cli/main.ts',
    'interrupt-thread': 'src/cli/interrupt-thread.ts',
    'termination-thread': 'src/cli/termination-thread.ts',
    watchdog: 'src/engine/process/watchdog.ts',
    bullmq: 'src/fleet/bullmq.ts',
    hub: 'src/engine/tasks/fetch/hub.ts',
    undici: 'src/engine/tasks/fetch/undici.ts',
    'mcp-server': 'src/cli/mcp-server.ts',
    fleet: 'src/fleet/process/main.ts',
  },
};

/** What runs where there is no Node. @type {import('esbuild').BuildOptions} */
const web = {
  ...shared,
  platform: 'browser',
  format: 'cjs',
  target: 'es2022',
  external: ['vscode'],
  entryPoints: { web: 'src/extension/web.ts' },
};

/** @type {import('esbuild').BuildOptions} */
const page = {
  ...shared,
  platform: 'browser',
  format: 'iife',
  target: 'es2022',
  entryPoints: {
    'webview/main': 'webview/main.ts',
    'webview/style': 'webview/style.css',
    'webview/lab': 'webview/lab/main.ts',
    'webview/lab-style': 'webview/lab/style.css',
  },
};

/** Copies what is not bundled, ONNX Runtime's part for one target and the encodings, to where `require` finds it from dist/. */
async function stageRuntime() {
  const [platform, arch] = target.split('-');
  const kept = [
    'onnxruntime-node/package.json',
    'onnxruntime-node/dist',
    `onnxruntime-node/bin/napi-v6/${platform}/${arch}`,
    'onnxruntime-common/package.json',
    'onnxruntime-common/dist/cjs',
    'gpt-tokenizer/package.json',
    'gpt-tokenizer/LICENSE',
    'gpt-tokenizer/cjs',
  ];
  for (const path of kept) {
    await cp(`node_modules/${path}`, `dist/node_modules/${path}`, {
      recursive: true,
      // The macOS package holds one library twice; the binding loads the one with the short name.
      // The lists of OpenAI's models and their prices are not used.
      filter: (source) => !/\.map$|\.d\.ts$|gpt-tokenizer.cjs.model$|libonnxruntime\.\d+\.\d+\.\d+\.dylib$/.test(source),
    });
  }
}

await rm('dist', { recursive: true, force: true });
if (watch) {
  const contexts = await Promise.all([context(node), context(web), context(page)]);
  await Promise.all(contexts.map((each) => each.watch()));
} else {
  await Promise.all([build(node), build(web), build(page)]);
}
if ((mode === '--package' && target !== 'web') || mode === '--stage') {
  await stageRuntime();
}
if (mode === '--package') {
  const { createVSIX } = await import('@vscode/vsce');
  await createVSIX({
    target,
    dependencies: false,
    packagePath: `two-heads-${target}.vsix`,
    // The page that an editor shows of the extension: README.md has pictures, which cannot load there without a public address.
    readmePath: 'docs/extension.md',
    allowMissingRepository: true,
    rewriteRelativeLinks: false,
    skipLicense: false,
  });
}
