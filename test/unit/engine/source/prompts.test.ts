import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
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
