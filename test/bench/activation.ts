import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { median, percentile, type BenchContext, type Section } from './section';

/** Loads the extension with a stand-in for the editor's API, and prints how long loading and `activate` took. */
const script = (extension: string): string => `
const Module = require('node:module');
const emitter = class { event = () => ({ dispose() {} }); fire() {} dispose() {} };
const thing = () => new Proxy(function () {}, {
  set: (target, name, value) => { target[name] = value; return true; },
  get: (target, name) => (name === 'then' || typeof name === 'symbol' ? undefined : name in target ? target[name] : (target[name] = thing())),
  apply: () => thing(), construct: () => thing() });
const names = ['window', 'workspace', 'commands', 'languages', 'tasks', 'tests', 'lm', 'l10n', 'env', 'authentication', 'chat', 'Uri', 'Range', 'Position', 'StatusBarAlignment', 'ProgressLocation', 'ConfigurationTarget', 'ViewColumn', 'CodeActionKind', 'ThemeColor', 'ThemeIcon', 'OverviewRulerLane', 'RelativePattern', 'TestRunProfileKind', 'TreeItemCollapsibleState', 'DiagnosticSeverity'];
const plain = class {};
const vscode = { ...Object.fromEntries(names.map((name) => [name, thing()])), EventEmitter: emitter, Disposable: class { dispose() {} }, Diagnostic: plain };
vscode.window.visibleTextEditors = [];
vscode.window.visibleNotebookEditors = [];
vscode.window.activeTextEditor = undefined;
vscode.window.activeNotebookEditor = undefined;
vscode.window.tabGroups.all = [];
vscode.workspace.getConfiguration = () => ({ get: (_, other) => other, inspect: () => undefined });
const load = Module._load;
Module._load = (name, ...rest) => (name === 'vscode' ? vscode : load(name, ...rest));
const start = performance.now();
const { activate } = require(${JSON.stringify(extension)});
const loaded = performance.now();
const state = { get: (_, other) => other, update: async () => {} };
const context = { subscriptions: [], extensionUri: { fsPath: ${JSON.stringify(join(extension, '..', '..'))} }, workspaceState: state, globalState: state, secrets: thing(), globalStorageUri: { fsPath: '/nonexistent' } };
activate(context);
const heavy = Object.keys(require.cache).filter((path) => /onnxruntime|tokenizers/.test(path));
console.log(JSON.stringify({ load: loaded - start, activate: performance.now() - loaded, heavy }));
process.exit(0);
`;

/** Loading the built extension and activating it, each time in a fresh process. */
export async function activation({ quick, log }: BenchContext): Promise<Section> {
  const extension = join(process.cwd(), 'dist', 'extension.js');
  if (!existsSync(extension)) {
    throw new Error('dist/extension.js is not there: npm run build makes it.');
  }
  log('activation');
  const totals: number[] = [];
  const loads: number[] = [];
  let heavy: readonly string[] = [];
  for (let index = 0; index < (quick ? 3 : 21); index += 1) {
    const { stdout } = await promisify(execFile)(process.execPath, ['--eval', script(extension)]);
    const measured = JSON.parse(stdout) as { load: number; activate: number; heavy: string[] };
    totals.push(measured.load + measured.activate);
    loads.push(measured.load);
    heavy = measured.heavy;
  }
  return {
    name: 'activation',
    title: 'Activation of the extension',
    method: 'A fresh Node process each time, with a stand-in for the editor’s API: loading the bundle, and loading and activate together.',
    columns: { load: 'load, ms', total: 'load and activate, ms', p95: '95th percentile, ms', heavy: 'heavy modules loaded' },
    rows: [{ load: median(loads), total: median(totals), p95: percentile(totals, 0.95), heavy: heavy.length }],
    goals: quick
      ? []
      : [
          {
            goal: 'Activation under 30 ms, nothing heavy loaded',
            measured: `${median(totals).toFixed(1)} ms, ${heavy.length} heavy modules`,
            reached: median(totals) < 30 && heavy.length === 0,
          },
        ],
  };
}
