import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultOptions } from '../../../src/core/options/table';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { DigestStore } from '../../../src/engine/store/digests';
import { RecordFiles, recordOf } from '../../../src/engine/store/records';
import { reportsFrom } from '../../../src/engine/read/report/reports';
import { parseExperiment } from '../../../src/engine/tasks/evaluate/experiment-file';
import { Results } from '../../../src/engine/tasks/evaluate/results';
import { madeUpCalibration } from '../../support/calibration';
import { mutatedBytes, mutatedJson, mutatedText, type Next, outcomeOf } from '../../support/mutate';
import { reportOf } from '../../support/reports';
import { root } from '../../support/paths';
import type { Reader } from './reader';

const experimentWords = [
  ...[
    'native',
    'causal',
    'full',
    'sliding-window:9',
    'custom:k <= q',
    'banded',
    'sliding-window:1:2',
    'attention-sink:4:9',
    'tight',
    'cpu',
  ],
  ...['needle', 'lengths', 'depths', 'variables', 'results', 'model', '../../../etc', 'average-case:1', 'custom:((((', 'blocks', 'stride'],
];

/** Experiment files. */
export const experiments: Reader = {
  title: 'experiments',
  share: 25,
  open: () => {
    const held: unknown = JSON.parse(readFileSync(join(root, 'media', 'samples', 'held-out.two-heads.json'), 'utf8'));
    const needle = { lengths: [100, 200], depths: [0, 0.5], needle: ' q a ', question: ' q', answer: ' a' };
    const original = { ...(held as object), needle, variables: { a: 'b', n: 3 }, results: 'r.jsonl', stride: 4, maximumWindows: 9 };
    return Promise.resolve((next) => {
      const spoilt =
        next(8) === 0 ? mutatedText(JSON.stringify(original), next, experimentWords) : mutatedJson(original, next, experimentWords);
      parseExperiment(spoilt, 'x.two-heads.json');
      return 'read';
    });
  },
};

const run = reportOf({ trainedTokens: 50 });
const report: unknown = JSON.parse(JSON.stringify(run));

/** Reports of runs, as `report`, the history and pipes give them. */
export const reports: Reader = {
  title: 'reports',
  share: 25,
  open: () =>
    Promise.resolve((next) => {
      const documents = next(4) === 0 ? { schemaVersion: run.schemaVersion, runs: [report, report] } : next(4) === 0 ? [report] : report;
      reportsFrom(mutatedJson(documents, next, ['causal', 'kind', 'runs', 'Infinity', '-Infinity', 'plan', 'fidelity']), 'report.json');
      return 'read';
    }),
};

/** A line of a results file that is right. */
const lineOf = (unit: string, rank: number): object => ({ version: 1, unit, kind: 'retrieval', result: { logProbability: -1.5, rank } });

/**
 * Results files with broken lines between right ones: what was right is found and stays, and what is added then is found by the
 * next reader.
 */
export const results: Reader = {
  title: 'results',
  share: 8,
  open: (folder) => {
    const path = join(folder, 'results.jsonl');
    const words = ['unit', 'version', 'result', 'rank', 'summary', 'logProbability', 'good-0', 'bins'];
    return Promise.resolve(async (next) => {
      const good = Array.from({ length: 3 }, (_, index) => lineOf(`good-${index}`, index + 1));
      // The first line is right: what is no results file may be refused as a whole.
      const lines = good.flatMap((line, index) => [JSON.stringify(line), spoiltLine(lineOf(`bad-${index}`, 9), next, words)]);
      const cut = next(3) === 0 ? JSON.stringify(lineOf('cut', 1)).slice(0, next(60)) : '';
      writeFileSync(path, `${lines.join('\n')}\n${cut}`);
      const before = readFileSync(path);
      const opened = await outcomeOf(() => Results.open(path));
      if (opened.value === undefined) {
        if (!readFileSync(path).equals(before)) {
          throw new Error('A results file was refused and changed.');
        }
        return 'refused';
      }
      await opened.value.add('new', {}, { logProbability: NaN, rank: 7 });
      const later = await Results.open(path);
      const lost = ['good-0', 'good-1', 'good-2', 'new'].find((unit) => later.get(unit) === undefined);
      if (lost !== undefined || !readFileSync(path).subarray(0, before.length).equals(before)) {
        throw new Error(`Lost: ${lost ?? 'what the file had'}`);
      }
      rmSync(path);
      return 'read';
    });
  },
};

