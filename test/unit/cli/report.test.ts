import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportFormats, jsonReport } from '../../../src/core/report/formats';
import type { ComparisonReport, RunReport } from '../../../src/core/report/report';
import { inputLimits } from '../../../src/engine/read/input/limits';
import { run } from '../../support/cli';
import { samplePrompt } from '../../support/paths';
import { reportOf } from '../../support/reports';
import { temporaryFolder } from '../../support/temporary';

let simulated: string;
let compared: string;
let reports: readonly RunReport[];

/** A file with this content, in a folder of its own. */
function file(content: string, name = 'run.json'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

beforeAll(async () => {
  const short = ['--max-tokens', '70', '--block', '32', '--json'];
  simulated = (await run(['simulate', samplePrompt, ...short, '--scenario', 'average-case'])).stdout;
  compared = (await run(['compare', samplePrompt, ...short, '--scenarios', 'causal,sliding-window', '--window', '20'])).stdout;
  reports = [JSON.parse(simulated) as RunReport, ...(JSON.parse(compared) as ComparisonReport).runs];
});

describe('report', () => {
  it.each(exportFormats)('writes what simulate and compare print as $format', async ({ format, write }) => {
    const { code, stdout, stderr } = await run(['report', file(simulated), file(compared), '--format', format]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(write(reports));
  });

  it('reads its own JSON, and standard input', async () => {
    expect((await run(['report', '-', '--format', 'json'], jsonReport(reports))).stdout).toBe(jsonReport(reports));
  });

  it('writes a file whole, in the form that its name asks for', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'runs.html');
    const { code, stdout, stderr } = await run(['report', file(simulated), '--out', out]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: `1 run written to ${out}\n` });
    expect(readFileSync(out, 'utf8')).toMatch(/^<!DOCTYPE html>/);
    expect(readdirSync(folder)).toEqual(['runs.html']);
    expect((await run(['report', file(simulated)])).stdout).toMatch(/^# Two Heads: 1 run\n/);
  });

  const huge = (): string => {
    const path = file('');
    truncateSync(path, inputLimits.report + 1);
    return path;
  };
  const planned = (): string[] => {
    const { run, fidelity, sampling, quality, qualityNote, environment, ...plan } = reportOf();
    expect([run, fidelity, sampling, quality, qualityNote, environment]).toHaveLength(6);
    return [file(JSON.stringify(plan))];
  };
  it.each<[string, () => string[], RegExp]>([
    ['no file', () => ['nowhere.json'], /^two-heads: nowhere\.json cannot be read \(ENOENT.*\); give a file that simulate --json/],
    ['a folder', () => [temporaryFolder()], /is not a file but a folder; give/],
    ['no JSON', () => [file('# Notes')], /run\.json is not JSON; give what simulate --json or compare --json printed/],
    ['a report that is cut short', () => [file(simulated.slice(0, 500))], /run\.json is not JSON/],
    ['a plan', planned, /run\.json: run: .*; give what/],
    ['another version', () => [file(JSON.stringify({ ...reportOf(), schemaVersion: 9 }))], /run\.json: schemaVersion: .*; give what/],
    [
      'text for a number',
      () => [file(JSON.stringify({ runs: [{ ...reportOf(), fidelity: { rows: 'many' } }], schemaVersion: 1 }))],
      /run\.json: runs\.0\.fidelity\./,
    ],
    [
      'a mask that is no text',
      () => [file(JSON.stringify({ ...reportOf(), scenario: { kind: 'custom', expression: 5 } }))],
      /run\.json: scenario: .*expected string/,
    ],
    ['no run', () => [file('[]')], /run\.json holds no run; give what/],
    ['null', () => [file('null')], /run\.json: the document: /],
    ['too large a file', () => [huge()], /run\.json has 64\.0 MiB; the limit is 64\.0 MiB/],
    ['an unknown format', () => [file(simulated), '--format', 'pdf'], /Format "pdf" is unknown; use one of html, markdown, csv, json/],
    ['a file in no folder', () => [file(simulated), '--out', '/nowhere/run.csv'], /--out \/nowhere\/run\.csv cannot be written/],
    ['no argument', () => [], /missing required argument/],
  ])('refuses %s in one line', async (_, args, complaint) => {
    const { code, stdout, stderr } = await run(['report', ...args()]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(complaint);
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});
