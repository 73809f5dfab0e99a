import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../../support/cli';
import { temporaryFolder } from '../../support/temporary';

/** A folder with a prompt under three names, its variables, results, and experiments that read them. */
function folderOfFiles(): string {
  const folder = temporaryFolder();
  const write = (name: string, content: string): void => writeFileSync(join(folder, name), content);
  mkdirSync(join(folder, 'texts'));
  mkdirSync(join(folder, 'kept'));
  write('texts/t.md', 'A whale.');
  linkSync(join(folder, 'texts/t.md'), join(folder, 'linked.md'));
  symlinkSync(join(folder, 'texts/t.md'), join(folder, 'link.md'));
  write('v.json', '{"topic": "whales"}');
  write('r.jsonl', '');
  write('kept/r.jsonl', '');
  write('folder.json', JSON.stringify({ version: 1, prompts: ['texts'], results: 'r.jsonl' }));
  write('pattern.json', JSON.stringify({ version: 1, prompts: ['t*/*.md'], results: 'r.jsonl', budgets: { tokens: 9 } }));
  return folder;
}

describe('an output', () => {
  it.each([
    ['a prompt of a folder', 'evaluate texts --picture texts/t.md', 'what is read'],
    ['a prompt of a pattern', 'check pattern.json --junit texts/t.md', 'what is read'],
    ['another name of a prompt', 'simulate texts/t.md --out linked.md', 'what is read'],
    ['a prompt behind a link', 'simulate link.md --out texts/t.md', 'what is read'],
    ['an experiment', 'run folder.json --picture folder.json', 'what is read'],
    ['variables', 'simulate texts/t.md --vars v.json --out v.json', 'what is read'],
    ['variables of an evaluation', 'evaluate texts --vars v.json --save v.json', 'what is read'],
    ['results', 'evaluate texts --results r.jsonl --picture r.jsonl', 'results'],
    ['results that are still to be made', 'evaluate texts --results new.jsonl --save new.jsonl', 'results'],
    ['results in a folder', 'evaluate texts --results kept --picture kept/r.jsonl', 'results'],
    ['results of an experiment', 'run folder.json --picture r.jsonl', 'results'],
    ['results of an experiment that is checked', 'check pattern.json --junit r.jsonl', 'results'],
    ['results of shards', 'simulate texts/t.md --shards 2 --results r.jsonl --out r.jsonl', 'results'],
    ['another output', 'evaluate texts --save new.json --picture texts/../new.json', 'what --save .*new\\.json writes'],
  ])('that would replace %s is refused before anything is written', async (_what, line, what) => {
    const folder = folderOfFiles();
    const args = line.split(' ').map((word) => (/[./]|^(texts|kept)$/.test(word) ? `${folder}/${word}` : word));
    const { code, stdout, stderr } = await run(args);
    expect(stderr).toMatch(new RegExp(`^two-heads: --(out|save|picture|junit) \\S+ would replace ${what}; give another path\\.\\n$`));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(readFileSync(join(folder, 'texts/t.md'), 'utf8')).toBe('A whale.');
  });
});
