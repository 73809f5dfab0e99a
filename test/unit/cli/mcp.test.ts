import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { toolDefinitions } from '../../../src/core/options/tools';
import type { PlanDocument } from '../../../src/core/report/report';
import { isRunning } from '../../../src/engine/tasks/processes';
import { cli, nothingKept } from '../../support/cli';
import { root } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';
import { until } from '../../harness/slurm';

const prompt = 'A long prompt is read by a small transformer, a block at a time. '.repeat(12);

describe('the server for agents', () => {
  const client = new Client({ name: 'test', version: '1' });
  let folder: string;
  let transport: StdioClientTransport;

  beforeAll(async () => {
    let remove = (): void => undefined;
    const whole = temporaryFolder((act) => (remove = act));
    folder = join(whole, 'prompts');
    mkdirSync(folder);
    writeFileSync(join(folder, 'prompt.txt'), prompt);
    const outside = join(whole, 'outside.txt');
    writeFileSync(outside, prompt);
    symlinkSync(outside, join(folder, 'link.txt'));
    const experiment = {
      version: 1,
      model: 'tiny-docs-5m',
      scenarios: ['sliding-window:64'],
      blocks: [32],
      context: 64,
      maximumWindows: 1,
    };
    const write = (name: string, prompts: string[], results: string): void =>
      writeFileSync(join(folder, name), JSON.stringify({ ...experiment, prompts, results }));
    // An adapter whose base is elsewhere.
    mkdirSync(join(folder, 'adapter'));
    mkdirSync(join(whole, 'base'));
    writeFileSync(
      join(folder, 'adapter', 'adapter_config.json'),
      JSON.stringify({ peft_type: 'LORA', base_model_name_or_path: join(whole, 'base') }),
    );
    write('good.two-heads.json', ['prompt.txt'], 'good.results.jsonl');
    write('reads.two-heads.json', ['../outside.txt'], 'good.results.jsonl');
    write('writes.two-heads.json', ['prompt.txt'], '../stolen.jsonl');
    transport = new StdioClientTransport({
      command: process.execPath,
      args: [join(root, 'dist', 'cli.js'), 'mcp', folder, '--scenario', 'sliding-window', '--window', '64', '--block', '32'],
      env: { ...(process.env as Record<string, string>), ...nothingKept },
      stderr: 'pipe',
    });
    await client.connect(transport);
    return async () => {
      await client.close();
      remove();
    };
  });

  const call = (name: string, input: object): Promise<CallToolResult> =>
    client.callTool({ name, arguments: input as Record<string, unknown> }) as Promise<CallToolResult>;
  const textsOf = ({ content }: CallToolResult): string[] => content.map((part) => (part.type === 'text' ? part.text : ''));

  it('has the tools of the editor, with their input', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name, title, description, inputSchema }) => ({ name, title, description, inputSchema }))).toEqual(
      toolDefinitions.map((tool) => ({ ...tool, inputSchema: tool.inputSchema() })),
    );
  });

  it('plans a file of its folder under what it was started with, as the command line does', async () => {
    const [text, json] = textsOf(await call('plan_prompt', { file: 'prompt.txt' }));
    const report = JSON.parse(json) as PlanDocument;
    const command = ['plan', join(folder, 'prompt.txt'), '--scenario', 'sliding-window', '--window', '64', '--block', '32', '--json'];
    const { plan, prompt: read } = JSON.parse((await cli(command)).stdout) as PlanDocument;
    expect(report.plan.calls).toEqual(plan.calls);
    expect(report.prompt).toEqual({ ...read, path: 'prompt.txt' });
    expect(text).toContain('sliding-window(window 64)');
  });

  it('runs a text with progress, and compares', async () => {
    const heard: number[] = [];
    const given = { name: 'simulate_prompt', arguments: { text: prompt, scenario: 'causal' } };
    const result = await client.callTool(given, undefined, { onprogress: ({ progress }) => heard.push(progress) });
    const [text] = textsOf(result as CallToolResult);
    expect(text).toMatch(/causal.*\n[^]*verdict: exact/);
    expect(heard.length).toBeGreaterThan(2);
    expect(heard).toEqual(heard.toSorted((one, other) => one - other));
    const compared = textsOf(await call('compare_scenarios', { file: 'prompt.txt', scenarios: ['causal', 'sliding-window'] }));
    expect(compared[0]).toMatch(/\| causal \|[^]*\| sliding-window\(window 64\) \|/);
  });

  it('says where attention goes', async () => {
    const [text, json] = textsOf(await call('atlas_prompt', { file: 'prompt.txt', quality: false, verify: 'none' }));
    expect(text).toMatch(/fewest tiles that keep 99\.9% of the attention mass: \d+(\.\d)?% of those read/);
    expect(text).toMatch(/\| layer \|[^]*\| first token \|/);
    // Its masses would fill a model's context.
    expect(json).toBeUndefined();
  });

  it('runs an experiment file of its folder, and keeps its results there', async () => {
    const [text] = textsOf(await call('run_experiment', { file: 'good.two-heads.json' }));
    expect(text).toMatch(
      /^\*\*good\.two-heads\.json\*\*: tiny-docs-5m against its own attention, [^]*\| sliding-window\(window 64\) \| 32 \|/,
    );
    expect(text).toMatch(/- verdict of sliding-window\(window 64\): exact/);
    expect(readFileSync(join(folder, 'good.results.jsonl'), 'utf8')).toContain('"digest":');
    const again = textsOf(await call('run_experiment', { file: 'good.two-heads.json' }));
    expect(again[0]).toContain('1 result from earlier runs');
  });

  it.each([
    ['run_experiment', { file: 'reads.two-heads.json' }, /^Prompt ".*outside\.txt" of the experiment is outside /],
    ['run_experiment', { file: 'writes.two-heads.json' }, /^The results file ".*stolen\.jsonl" of the experiment is outside /],
    ['run_experiment', { file: '../x.two-heads.json' }, /^File "\.\.\/x\.two-heads\.json" is outside /],
    ['plan_prompt', { file: '../x.txt' }, /^File "\.\.\/x\.txt" is outside /],
    ['plan_prompt', { file: 'link.txt' }, /^File "link\.txt" is outside /],
    ['plan_prompt', { file: 'nowhere.txt' }, /nowhere\.txt cannot be read/],
    ['plan_prompt', {}, /^input has neither file and text/],
    ['simulate_prompt', { file: 'prompt.txt', model: '/' }, /^Model "\/" neither ships with Two Heads nor lies in /],
    ['plan_prompt', { file: 'prompt.txt', model: 'adapter' }, /^Model "adapter" neither ships with Two Heads nor lies in /],
    ['simulate_prompt', { file: 'prompt.txt', sinks: 3 }, /sinks/],
    ['advise_prompt', { file: 'prompt.txt' }, /^input has no maxKl; /],
    ['advise_prompt', { text: 'Too short.', maxKl: 0.1 }, /^A window of \d tokens has 1 block of 16, too few to choose among; /],
  ])('says to the client why %s of %j is refused', async (name, input, reason) => {
    const result = await call(name, input);
    expect(result.isError).toBe(true);
    expect(textsOf(result)[0]).toMatch(reason);
  });

  it('has no other tool, stops a run that is cancelled, and ends with its client', async () => {
    await expect(call('delete_everything', {})).rejects.toThrow('There is no tool "delete_everything".');
    const stopped = new AbortController();
    const long = client.callTool({ name: 'simulate_prompt', arguments: { text: prompt.repeat(400) } }, undefined, {
      signal: stopped.signal,
      onprogress: () => stopped.abort('enough'),
    });
    await expect(long).rejects.toThrow('enough');
    const { pid } = transport;
    await client.close();
    await until('the server to end', () => (pid !== null && isRunning(pid) ? undefined : true));
  });
});
