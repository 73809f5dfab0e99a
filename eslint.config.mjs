import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Node's ways to read a file. One that is read by them alone may have no end, be a device, or be in any encoding. */
const reading = ['default', 'createReadStream', 'open', 'openSync', 'openAsBlob', 'readFile', 'readFileSync', 'promises'];

/** Node's ways to write a file: alone they follow links, replace devices, and leave half of what a full disk did not take. */
const writing = [
  ...['appendFile', 'appendFileSync', 'createWriteStream', 'truncate', 'truncateSync', 'ftruncate', 'ftruncateSync'],
  ...['write', 'writeFile', 'writeFileSync', 'writeSync', 'writev', 'writevSync'],
];

/** Node's ways to make, rename and remove what is in folders. */
const arranging = [
  ...['chmod', 'chmodSync', 'chown', 'chownSync', 'copyFile', 'copyFileSync', 'cp', 'cpSync', 'link', 'linkSync', 'lutimes', 'mkdir'],
  ...['mkdirSync', 'mkdtemp', 'mkdtempSync', 'rename', 'renameSync', 'rm', 'rmSync', 'rmdir', 'rmdirSync', 'symlink', 'symlinkSync'],
  ...['unlink', 'unlinkSync', 'utimes', 'utimesSync'],
];

/** The rule that forbids these of Node's functions. */
const throughOneLayer = (importNames) => ({
  '@typescript-eslint/no-restricted-imports': [
    'error',
    {
      patterns: [
        {
          regex: '^(node:)?fs(/promises)?$',
          importNames,
          message:
            'Read through src/engine/read/input and write through src/engine/store/files.ts: they have limits, know encodings, and refuse what is no file.',
        },
      ],
    },
  ],
});

/** Which modules a ring must not import. Imports point inwards only: webview, extension, cli -> engine -> core. */
const ring = (files, ...forbidden) => ({
  files,
  rules: {
    'no-restricted-imports': ['error', { patterns: forbidden.map(([regex, message]) => ({ regex, message })) }],
  },
});
const vscode = ['^vscode$', 'Only src/extension may import vscode.'];
const node = ['^node:', 'src/core and webview run anywhere: no Node.'];
const onnx = ['^onnxruntime', 'Only src/engine may import ONNX Runtime.'];
const quietOnly = ['^onnxruntime-node$', 'Import src/engine/onnxruntime, which switches its telemetry off first.'];
const outward = (name) => [`(^|/)${name}(/|$)`, `Imports point inwards only: not to ${name}.`];

/** What writes decimals with a sign on what rounds to 0. */
const decimals = {
  selector: 'CallExpression[callee.property.name="toFixed"]',
  message: 'Write decimals with formatFixed of src/core/format.ts: of what rounds to 0, toFixed keeps the sign.',
};

export default tseslint.config(
  { ignores: ['dist', '**/generated', 'node_modules', '.vscode-test', '.cache', 'artifacts'] },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: {
      parserOptions: {
        project: ['tsconfig.json', 'webview/tsconfig.json', 'test/unit/webview/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // Numbers and booleans in template literals read well.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // The classes and enums of the fake stand for those of VS Code, which no test can load.
    files: ['test/support/vscode.ts', 'test/support/workbench/**', 'test/support/host.ts', 'test/unit/extension/**'],
    rules: {
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
    },
  },
  { files: ['*.mjs', '**/*.mts'], languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } } },
  {
    // The rule of its own name, beside that of the rings. `import * as` is refused by it as well.
    files: ['src/**'],
    rules: {
      ...throughOneLayer([...reading, ...writing, ...arranging]),
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ImportExpression[source.value=/^(node:)?fs/]',
          message: 'Read through src/engine/read/input, and write through src/engine/store/files.ts.',
        },
        {
          selector: 'CallExpression[callee.property.name=/^show(Error|Warning|Information)Message$/]:not(:has(Property[key.name="modal"]))',
          message: 'Notify through src/extension/notify.ts: VS Code makes links of parts of a text.',
        },
        {
          selector: 'CallExpression[callee.object.name="JSON"][callee.property.name="parse"]',
          message: 'Parse through src/engine/read/input/json.ts, which refuses what is nested too deeply.',
        },
        decimals,
      ],
    },
  },
  { files: ['src/core/format.ts', 'src/extension/notify.ts', 'src/extension/web.ts'], rules: { 'no-restricted-syntax': 'off' } },
  // The parser itself, that of single strings of a document, and what Two Heads wrote itself.
  {
    files: ['src/engine/read/input/json.ts', 'src/engine/read/source/json-places.ts', 'src/core/report/json.ts'],
    rules: { 'no-restricted-syntax': ['error', decimals] },
  },
  { files: ['webview/**'], rules: { 'no-restricted-syntax': ['error', decimals] } },
  {
    // Claims are files that only one process can make, name or take away; the hub's cache is shared with other programs, and has
    // links. Both make and rename entries of their own folders, and open what they write through the reader and writer.
    files: ['src/engine/tasks/evaluate/claims.ts', 'src/engine/tasks/fetch/{download,fetch,partial,snapshot}.ts'],
    rules: throughOneLayer([...reading, ...writing]),
  },
  {
    files: [
      // The reader itself: files in pieces, checked as they are opened.
      'src/engine/read/input/regular-file.ts',
      // The writer of whole files.
      'src/engine/store/files.ts',
      // Files of Linux's kernel under /proc: they are no input.
      'src/engine/memory.ts',
      'src/engine/load.ts',
      'src/engine/read/input/time-limit.ts',
      'src/engine/attend/runtime/provider.ts',
    ],
    rules: { '@typescript-eslint/no-restricted-imports': 'off' },
  },
  ring(
    ['src/core/**'],
    vscode,
    node,
    onnx,
    outward('engine'),
    outward('extension'),
    outward('cli'),
    outward('webview'),
    outward('protocol'),
  ),
  ring(['src/protocol/**'], vscode, node, onnx, outward('engine'), outward('extension'), outward('cli'), outward('webview')),
  ring(['src/engine/**'], vscode, quietOnly, outward('extension'), outward('cli'), outward('webview'), outward('protocol')),
  ring(['src/engine/onnxruntime.ts'], vscode),
  ring(['src/cli/**'], vscode, onnx, outward('extension'), outward('webview'), outward('protocol')),
  ring(['src/extension/**'], onnx, outward('cli'), outward('webview')),
  ring(['webview/**'], vscode, node, onnx, outward('engine'), outward('extension'), outward('cli')),
);
