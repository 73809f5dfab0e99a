import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { experimentFaults } from '../../../../src/engine/tasks/evaluate/experiment-faults';
import { modelsFolder } from '../../../support/paths';
import { temporaryFolder } from '../../../support/temporary';

const stores = { hub: '', lmStudio: [], ollama: [] };

/** What is wrong with a file: the text that is marked, what it says, and what is offered. */
async function faultsOf(given: object | string): Promise<[marked: string, message: string, instead: readonly string[]][]> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'prompts'));
  writeFileSync(join(folder, 'prompts', 'tour.md'), 'text');
  const content = typeof given === 'string' ? given : JSON.stringify({ version: 1, prompts: ['prompts/tour.md'], ...given }, undefined, 2);
  const { faults } = await experimentFaults(content, join(folder, 'a.two-heads.json'), modelsFolder, stores);
  return faults.map(({ from, to, message, instead }) => [content.slice(from, to), message.replaceAll(folder, '...'), instead]);
}

describe('faults of an experiment file', () => {
  it('are none where all that it names is there', async () => {
    expect(await faultsOf({})).toEqual([]);
    expect(await faultsOf({ prompts: ['prompts', 'prompts/*.md'], scenarios: ['causal', ['causal', 'sliding-window:64']] })).toEqual([]);
  });

  it('are left to the editor where they are those of JSON or of the schema', async () => {
    expect(await faultsOf('{"version": 1,')).toEqual([]);
    expect(await faultsOf({ prompt: [] })).toEqual([]);
  });

  it('are prompts that are not there, with those that are', async () => {
    expect(await faultsOf({ prompts: ['prompts/tuor.md', 'none/*.md', 'prompts/tour.md'] })).toEqual([
      [
        '"prompts/tuor.md"',
        '"prompts/tuor.md" is not there (looked for .../prompts/tuor.md); give the path of a prompt, from this file.',
        ['prompts/tour.md'],
      ],
      ['"none/*.md"', expect.stringContaining('fits no file'), []],
    ]);
  });

  it('know files and patterns in a folder whose own name looks like a pattern', async () => {
    const folder = join(temporaryFolder(), '[slug] {a,b}');
    mkdirSync(folder);
    writeFileSync(join(folder, 'tour.md'), 'text');
    const content = '{"version": 1, "prompts": ["*.md", "{tour,none}.md", "tuor.md"]}';
    const { faults } = await experimentFaults(content, join(folder, 'a.two-heads.json'), modelsFolder, stores);
    expect(faults).toMatchObject([{ message: expect.stringMatching(/^"tuor\.md" is not there /) as string, instead: ['tour.md'] }]);
  });

  it('are no errors of the program, whatever the file says', async () => {
    expect(await faultsOf('{"version": 1, "(": 1, "(": 2}')).toMatchObject([['{', expect.stringMatching(/^\( is given twice/), []]]);
    expect(await faultsOf(`{"version": 1, "prompts": ${'['.repeat(20_000)}${']'.repeat(20_000)}}`)).toHaveLength(1);
    // Names are compared only with those of about their length: a comparison takes the product of both.
    expect(await faultsOf({ prompts: ['x'.repeat(2_000_000)], model: 'y'.repeat(2_000_000) })).toHaveLength(2);
  });

  it('are models that are not there', async () => {
    expect(await faultsOf({ model: 'tiny-docs-5' })).toEqual([
      ['"tiny-docs-5"', expect.stringContaining('is no folder or .gguf file'), ['tiny-docs-5m']],
    ]);
  });

  it('are scenarios that cannot be, each where it stands', async () => {
    expect(await faultsOf({ scenarios: ['slidng-window:512', ['causal', 'attention-sink:0']] })).toEqual([
      ['"slidng-window:512"', expect.stringContaining('"slidng-window"'), ['sliding-window:512']],
      ['"attention-sink:0"', expect.stringContaining('0'), ['attention-sink']],
    ]);
  });

  it('are fields that do nothing beside others', async () => {
    const [[marked, message]] = await faultsOf({ quality: false, score: 'last-half' });
    expect(marked).toBe('"last-half"');
    expect(message).toMatch(/^score does nothing beside "quality": false/);
  });

  it('come with the windows that it may try besides', async () => {
    const content = '{"version": 1, "prompts": ["."], "scenarios": ["causal", "sliding-window:128"]}';
    const { sweep } = await experimentFaults(content, join(temporaryFolder(), 'a.two-heads.json'), modelsFolder, stores);
    const { at, text } = sweep ?? { at: 0, text: '' };
    const { scenarios } = JSON.parse(content.slice(0, at) + text + content.slice(at)) as { scenarios: string[] };
    expect(scenarios).toEqual(['causal', ...[128, 64, 256, 512, 1024].map((window) => `sliding-window:${window}`)]);
  });
});
