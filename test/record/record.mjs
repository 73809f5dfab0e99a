/**
 * The proof that a change of the code lost nothing: what the command line says under many settings, before and after.
 *
 *     node test/record/record.mjs write <cli.js> <out.json> [text]     runs every setting, or those whose line holds the text, and keeps the outcome of each
 *     node test/record/record.mjs compare <before.json> <after.json>   prints every difference; exit code 1 if there is one
 *
 * Both recordings are to be made on one machine: another processor may round its float32 sums otherwise.
 * `settings.mjs` says what is run, `workplace.mjs` on which files, and `normalise.mjs` what is not compared.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { normaliser } from './normalise.mjs';
import { commandLine, settings } from './settings.mjs';
import { cacheEnvironment, makeWorkplace } from './workplace.mjs';

/**
 * The outcome of a setting. `stdout` is a document where `--json` was asked for, else lines.
 *
 * @typedef {{ code: number | string | null, stdout: unknown, stderr: readonly string[], files?: Readonly<Record<string, unknown>> }} Outcome
 * @typedef {{ setting: string, path: string, before: string, after: string }} Difference
 */

/** A command that takes longer than this hangs. */
const longestMs = 120_000;

/** What stands on one side of a difference where the other has something. */
const missing = '(missing)';

/** @param {readonly string[]} argv @returns {Promise<number>} the exit code */
async function main([mode, first, second, text = '']) {
  if (mode === 'write' && first !== undefined && second !== undefined) {
    const outcomes = await record(
      resolve(first),
      settings.filter((setting) => commandLine(setting).includes(text)),
    );
    writeFileSync(second, `${JSON.stringify(outcomes, null, 1)}\n`);
    process.stdout.write(`${Object.keys(outcomes).length} settings written to ${second}\n`);
    return 0;
  }
  if (mode === 'compare' && first !== undefined && second !== undefined) {
    const [before, after] = [first, second].map((path) => JSON.parse(readFileSync(path, 'utf8')));
    const differences = compare(before, after);
    differences.forEach(({ setting, path, before: was, after: is }) =>
      process.stdout.write(`${setting}\n  ${path}\n    before: ${was}\n    after:  ${is}\n`),
    );
    process.stdout.write(
      `${differences.length} differences in ${new Set(differences.map(({ setting }) => setting)).size} of ${Object.keys({ ...before, ...after }).length} settings\n`,
    );
    return differences.length === 0 ? 0 : 1;
  }
  process.stderr.write('usage: record.mjs write <cli.js> <out.json> [text] | compare <before.json> <after.json>\n');
  return 2;
}

/**
 * Runs settings, as many at once as there are cores; one that follows another after it.
 *
 * @param {string} cli
 * @param {readonly import('./settings.mjs').Setting[]} chosen
 * @returns {Promise<Record<string, Outcome>>}
 */
