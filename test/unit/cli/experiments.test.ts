import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../../src/core/evaluate/experiment';
import type { ExperimentReport } from '../../../src/core/evaluate/report';
import { run } from '../../support/cli';
import { root, sampleText } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';
import { trainedOn } from '../../support/trained';

const small = ['--context', '96', '--block', '32'];

/** A folder with two short prompts. */
function promptsFolder(): string {
  const folder = join(temporaryFolder(), 'prompts');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.md'), sampleText().slice(0, 900));
  writeFileSync(join(folder, 'b.txt'), sampleText().slice(3000, 3500));
  return folder;
}

/** An experiment file in a folder with its prompts. */
function experimentFile(fields: Partial<Experiment>): string {
  const folder = promptsFolder();
  const path = join(folder, '..', 'x.two-heads.json');
  writeFileSync(path, JSON.stringify({ version: 1, prompts: ['prompts'], context: 96, blocks: [32], ...fields }));
  return path;
}

describe('evaluate', () => {
  it('prints what scenarios do to the model, in the layout of a KL divergence report', async () => {
    const { code, stdout, stderr } = await run([
      'evaluate',
      promptsFolder(),
      ...small,
      '--scenario',
      'sliding-window',
      '--window',
      '8,32',
      '--retrieval',
      'single',
      '--retrieval-lengths',
      '64',
      '--retrieval-depths',
      '0,1',
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^tiny-docs-5m against its own attention, causal: 2 prompts, \d+ windows of 96 tokens, stride 96, \d+ positions scored; standard errors clustered by window\nBaseline: causal, by the same tiles as the scenarios \(--baseline own\)\.\nScored: all/,
    );
    expect(stdout).toMatch(/\n +sliding-window\(window 8\) +sliding-window\(window 32\)\n/);
    for (const name of [
      'perplexity',
      "perplexity, model's own attention",
      'KL divergence, mean \\(nats\\)',
      '  99\\.9%',
      '  median',
      'same top token',
    ]) {
      expect(stdout).toMatch(new RegExp(`\\n${name} +\\S+.* {2}\\S+`));
    }
    expect(stdout).toMatch(/sliding-window\(window 8\), by position in the context\ntokens before/);
    expect(stdout).toMatch(
      /of 2 found; .*\ntask +tokens +depth 0 +depth 1\nsingle needle +64 +(found|lost) -\d+\.\d\d #[\d,]+ \(-\d+\.\d\d #[\d,]+\)/,
    );
    expect(stderr).toMatch(/evaluate: 100% quality, done\n$/);
  });

  it('ends with 1 where a case is not found or lost as the mask gives by definition', async () => {
    const folder = promptsFolder();
    const results = join(folder, '..', 'results.jsonl');
    const flags = ['--model', 'induction-bytes', '--context', '32', '--max-windows', '1', '--block', '32', '--threads', '1'];
    const hidden = ['--retrieval', 'single', '--retrieval-lengths', '150', '--retrieval-depths', '0', '--retrieval-filler', 'generated'];
    const command = ['evaluate', folder, ...flags, '--scenario', 'sliding-window:60', ...hidden, '--results', results];
    const right = await run(command);
    expect([right.code, right.stdout]).toEqual([0, expect.stringMatching(/retrieval: 0 of 1 found, as the mask gives by definition; /)]);
    // As if the run had found what the window hides.
    const lines = readFileSync(results, 'utf8')
      .replaceAll(/"rank":\d+/g, '"rank":1')
      .replaceAll(/,"digest":"[0-9a-f]{32}"/g, '');
    writeFileSync(results, lines);
    const wrong = await run(command);
    expect([wrong.code, wrong.stdout]).toEqual([1, expect.stringMatching(/single needle +150 +found, expected lost /)]);
    expect(wrong.stderr).toMatch(/two-heads: sliding-window\(window 60\), retrieval: 1 of 1 found, 0 by definition: FAILED, 1 differ\n$/);
  });

  it.each([
    [['--scenario', 'banded'], /Scenario "banded" is unknown/],
    [['--scenario', 'causal', '--window', '8'], /--window 8 does nothing under causal/],
    [['--scenario', 'sliding-window:1:2'], /has 2 numbers and sliding-window takes 1/],
    [['--block', '32,1'], /--block of "1"/],
    [['--context', '1'], /--context of "1"/],
    [['--context', '64', '--stride', '65'], /stride of 65/],
    [['--retrieval-depths', '0.5'], /--retrieval-depths 0\.5 does nothing without --retrieval/],
    [['--retrieval', 'hidden'], /Retrieval task "hidden" is unknown; use one of single, several, chains, repeated\./],
    [['--retrieval', 'single', '--retrieval-depths', '2'], /--retrieval-depths of "2"/],
    [['--retrieval', 'single', '--retrieval-lengths', '9999999'], /haystack has \d+ tokens/],
    [['--retrieval', 'single', '--retrieval-answer', ''], /The answer of retrieval is empty; give one with --retrieval-answer/],
    [['--retrieval', 'single', '--retrieval-hops', '1'], /--retrieval-hops 1 is of task chains; leave it out, or add the task/],
    ...[
      ['--retrieval', 'single'],
      ['--score', 'last-half'],
      ['--baseline', 'own'],
      ['--shard', '1/2'],
      ['--picture', 'x.svg'],
    ].map(([flag, value]): [string[], RegExp] => [
      ['--no-quality', flag, value],
      RegExp(`${flag} ${value} does nothing without quality, which --no-q`),
    ]),
    [['--cost', 'calls'], /--cost calls does nothing without --picture/],
    [['--picture', '/nonexistent/x.svg'], /--picture .* cannot be written/],
    [['--results', '/nonexistent/x.jsonl'], /--results .* cannot be used/],
    [['--scenario', 'per-layer'], /needs the scenarios of its layers; give them with --cycle/],
    [['--save', '/nonexistent/x.json'], /--save \/nonexistent\/x\.json cannot be written \(ENOENT: .*access/],
    [['--model', 'nothing'], /Model "nothing" is no folder/],
    [['--construction', 'paper', '--cycle', 'causal,sliding-window:8'], /one scenario in all layers/],
  ])('refuses %j with one line', async (flags, message) => {
    const { code, stdout, stderr } = await run(['evaluate', promptsFolder(), ...flags]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).toMatch(/^two-heads: [^\n]*$/);
  });

  it('takes a mask and a cycle as scenarios beside those that are named', async () => {
    const flags = ['--no-quality', '--scenario', 'causal,custom', '--mask', 'k <= q and q - k < 9', '--cycle', 'causal,sliding-window:8'];
    const { code, stdout } = await run(['evaluate', promptsFolder(), ...small, ...flags, '--json']);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as ExperimentReport).experiment.scenarios).toEqual([
      'causal',
      'custom:k <= q and q - k < 9',
      ['causal', 'sliding-window:8'],
    ]);
  });

  it('refuses a folder without prompts', async () => {
    const { code, stderr } = await run(['evaluate', temporaryFolder()]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/holds no prompt/);
  });
});