/** A line that has another unit than the right ones, or says nothing that is right: it must not stand in for them. */
function spoiltLine(line: object, next: Next, words: readonly string[]): string {
  const text = (next(4) === 0 ? mutatedText(JSON.stringify(line), next, words) : mutatedJson(line, next, words)).replaceAll('\n', ' ');
  return /"(good-\d|new)"/.test(text) ? '{}' : text.slice(0, 1_000_000);
}

/** A history with a broken run: the others are there, and the broken one is named. */
export const history: Reader = {
  title: 'history',
  share: 6,
  open: async (folder) => {
    const runs = join(folder, 'runs');
    const files = new RecordFiles(runs);
    const origin = { uri: 'file:///a.md', selection: null, at: null, options: defaultOptions };
    const right = [1, 2].map((minute) => reportOf({ date: `2026-02-01T14:0${minute}:06.789Z` }));
    for (const each of right) {
      await files.add(recordOf({ kind: 'run', origin, report: each }));
    }
    const broken = join(runs, '20260201T140306789Z-01234567.json');
    const kept: unknown = JSON.parse(JSON.stringify({ schemaVersion: run.schemaVersion, origin, report: run }));
    return async (next) => {
      writeFileSync(
        broken,
        next(8) === 0 ? mutatedBytes(Buffer.from(JSON.stringify(kept)), next) : mutatedJson(kept, next, ['causal', 'uri']),
      );
      const read = await files.read();
      if (read.records.length + read.skipped.length !== right.length + 1 || read.records.length < right.length) {
        throw new Error(`Of ${right.length + 1} runs ${read.records.length} are there, and ${read.skipped.length} are named as left out.`);
      }
      if (read.skipped.some((line) => /[\p{Cc}\p{Zl}\p{Zp}]/u.test(line))) {
        throw new Error(`A run that is left out is told in more than a line: ${JSON.stringify(read.skipped)}`);
      }
      return read.skipped.length === 0 ? 'read' : 'left out';
    };
  },
};

/** Calibrations and kept digests: what is none is passed over. */
export const calibrations: Reader = {
  title: 'calibrations and digests',
  share: 15,
  open: async (folder) => {
    const store = new CalibrationStore(folder);
    const path = await store.write(madeUpCalibration());
    const original: unknown = JSON.parse(readFileSync(path, 'utf8'));
    // A file that has just changed is digested each time, and nothing is kept: the permission model forbids to keep a file's mode.
    const model = join(folder, 'model');
    mkdirSync(model);
    writeFileSync(join(model, 'config.json'), '{}');
    utimesSync(join(model, 'config.json'), 2 ** 33, 2 ** 33);
    const digests = new DigestStore(folder);
    const expected = await digests.ofModel(model);
    const known = [[join(model, 'config.json'), { size: 1, changedMs: 2, sha256: 'a'.repeat(64) }]];
    const { threads } = madeUpCalibration();
    return async (next) => {
      writeFileSync(path, next(8) === 0 ? mutatedText(JSON.stringify(original), next) : mutatedJson(original, next));
      const read = await store.read('cpu', threads);
      if (read !== undefined && !finite(read)) {
        throw new Error('A calibration was read that has a number that is none.');
      }
      if (next(8) === 0) {
        writeFileSync(join(folder, 'digests.json'), mutatedJson(known, next));
        if ((await digests.ofModel(model)).digest !== expected.digest) {
          throw new Error('A model has another digest than before.');
        }
      }
      return read === undefined ? 'passed over' : 'read';
    };
  },
};

function finite(value: unknown): boolean {
  return typeof value === 'number'
    ? Number.isFinite(value)
    : typeof value !== 'object' || value === null || Object.values(value).every(finite);
}
