import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { plainSource } from '../../../../src/core/source/options';
import { readPrompts } from '../../../../src/engine/read/prompt';
import { temporaryFolder } from '../../../support/temporary';

it('prompts of JSON lines are as many as there are conversations, more than a call takes arguments', async () => {
  const path = join(temporaryFolder(), 'a.jsonl');
  const line = '[{"role":"user","content":""}]\n';
  writeFileSync(path, line.repeat(200_000));
  const prompts = await readPrompts([path]);
  expect(prompts).toHaveLength(200_000);
  expect(prompts.at(-1)?.path).toBe(`${path}:200000`);
});

it('prompts of a folder are also those of the folders below, by name, without links, hidden folders and node_modules', async () => {
  const folder = temporaryFolder();
  for (const path of ['b.md', 'a/z.txt', 'a/b/c.prompt', 'a/b/code.py', 'a.md', '.git/x.md', 'a/.cache/x.md', 'node_modules/p/README.md']) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), path);
  }
  symlinkSync(join(folder, 'a'), join(folder, 'link'));
  symlinkSync(folder, join(folder, 'a', 'round'));
  const found = (await readPrompts([folder])).map(({ path }) => path.slice(folder.length + 1));
  expect(found).toEqual(['a/b/c.prompt', 'a/z.txt', 'a.md', 'b.md']);
  expect((await readPrompts([join(folder, '.git')])).map(({ text }) => text)).toEqual(['.git/x.md']);
});

it.each(['results.jsonl', 'results/'])('prompts of a folder are not what an experiment writes there to %s', async (results) => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'results'));
  for (const path of ['a.md', 'results.jsonl', 'results/shard-1.jsonl']) {
    writeFileSync(join(folder, path), 'x');
  }
  const others = await readPrompts([folder], undefined, { ...plainSource, as: 'text' }, join(folder, results));
  expect(others.map(({ path }) => path)).toHaveLength(2);
  expect(others.map(({ path }) => path)).not.toContain(join(folder, results));
});
