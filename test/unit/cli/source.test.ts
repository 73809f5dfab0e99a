import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExperimentReport } from '../../../src/core/evaluate/report';
import type { PackReport } from '../../../src/core/pack/report';
import type { PlanDocument } from '../../../src/core/report/report';
import { run } from '../../support/cli';
import { embeddedFolder } from '../../support/paths';

const folder = mkdtempSync(join(tmpdir(), 'two-heads-source-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const conversation = (text: string): string =>
  JSON.stringify({
    messages: [
      { role: 'user', content: text },
      { role: 'assistant', content: 'Yes.' },
    ],
  });

describe('prompts by their source', () => {
  // The embedded model with a template of its own, whose marks are its vocabulary's text.
  const model = join(folder, 'model');
  beforeAll(() => {
    mkdirSync(model);
    cpSync(embeddedFolder, model, { recursive: true });
    writeFileSync(join(model, 'chat_template.jinja'), '{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}');
  });

  it('are planned with tokens by message and role', async () => {
    const path = file(
      'a.json',
      JSON.stringify([
        { role: 'system', content: 'Be {{how}}.' },
        { role: 'user', content: 'Tell me of whales.' },
      ]),
    );
    const { code, stdout } = await run(['plan', path, '--model', model, '--var', 'how=brief', '--json']);
    expect(code).toBe(0);
    const { prompt } = JSON.parse(stdout) as PlanDocument;
    expect(prompt).toMatchObject({ format: 'chat', parts: [{ title: 'system', role: 'system' }, { role: 'user' }] });
    expect(prompt.parts?.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(prompt.tokens);
    expect(prompt.notes).toBeUndefined();
    const text = await run(['plan', path, '--model', model]);
    expect(text.stdout).toMatch(/read as +chat, 2 messages: system \d+, user \d+ tokens\n/);
    expect(text.stdout).toContain('note: Variables without a value stay as they are: how.');
  });

  it('take values from a file, before which flags come', async () => {
    const vars = file('vars.json', '{"a": "one two three four", "b": 5}');
    const tokens = async (...args: string[]): Promise<number> =>
      (JSON.parse((await run(['plan', file('v.txt', '{{a}} {{b}}'), '--json', ...args])).stdout) as PlanDocument).prompt.tokens;
    expect(await tokens('--vars', vars)).toBe(await tokens('--var', 'a=one two three four', '--var', 'b=5'));
    expect(await tokens('--vars', vars, '--var', 'a=1')).toBe(await tokens('--var', 'a=1', '--var', 'b=5'));
  });

  it('are simulated as the model reads them', async () => {
    const python = file('p.py', 'x = "A prompt in a program."\ny = "z"\n');
    const { code, stdout } = await run(['simulate', python, '--line', '1', '--provider', 'cpu', '--no-quality', '--json']);
    expect(code).toBe(0);
    const plain = await run(['plan', file('p.txt', 'A prompt in a program.'), '--json']);
    expect((JSON.parse(stdout) as PlanDocument).prompt.tokens).toBe((JSON.parse(plain.stdout) as PlanDocument).prompt.tokens);
  });

  it('of JSON lines are one prompt each where there are several prompts', async () => {
    const lines = file('two.jsonl', `${conversation('Whales?')}\n\n${conversation('Really {{x}}?')}\n`);
    const { stdout } = await run(['pack', lines, '--model', model, '--var', 'x=big', '--provider', 'cpu', '--json']);
    expect((JSON.parse(stdout) as PackReport).prompts.map(({ path }) => path)).toEqual([`${lines}:1`, `${lines}:3`]);
    const save = join(folder, 'e.two-heads.json');
    const evaluated = await run(['evaluate', lines, '--model', model, '--no-quality', '--var', 'x=big', '--save', save, '--json']);
    const { prompts, experiment } = JSON.parse(evaluated.stdout) as ExperimentReport;
    expect(prompts.map(({ path, format }) => [path, format])).toEqual([
      [`${lines}:1`, 'chat'],
      [`${lines}:3`, 'chat'],
    ]);
    expect(experiment.variables).toEqual({ x: 'big' });
    const again = JSON.parse((await run(['run', save, '--json'])).stdout) as ExperimentReport;
    expect(again.prompts.map(({ tokens }) => tokens)).toEqual(prompts.map(({ tokens }) => tokens));
    const longer = JSON.parse((await run(['run', save, '--var', 'x=one two three', '--json'])).stdout) as ExperimentReport;
    expect(longer.prompts[1].tokens).toBeGreaterThan(prompts[1].tokens);
  });

  it.each([
    [['--var', 'y=1'], /The variable "y" was given a value, and no prompt has \{\{y\}\}/],
    [['--var', 'y'], /--var "y" is no name=value/],
    [['--var', 'y=1', '--var', 'y=2'], /--var gives "y" twice/],
    [['--vars', 'nowhere.json'], /nowhere\.json cannot be read/],
    [['--as', 'chat'], /q\.md is not JSON at line 1/],
    [['--as', 'poem'], /Format "poem" is unknown/],
    [['--line', '2'], /Line 2 is of a Python/],
  ])('refuse %j in one line', async (args, message) => {
    const { code, stderr } = await run(['plan', file('q.md', '# T'), ...args]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  it.each([
    ['[1]', /is a list, not an object/],
    ['{"a b": 1}', /"a b" is no name of a variable/],
    ['{"a": null}', /the variable "a" is null; give text or a number/],
  ])('refuse the variables %s', async (content, message) => {
    const { code, stderr } = await run(['plan', file('q.md', '# T'), '--vars', file('bad.json', content)]);
    expect([code, message.test(stderr)]).toEqual([2, true]);
  });
});