async function record(cli, chosen) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'two-heads-record-')));
  try {
    makeWorkplace(folder, cli);
    const root = dirname(dirname(cli));
    const normalise = normaliser(folder, [...new Set([dirname(realpathSync(join(root, 'node_modules'))), realpathSync(root), root])]);
    const names = chosen.map(commandLine);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) {
      throw new Error(`The setting ${twice} is there twice.`);
    }
    /** @type {Record<string, Outcome>} */
    const outcomes = {};
    const waiting = chosen.flatMap((setting, index) => (setting.follows === true ? [] : [index]));
    const work = async () => {
      for (let first = waiting.shift(); first !== undefined; first = waiting.shift()) {
        for (let index = first; index === first || chosen[index]?.follows === true; index += 1) {
          const start = performance.now();
          const outcome = await outcomeOf(chosen[index], cli, folder, normalise);
          outcomes[names[index]] = outcome;
          process.stderr.write(
            `${Object.keys(outcomes).length}/${names.length} ${((performance.now() - start) / 1000).toFixed(1)} s, code ${outcome.code}: ${names[index]}\n`,
          );
        }
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, work));
    return Object.fromEntries(names.map((name) => [name, outcomes[name]]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {import('./settings.mjs').Setting} setting
 * @param {string} cli
 * @param {string} folder
 * @param {ReturnType<typeof normaliser>} normalise
 * @returns {Promise<Outcome>}
 */
async function outcomeOf({ args, input = '', calibrated = 'none', files = [], interrupt = false }, cli, folder, normalise) {
  const env = { PATH: process.env.PATH, TZ: 'UTC', LC_ALL: 'C', NO_COLOR: '1', ...cacheEnvironment(folder, calibrated) };
  const child = spawn(process.execPath, [cli, ...args], { cwd: folder, env, timeout: longestMs });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => {
    if (interrupt && stderr === '') {
      child.kill('SIGINT');
    }
    stderr += text;
  });
  // A command that refuses its arguments leaves without reading.
  child.stdin.on('error', () => undefined).end(input);
  const code = await new Promise((done) => child.on('close', (status, signal) => done(status ?? signal)));
  const said = stderr.split('\n');
  return {
    code,
    stdout: args.includes('--json') && stdout !== '' ? documentOf(stdout, normalise) : normalise.lines(args[0] ?? '', stdout),
    // How far an interrupted command came is a matter of time.
    stderr: (interrupt ? said.filter((line) => !/^[^:]+: +\d+% /.test(line)) : said).map(normalise.text),
    ...(files.length === 0
      ? {}
      : {
          files: Object.fromEntries(
            files.flatMap((path) => contents(folder, path)).map(([path, bytes]) => [path, fileOf(path, bytes, normalise)]),
          ),
        }),
  };
}

/** One JSON document as commands print it; what is printed otherwise is said so. @param {string} text @param {ReturnType<typeof normaliser>} normalise */
function documentOf(text, normalise) {
  try {
    const document = JSON.parse(text);
    const printed = text === `${JSON.stringify(document, null, 2)}\n` ? 'one document, indented by 2' : 'another form of JSON';
    return { printed, document: normalise.document(document) };
  } catch {
    return { printed: 'no JSON', lines: text.split('\n') };
  }
}

/** A file that a command wrote, or each of a folder; null where there is none. @param {string} folder @param {string} path @returns {(readonly [string, Buffer | null])[]} */
function contents(folder, path) {
  const whole = join(folder, path);
  const found = statSync(whole, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) {
    return readdirSync(whole)
      .sort()
      .flatMap((name) => contents(folder, `${path}/${name}`));
  }
  return [[path, found === undefined ? null : readFileSync(whole)]];
}

/** A file as it is compared: JSON by its values, text by its lines, all else by its digest. @param {string} path @param {Buffer | null} bytes @param {ReturnType<typeof normaliser>} normalise */
function fileOf(path, bytes, normalise) {
  if (bytes === null) {
    return null;
  }
  if (path.endsWith('.json')) {
    return documentOf(bytes.toString('utf8'), normalise);
  }
  if (path.endsWith('.jsonl')) {
    return bytes
      .toString('utf8')
      .split('\n')
      .map((line) => (line === '' ? line : normalise.document(JSON.parse(line))));
  }
  return /\.(?:md|csv|html|txt|svg)$/.test(path)
    ? bytes.toString('utf8').split('\n').map(normalise.text)
    : { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** @param {Record<string, Outcome>} before @param {Record<string, Outcome>} after @returns {Difference[]} */
export function compare(before, after) {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((setting) =>
    differencesOf(before[setting], after[setting], '').map(([path, was, is]) => ({
      setting,
      path: path === '' ? '(the setting)' : path.slice(1),
      before: was,
      after: is,
    })),
  );
}

/**
 * Where two values differ. Keys that only one has, keys in another order and numbers that differ in their last digit are differences.
 *
 * @param {unknown} before
 * @param {unknown} after
 * @param {string} path
 * @returns {(readonly [path: string, before: string, after: string])[]}
 */
function differencesOf(before, after, path) {
  if (!isObject(before) || !isObject(after) || Array.isArray(before) !== Array.isArray(after)) {
    return Object.is(before, after) ? [] : [[path, shown(before), shown(after)]];
  }
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const inner = keys.flatMap((key) => differencesOf(before[key], after[key], Array.isArray(before) ? `${path}[${key}]` : `${path}.${key}`));
  const sameKeys = keys.length === Object.keys(before).length && keys.length === Object.keys(after).length;
  return sameKeys && Object.keys(before).join() !== Object.keys(after).join()
    ? [...inner, [`${path} (order of keys)`, Object.keys(before).join(), Object.keys(after).join()]]
    : inner;
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isObject(value) {
  return typeof value === 'object' && value !== null;
}

/** @param {unknown} value */
function shown(value) {
  const text = value === undefined ? missing : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}... (${text.length} characters)` : text;
}

process.exitCode = await main(process.argv.slice(2));
