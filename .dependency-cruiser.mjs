/**
 * The rings: imports point inwards only, and never in a circle, types included.
 *
 * `npm run lint` runs it; docs/architecture.md draws it.
 */
const ring = (name, from, to, comment) => ({ name, comment, severity: 'error', from: { path: from }, to });

/** A ring may import these of the project's own files, and nothing else of them. */
const only = (name, from, ...paths) =>
  ring(`${name}-imports-inwards`, from, { path: '^(src|webview|test)/', pathNot: paths }, `${name} imports only ${paths.join(' ')}`);

/** A ring may import these packages, and no others; Node's own modules only where it runs on Node. */
const packages = (name, from, node, ...names) =>
  ring(
    `${name}-packages`,
    from,
    { dependencyTypesNot: node ? ['local', 'core'] : ['local'], pathNot: names },
    `${name} imports only these packages: ${[...(node ? ['node:*'] : []), ...names].join(' ') || 'none'}`,
  );

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },

    only('core', '^src/core/', '^src/core/'),
    only('protocol', '^src/protocol/', '^src/(core|protocol)/'),
    only('engine', '^src/engine/', '^src/(core|engine)/'),
    only('fleet', '^src/fleet/', '^src/(core|engine|fleet)/'),
    only('cli', '^src/cli/', '^src/(core|engine|fleet|cli)/'),
    // Of the fleet, the editor's own process has an address and a client: what talks to a broker is in a process of its own.
    only(
      'extension',
      '^src/extension/',
      '^src/(core|engine|protocol|extension)/',
      '^src/fleet/(address|state|process/fleet-(client|methods))\\.ts$',
    ),
    only('fleet-address', '^src/fleet/address', '^src/core/'),
    only('fleet-client', '^src/fleet/process/fleet-client', '^src/engine/process/(channels|client)', '^src/fleet/process/fleet-methods'),
    only('webview', '^webview/', '^src/(core|protocol)/', '^webview/'),

    // The engine's shelves: what comes from disk, how a layer runs, what a user asks for.
    only('engine-read', '^src/engine/read/', '^src/core/', '^src/engine/(read|machine|memory)'),
    only('engine-attend', '^src/engine/attend/', '^src/core/', '^src/engine/(read/|attend/|machine|memory|interruptible|onnxruntime)'),
    only('engine-store', '^src/engine/store/', '^src/core/', '^src/engine/(load|read/|store/)'),
    only('engine-tasks', '^src/engine/tasks/', '^src/core/', '^src/engine/(read/|attend/|store/|tasks/|machine|memory|load|interruptible)'),

    packages('core', '^src/(core|protocol)/', false),
    packages(
      'engine',
      '^src/engine/',
      true,
      '(^|/)onnxruntime-node',
      '(^|/)zod',
      '@bufbuild/protobuf',
      '@huggingface/(hub|tasks)',
      '@huggingface/jinja',
      '@huggingface/tokenizers',
      '@lezer/(common|javascript|python)',
      '(^|/)gpt-tokenizer',
      '(^|/)leven',
      '(^|/)safe-regex2',
      '(^|/)undici',
      '(^|/)yaml/',
      '^package\\.json$',
    ),
    packages('fleet', '^src/fleet/', true, '(^|/)zod', '(^|/)(bullmq|ioredis)/'),
    packages('cli', '^src/cli/', true, '(^|/)commander', '@modelcontextprotocol/sdk', '^package\\.json$'),
    packages('extension', '^src/extension/', true, '@types/vscode', '(^|/)zod'),
    packages('webview', '^webview/', false, '(^|/)chart\\.js', '@vscode/webview-ui-toolkit'),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/generated/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
