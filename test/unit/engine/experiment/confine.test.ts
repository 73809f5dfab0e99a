import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import type { Experiment } from '../../../../src/core/evaluate/experiment';
import { confinedPrompts } from '../../../../src/engine/tasks/evaluate/confine';
import { modelsFolder } from '../../../support/paths';
import { temporaryFolder } from '../../../support/temporary';

/** Paths that an experiment names, `~` for the folder and `^` for what is beside it. */
type Named = Partial<Pick<Experiment, 'prompts' | 'results' | 'model'>>;

let whole: string;
let folder: string;

/** A folder with prompts and links out of it, and beside it what a tool must not have. */
beforeEach(() => {
  whole = temporaryFolder();
  folder = join(whole, 'project');
  const elsewhere = join(whole, 'elsewhere');
  for (const each of [folder, join(folder, 'texts'), join(folder, 'kept'), elsewhere]) {
    mkdirSync(each);
  }
  for (const file of [join(folder, 'a.md'), join(folder, 'texts', 'b.md'), join(elsewhere, 'secret.md'), join(elsewhere, 'own.jsonl')]) {
    writeFileSync(file, 'text');
  }
  symlinkSync(join(elsewhere, 'secret.md'), join(folder, 'link.md'));
  symlinkSync(elsewhere, join(folder, 'out'));
  symlinkSync(join(elsewhere, 'not-yet.jsonl'), join(folder, 'dangling.jsonl'));
  symlinkSync(join(elsewhere, 'own.jsonl'), join(folder, 'kept', 'x.jsonl'));
  symlinkSync(elsewhere, join(folder, 'c.jsonl.claims'));
  mkdirSync(join(folder, 'gguf'));
  symlinkSync(join(elsewhere, 'secret.md'), join(folder, 'gguf', 'model.gguf'));
  const adapter = (name: string, base: string): void => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'adapter_config.json'), JSON.stringify({ base_model_name_or_path: base, peft_type: 'LORA', r: 1 }));
  };
  adapter('adapter', elsewhere);
  adapter('relative', '../elsewhere');
  adapter('stored', 'org/name');
  adapter('good', 'tiny-docs-5m');
  mkdirSync(join(whole, 'hub', 'models--org--name', 'snapshots', 'abc'), { recursive: true });
  vi.stubEnv('HF_HUB_CACHE', join(whole, 'hub'));
  // A name of a store is no path, wherever the server was started.
  vi.spyOn(process, 'cwd').mockReturnValue(folder);
  return () => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  };
});

function confined({ prompts = ['~/a.md'], results = null, model = 'tiny-docs-5m' }: Named, models: string[] = []): Promise<string[]> {
  const there = (path: string): string => path.replace('~', folder).replace('^', join(whole, 'elsewhere'));
  const named = { prompts: prompts.map(there), results: results === null ? null : there(results), model: there(model) };
  return confinedPrompts(named, { folders: [folder], models }, modelsFolder);
}

it('lets an experiment read and write within its folders', async () => {
  expect(await confined({ prompts: ['~/a.md', '~/texts', '~/t*/*.md'], results: '~/new/d.jsonl' })).toEqual(
    ['a.md', 'texts/b.md', 'texts/b.md'].map((name) => join(folder, name)),
  );
  expect(await confined({ model: '~/good', results: '~/b.jsonl' })).toHaveLength(1);
  // What the user chose is where the user wants.
  expect(await confined({ model: '/models/own' }, ['/models/own'])).toHaveLength(1);
  expect(await confined({ model: 'org/name' }, ['org/name'])).toHaveLength(1);
  expect(await confined({ model: '~/stored' }, ['org/name'])).toHaveLength(1);
  expect(await confined({ model: '~/adapter' }, [join(whole, 'elsewhere')])).toHaveLength(1);
});

it.each<[Named, string]>([
  [{ prompts: ['~/a.md', '^/secret.md'] }, 'Prompt'],
  [{ prompts: ['~/../elsewhere/*.md'] }, 'Prompt'],
  [{ prompts: ['~/**/../../../elsewhere/*.md'] }, 'Prompt'],
  [{ prompts: ['~/{..,y}/elsewhere/*.md'] }, 'Prompt'],
  [{ prompts: ['~/{..,y}/elsewhere/*.none'] }, 'Prompt'],
  [{ prompts: ['~/{out,x}{/..,/y}/elsewhere/*.md'] }, 'Prompt'],
  [{ prompts: ['~/..\\elsewhere\\*.md'] }, 'Prompt'],
  [{ prompts: ['~/out/../elsewhere/secret.md'] }, 'Prompt'],
  [{ prompts: ['~/out/*.none'] }, 'Prompt'],
  [{ prompts: ['/etc'] }, 'Prompt'],
  [{ prompts: ['~/link.md'] }, 'Prompt'],
  [{ prompts: ['~/*.md'] }, 'none'],
  [{ prompts: ['~/out'] }, 'Prompt'],
  [{ prompts: ['~/out/secret.md'] }, 'Prompt'],
  [{ model: '^' }, 'Model'],
  [{ model: '~/out' }, 'Model'],
  [{ model: 'org/name' }, 'Model'],
  [{ model: '~/gguf' }, 'Model'],
  [{ model: '~/adapter' }, 'Model'],
  [{ model: '~/relative' }, 'Model'],
  [{ model: '~/stored' }, 'Model'],
  [{ results: '^/new.jsonl' }, 'The results file'],
  [{ results: '~/out/new.jsonl' }, 'The results file'],
  [{ results: '~/out/../new.jsonl' }, 'The results file'],
  [{ results: '~/dangling.jsonl' }, 'The results file'],
  [{ results: '~/kept' }, 'The results file'],
  [{ results: '~/c.jsonl' }, 'The results file'],
])('names what of %j is elsewhere', async (named, what) => {
  const answer = confined(named);
  if (what === 'none') {
    // Patterns follow no links.
    expect(await answer).toEqual([join(folder, 'a.md')]);
  } else {
    await expect(answer).rejects.toThrow(new RegExp(`^${what} ".*" of the experiment is outside .*project; name one inside\\.$`));
    // Names of what is elsewhere are not told either.
    await expect(answer).rejects.not.toThrow(JSON.stringify(named).includes('secret') ? 'none' : 'secret');
  }
});