describe('sweep', () => {
  it('marks the Pareto front, draws it, and saves what repeats it', async () => {
    const folder = promptsFolder();
    const [picture, saved, results] = ['p.svg', 's.two-heads.json', 'r.jsonl'].map((name) => join(folder, '..', name));
    const swept = await run([
      'sweep',
      folder,
      '--context',
      '96',
      '--block',
      '16,48',
      '--scenario',
      'native,sliding-window',
      '--window',
      '8,24',
      '--cycle',
      'causal,sliding-window:8',
      '--picture',
      picture,
      '--save',
      saved,
      '--results',
      results,
      '--json',
    ]);
    expect(swept.code).toBe(0);
    const report = JSON.parse(swept.stdout) as ExperimentReport;
    expect(report.points).toHaveLength(8);
    expect(report.points.some(({ onFront }) => onFront)).toBe(true);
    expect(readFileSync(picture, 'utf8')).toMatch(/^<svg[^]*Pareto front[^]*<\/svg>\n?$/);
    expect(JSON.parse(readFileSync(saved, 'utf8'))).toMatchObject({
      version: 1,
      prompts: ['prompts'],
      model: 'tiny-docs-5m',
      results: 'r.jsonl',
      blocks: [16, 48],
    });

    const again = await run(['run', saved, '--json']);
    expect(again.code).toBe(0);
    const repeated = JSON.parse(again.stdout) as ExperimentReport;
    expect(repeated.resumed).toBe(readFileSync(results, 'utf8').trimEnd().split('\n').length);
    expect(repeated.points).toEqual(report.points.map((point) => ({ ...point, prompts: point.prompts })));
  });

  it.each(['sweep', 'evaluate'])('plans without a run, and prints the costs of each point: %s', async (command) => {
    const { code, stdout } = await run([command, promptsFolder(), '--no-quality', '--block', '16,32', '--scenario', 'causal']);
    expect(code).toBe(0);
    expect(stdout.match(/^causal +\d+ /gm)).toHaveLength(2);
  });
});

