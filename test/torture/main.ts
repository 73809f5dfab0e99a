import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeEnvironment } from '../../src/engine/machine';
import { type Campaign, type Context, Tally } from './campaign';
import { diskFull } from './disk-full';
import { engineKilled } from './engine-killed';
import { engineStopped } from './engine-stopped';
import { inputs } from './inputs';
import { type ParentTask, parentKilled, runAsParent } from './parent-killed';
import { root } from '../support/paths';
import { writesKilled } from './writes-killed';

/**
 * The standing campaign: `npm run torture`, or parts of it, `npm run torture -- --only engine,inputs.masks`; `--short` for the
 * form that `npm test` runs.
 *
 * Prints a table of what was tried and what failed, and ends with 1 where anything did. `--write` puts the table into
 * docs/reliability.md. `--seed` repeats a run, `--scale` multiplies its counts, and `--from` names one spoilt input.
 */
const campaigns: Readonly<Record<string, Campaign>> = {
  engine: engineKilled,
  stopped: engineStopped,
  parent: parentKilled,
  writes: writesKilled,
  full: diskFull,
  inputs,
};

/** Between these lines of the document is the table. */
const [begin, end] = ['<!-- torture: begin -->', '<!-- torture: end -->'];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      short: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      scale: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      from: { type: 'string' },
      // A part of the campaign that is a process of its own.
      parent: { type: 'string' },
    },
  });
  if (values.parent !== undefined) {
    return runAsParent(JSON.parse(values.parent) as ParentTask);
  }
  const wanted = values.only.split(',').filter((name) => name !== '');
  const unknown = wanted.find((name) => !(name.split('.')[0] in campaigns));
  if (unknown !== undefined) {
    throw new Error(`There is no campaign "${unknown}"; the campaigns are ${Object.keys(campaigns).join(', ')}.`);
  }
  const seed = Number(values.seed);
  process.stderr.write(`torture: seed ${seed}\n`);
  const tallies: Tally[] = [];
  const start = performance.now();
  const what = `${values.short ? 'Short form' : `Scale ${values.scale}`}, seed ${seed}`;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      process.stdout.write(`${tableOf(triedOf(Tally.all), `Interrupted: ${what}`)}\n`, () => process.exit(130));
    });
  }
  for (const [name, campaign] of Object.entries(campaigns)) {
    const parts = wanted.filter((each) => each.split('.')[0] === name).map((each) => each.split('.')[1] ?? '');
    if (wanted.length === 0 || parts.length > 0) {
      tallies.push(...(await runOne(name, campaign, { seed, parts: parts.filter((part) => part !== ''), ...form(values) })));
    }
  }
  const table = tableOf(tallies, what);
  process.stdout.write(`${table}\n`);
  for (const { name, faults } of tallies) {
    for (const [what, { times, steps }] of faults) {
      process.stderr.write(`torture: ${name}: ${times} times ${what}\n  ${steps}\n`);
    }
  }
  if (values.write) {
    const path = join(root, 'docs', 'reliability.md');
    const [before, after] = readFileSync(path, 'utf8').split(new RegExp(`${begin}[^]*${end}`));
    writeFileSync(path, `${before}${begin}\n\n${table}\n\n${end}${after}`);
  }
  process.stderr.write(`torture: ${Math.round((performance.now() - start) / 1000)} s in all\n`);
  process.exitCode = tallies.some(({ failures }) => failures > 0) ? 1 : 0;
}

/** Those of which something was tried. */
function triedOf(tallies: readonly Tally[]): readonly Tally[] {
  return tallies.filter(({ tried }) => tried > 0);
}

function form(values: {
  readonly short: boolean;
  readonly scale: string;
  readonly from?: string | undefined;
}): Pick<Context, 'short' | 'scale' | 'from'> {
  return { short: values.short, scale: Number(values.scale), from: values.from === undefined ? undefined : Number(values.from) };
}

async function runOne(name: string, campaign: Campaign, given: Omit<Context, 'folder' | 'entry' | 'log'>): Promise<readonly Tally[]> {
  const folder = mkdtempSync(join(tmpdir(), `two-heads-torture-${name}-`));
  const log = (line: string): void => void process.stderr.write(`torture: ${line}\n`);
  const start = performance.now();
  try {
    return await campaign.run({ ...given, folder, entry: process.argv[1], log });
  } finally {
    rmSync(folder, { recursive: true, force: true });
    log(`${name}: ${campaign.title}, ${Math.round((performance.now() - start) / 1000)} s`);
  }
}

/** The table, in Markdown, under a line that says what was run where. */
function tableOf(tallies: readonly Tally[], what: string): string {
  const { cpu, cores, memoryBytes, platform, node, twoHeads } = describeEnvironment();
  const about = `${what}; Two Heads ${twoHeads}, Node ${node}, ${platform}, ${cpu}, ${cores} cores, ${Math.round(memoryBytes / 2 ** 30)} GiB; ${new Date().toISOString().slice(0, 10)}.`;
  const rows = tallies.map(({ name, tried, outcomes, failures, faults }) => {
    const ended = [...outcomes].sort(([, one], [, other]) => other - one).map(([outcome, times]) => `${outcome} ${times}`);
    const failed = [...faults].map(([fault, { times }]) => `${fault.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')} (${times})`);
    return `| ${[name, tried, failures, ended.join(', '), failed.join('; ')].join(' | ')} |`;
  });
  const total = tallies.reduce((sum, { tried }) => sum + tried, 0);
  const failures = tallies.reduce((sum, tally) => sum + tally.failures, 0);
  return [
    about,
    '',
    '| what | tried | failed | ended | what failed |',
    '| --- | ---: | ---: | --- | --- |',
    ...rows,
    `| all | ${total} | ${failures} | | |`,
  ].join('\n');
}

main().catch((error: unknown) => {
  process.stderr.write(`torture: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
