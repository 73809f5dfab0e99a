import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { PackReport } from '../../../src/core/pack/report';
import { PackCheck } from '../../../src/engine/tasks/pack/check';
import { run } from '../../support/cli';
import { samplePrompt } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

/** A new folder with these files. */
function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

describe('pack', () => {
  it('packs the files of a folder, named files and the lines of a list, and prints one JSON document', async () => {
    const folder = folderOf({
      'b.txt': 'Second.',
      'a.md': 'First prompt of the folder.',
      'c.PROMPT': 'Third.',
      'd.json': '{}',
      '.e.md.bak': 'no prompt',
    });
    mkdirSync(join(folder, 'deeper.md'));
    const named = join(folderOf({ notes: 'Named, whatever its extension.' }), 'notes');
    const list = join(folderOf({ list: '\nOne line.\r\n   \r\nAnother line.\n' }), 'list');
    const { code, stdout, stderr } = await run(['pack', folder, named, '--list', list, '--json']);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as PackReport;
    expect(report.prompts.map(({ path }) => path)).toEqual([
      join(folder, 'a.md'),
      join(folder, 'b.txt'),
      join(folder, 'c.PROMPT'),
      named,
      `${list}:2`,
      `${list}:4`,
    ]);
    expect(Object.keys(report)).toEqual(
      expect.arrayContaining([
        'schemaVersion',
        'model',
        'scenario',
        'prompts',
        'packed',
        'separate',
        'bound',
        'fidelity',
        'difference',
        'environment',
      ]),
    );
    expect(report.scenario).toEqual({ kind: 'full' });
    expect(report.packed).toMatchObject({
      calls: 6,
      separationWidth: 4,
      tokens: report.prompts.reduce((sum, { tokens }) => sum + tokens, 0),
    });
    expect(report.separate.calls).toBe(36);
    expect(report.bound.calls).toBe(6);
    expect(report.fidelity).toMatchObject({ leak: 0, maxRelError: expect.any(Number) as number });
    expect(report.difference.maxRelError).toBeLessThan(2e-5);
    expect(stderr).toMatch(/pack: +100%/);
  });

  it('prints a summary and a table for people, and calls the causal flag our extension', async () => {
    const { code, stdout } = await run(
      ['pack', '--list', '-', '--scenario', 'causal', '--threads', '1'],
      'What is a page?\nWhat is a journal?\n',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^2 prompts packed into \d+ tokens under causal, tiny-docs-5m, no mask input$/m);
    expect(stdout).toMatch(/packed +6 attention calls, .* in attention, .* in all/);
    expect(stdout).toMatch(/separate +12 attention calls/);
    expect(stdout).toMatch(/bound +6 attention calls \(Theorem 4\.2: L,/);
    expect(stdout).toMatch(/weight leaked to other prompts: 0/);
    expect(stdout).toMatch(/verdict +exact: Every row compared is within float32 rounding/);
    expect(stdout).toMatch(/our extension/);
    const [, table] = stdout.split('\n\n');
    expect(
      table
        .trim()
        .split('\n')
        .map((line) => line.split(/ {2,}/)[0]),
    ).toEqual(['prompt', '-:1', '-:2']);
  });

  it('ends with 1 once the report of a pack that failed is out', async () => {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its object below
    const { result } = PackCheck.prototype;
    vi.spyOn(PackCheck.prototype, 'result').mockImplementation(function (this: PackCheck, shape) {
      return { ...result.call(this, shape), leak: 0.5 };
    });
    const { code, stdout, stderr } = await run(['pack', '--list', '-', '--threads', '1'], 'One.\nTwo.\n').finally(() =>
      vi.restoreAllMocks(),
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/verdict +FAILED: Keys of other prompts have a weight of up to 5\.0e-1 in a row, and may have none\./);
    expect(stderr).toMatch(/The pack failed: Keys of other prompts/);
  });
});

describe('bad input of pack ends with exit code 2 and one line that names the value and the fix', () => {
  const cases: Record<string, [() => string[], RegExp]> = {
    'no prompts': [() => [], /no prompts to pack; give prompt files, a folder of them, or --list/],
    'a path that is missing': [() => ['nowhere.md'], /nowhere\.md cannot be read .*give the path of a prompt file/],
    'an empty prompt': [() => [folderOf({ 'a.md': 'Fine.', 'b.md': '' })], /b\.md is empty; give a prompt of at least one character/],
    'a binary file': [() => [folderOf({ 'a.md': 'Fine.', 'b.txt': new Uint8Array([65, 0, 66]) })], /b\.txt is a binary file/],
    'a folder without prompts': [
      () => [folderOf({ 'data.json': '{}' })],
      /holds no prompt; give a folder with \.md, \.txt, \.prompt, \.prompty or \.jsonl files/,
    ],
    'a list that is missing': [() => ['--list', 'nowhere.txt'], /nowhere\.txt cannot be read/],
    'a blank list': [
      () => ['--list', join(folderOf({ list: '\n  \n' }), 'list')],
      /--list .*list holds only blank lines; put one prompt on each line/,
    ],
    'standard input named twice': [() => ['-', '--list', '-'], /Standard input \(-\) is named twice .*name it once/],
    'a scenario that no kernel masks by itself': [
      () => [samplePrompt, '--scenario', 'sliding-window'],
      /Scenario "sliding-window" is unknown; use one of full, causal/,
    ],
    'too many tokens': [
      () => [samplePrompt, '--max-tokens', '1000'],
      /The prompts have 4,957 tokens together and the limit is 1,000, .*N\^2 scores; give fewer prompts or raise --max-tokens/,
    ],
    'a limit that is no number': [
      () => [samplePrompt, '--max-tokens', 'many'],
      /--max-tokens of "many" is not possible; use a whole number from 1/,
    ],
    'an unknown provider': [() => [samplePrompt, '--provider', 'tpu'], /Provider "tpu" is unknown/],
    'an unknown model': [() => [samplePrompt, '--model', 'nowhere'], /Model "nowhere" is no folder/],
  };

  it.each(Object.entries(cases))('%s', async (_what, [args, message]) => {
    const { code, stdout, stderr } = await run(['pack', ...args()]);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});