describe('run and check', () => {
  it('fail where a prompt breaks a budget, and name both', async () => {
    const path = experimentFile({ scenarios: ['sliding-window:16'] });
    const kept = await run(['check', path, '--max-calls', '1000']);
    expect([kept.code, kept.stdout.match(/kept$/gm)?.length]).toEqual([0, 2]);
    const broken = await run(['check', path, '--max-calls', '150', '--max-kl', '0.000001']);
    expect(broken.code).toBe(1);
    expect(broken.stderr).toMatch(
      /two-heads: 3 budgets of 4 are broken: \S+a\.md under sliding-window\(window 16\), M = 32 has calls \d+, over 150; .*a\.md .* has mean KL .*b\.txt .* has mean KL [^\n]*\n$/,
    );
    const unknown = await run(['check', path, '--max-predicted-ms', '60']);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringMatching(/no expected time \(run two-heads calibrate first\)/)]);
  });

  it('hold a budget within the trained length alone', async () => {
    const fields = { scenarios: ['sliding-window:16'], model: trainedOn(40) };
    const { code, stdout } = await run(['check', experimentFile(fields), '--max-kl-within', '100', '--max-kl', '100', '--json']);
    expect(code).toBe(0);
    const { checks } = JSON.parse(stdout) as { checks: { budget: string; value: number }[] };
    const [kl, within] = ['kl', 'klWithin'].map((name) => checks.find(({ budget }) => budget === name)?.value ?? NaN);
    expect(within).toBeLessThan(kl);
    const broken = await run(['check', experimentFile(fields), '--max-kl-within', '0.000001']);
    expect([broken.code, broken.stderr]).toEqual([1, expect.stringMatching(/has mean KL within the trained length [\d.]+, over /)]);
  });

  it('hold the budgets of the file with their tolerance, and write JUnit XML and annotations', async () => {
    const budgets = { calls: { limit: 1, tolerance: '5%' }, tokens: 100_000, tolerance: '1%' };
    const path = experimentFile({ scenarios: ['causal'], prompts: ['prompts/{a,b}.*', 'prompts/a.md', './prompts'], budgets });
    const junit = join(temporaryFolder(), 'checks.xml');
    const { code, stdout } = await run(['check', path, '--junit', junit, '--github']);
    expect(code).toBe(1);
    expect(stdout.match(/^::error file=\S+,title=Budget%3A calls::.* over 1 \(1\.05 with its tolerance\)|^::error /gm)).toHaveLength(2);
    expect(readFileSync(junit, 'utf8')).toMatch(/<testsuites name="[^"]+" tests="4" failures="2" errors="0">/);
    expect((await run(['check', path, '--max-calls', '100000'])).code).toBe(0);
    // A flag's limit leaves the budget's own tolerance as it is.
    expect((await run(['check', path, '--max-calls', '100'])).stdout).toMatch(/calls +\d+ +105 +BROKEN/);
    const bare = experimentFile({ scenarios: ['causal'], budgets: { calls: { limit: 100 }, memoryMiB: { limit: 1 }, tolerance: '10%' } });
    const [filed, asked] = await Promise.all([run(['check', bare, '--json']), run(['check', bare, '--json', '--tolerance', '20%'])]);
    const allowed = ({ stdout: text }: { readonly stdout: string }): number =>
      (JSON.parse(text) as { checks: { allowed: number }[] }).checks[0].allowed;
    expect([allowed(filed), allowed(asked)]).toEqual([expect.closeTo(110), expect.closeTo(120)]);
    expect(filed.stderr).toMatch(/has expected peak memory [\d.]+ MiB, over 1 MiB/);
  });

  it('rest on results only where they are named, and refuse those of others and those that were changed', async () => {
    const folder = temporaryFolder();
    const results = join(folder, 'r.jsonl');
    const path = experimentFile({ scenarios: ['sliding-window:16'], results, maximumWindows: 1 });
    expect((await run(['run', path])).code).toBe(0);
    const check = (...more: string[]): ReturnType<typeof run> => run(['check', path, '--max-kl-touched', '100', ...more]);
    const whole = readFileSync(results, 'utf8');
    expect((await check('--results', results)).code).toBe(0);
    expect(readFileSync(results, 'utf8')).toBe(whole);
    for (const [content, message] of [
      [whole.replace(/"wallMs":[\d.]+/, '"wallMs":1'), /line 1 was changed after it was written/],
      [whole.replace(/"agreement":\{"count":(\d+),"sum":\d+/, '"agreement":{"count":$1,"sum":0'), /line 1 is no result \(.*has /],
      [`${whole}{"some":"thing"}\n`, /line 3 is no result/],
    ] as const) {
      writeFileSync(results, content);
      const refused = await check('--results', results);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(message)]);
      expect(readFileSync(results, 'utf8')).toBe(content);
    }
    // Without the flag the file is not looked at.
    expect((await check()).code).toBe(0);
    writeFileSync(results, whole);
    const other = await run([
      'check',
      experimentFile({ scenarios: ['sliding-window:8'], maximumWindows: 1 }),
      '--max-kl',
      '9',
      '--results',
      results,
    ]);
    expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/line 1 is of sliding-window\(window 16\)/)]);
  });

  it('print one document with --json', async () => {
    const { stdout } = await run(['check', experimentFile({ scenarios: ['causal'] }), '--max-calls', '1', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      budgets: { calls: 1 },
      kept: false,
      checks: [{ budget: 'calls', limit: 1, kept: false }, {}],
    });
  });

  it.each([
    [['check', experimentPath()], /There is no budget to check/],
    [['check', experimentPath(), '--max-kl', '-1'], /--max-kl of "-1"/],
    [['run', 'missing.json'], /missing\.json cannot be read/],
    [['run', join(root, 'package.json')], /package\.json: version: /],
  ])('refuse %j with one line', async (args, message) => {
    const { code, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).toMatch(/^two-heads: [^\n]*$/);
  });

  it('refuse a field that is wrong, by its name', async () => {
    const { code, stderr } = await run(['run', experimentFile({ blocks: [1] })]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/blocks\.0: /);
  });
});

it('publishes the JSON Schema that the extension gives the editor', async () => {
  const { contributes } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    contributes: { jsonValidation: { url: string }[] };
  };
  const { stdout } = await run(['schema']);
  expect(readFileSync(join(root, contributes.jsonValidation[0].url), 'utf8')).toBe(stdout);
});

function experimentPath(): string {
  return join(root, 'media', 'samples', 'held-out.two-heads.json');
}
