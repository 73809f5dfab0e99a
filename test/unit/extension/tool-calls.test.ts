import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as vscode from 'vscode';
import { toolDefinitions } from '../../../src/core/options/tools';
import type { ExperimentOutlook } from '../../../src/core/lab/outlook';
import { adviceOf, advisedMask } from '../../support/advices';
import { activated, type Host } from '../../support/host';
import { finishComparison, reportFor } from '../../support/host-reports';
import { modelsFolder } from '../../support/paths';
import { evaluationOf } from '../../support/records';
import { leaveOutServers, servers, tools } from '../../support/workbench/commands';
import { edit, openDocument } from '../../support/workbench/documents';
import { openFolders, otherFiles } from '../../support/workbench/files';
import { set } from '../../support/workbench/settings';

const text = 'The quick brown fox jumps over the lazy dog. '.repeat(30);

/** What a user is asked before a tool is called. */
async function confirmation(name: string, input: unknown): Promise<{ title: string; message: string; progress: string }> {
  const token = new vscode.CancellationTokenSource().token;
  const prepared = await tools.get(name)?.prepareInvocation?.({ input }, token);
  const said = prepared?.confirmationMessages;
  const markdown = (part: string | vscode.MarkdownString | undefined): string => (typeof part === 'object' ? part.value : (part ?? ''));
  return { title: said?.title ?? '', message: markdown(said?.message), progress: markdown(prepared?.invocationMessage) };
}

/** What a tool answers, part by part. */
async function call(name: string, input: unknown, token = new vscode.CancellationTokenSource().token): Promise<string[]> {
  const result = await tools.get(name)?.invoke({ input, toolInvocationToken: undefined }, token);
  return (result?.content as vscode.LanguageModelTextPart[]).map(({ value }) => value);
}

/** The text of a tool's Markdown as it is shown. */
function read(markdown: string): string {
  return markdown.replaceAll('&nbsp;', ' ').replaceAll(/\\([\\`*_{}[\]()#+\-!~>])/g, '$1');
}

/** The extension with a workspace of one folder, which holds a prompt. */
async function withFolder(): Promise<Host & { workspace: string }> {
  const host = await activated();
  const workspace = join(host.folder, 'project');
  mkdirSync(workspace);
  writeFileSync(join(workspace, 'a_b.md'), text);
  openFolders(workspace);
  return { ...host, workspace };
}

describe('a language model', () => {
  it('plans a file of the workspace once the user agrees', async () => {
    const { engine } = await withFolder();
    const { title, message, progress } = await confirmation('twoHeads_plan_prompt', { file: 'a_b.md' });
    expect([title, read(progress)]).toEqual(['Plan a_b.md?', 'Planning a_b.md']);
    // A file's name is no Markdown.
    expect(message).toContain('a\\_b.md');
    expect(read(message)).toBe(
      'Two Heads counts what a_b.md (1,350 characters) costs. Nothing is run; the chat gets the numbers, not the text.',
    );
    const [said, json] = await call('twoHeads_plan_prompt', { file: 'a_b.md', scenario: 'full', blockSize: 64 });
    expect(said).toMatch(/^\*\*a_b\.md\*\*: \d+ tokens under full, tiny-docs-5m, M = 64, fused/);
    expect(JSON.parse(json)).toMatchObject({ scenario: { kind: 'full' }, prompt: { path: 'a_b.md' } });
    expect(said + json).not.toContain('quick');
    expect(engine.calls).toEqual([]);
  });

  it('runs a text, and hears the numbers', async () => {
    const { engine } = await activated();
    const { title, message, progress } = await confirmation('twoHeads_simulate_prompt', { text, scenario: 'sliding-window', window: 64 });
    expect([title, read(progress)]).toEqual(['Simulate the given text?', 'Simulating the given text under sliding-window(window 64)']);
    expect(read(message)).toMatch(
      /\(1,350 characters\) on this machine with tiny-docs-5m, M = 256, under sliding-window\(window 64\)\. The chat gets/,
    );
    const answer = call('twoHeads_simulate_prompt', { text, scenario: 'sliding-window', window: 64 });
    const engineCall = await engine.next('simulate');
    expect(engineCall.argument).toMatchObject({ text, options: { scenario: { kind: 'sliding-window', window: 64 } } });
    engineCall.resolve(await reportFor(engineCall));
    expect((await answer)[0]).toContain('- fidelity: max abs error 3.1e-7');
  });

  it('compares scenarios', async () => {
    const { engine } = await activated();
    const input = { text, scenarios: ['causal', 'full'], blockSize: 64 };
    const { title, message } = await confirmation('twoHeads_compare_scenarios', input);
    expect(title).toBe('Compare 2 scenarios on the given text?');
    expect(read(message)).toContain('under causal, full. ');
    const answer = call('twoHeads_compare_scenarios', input);
    const engineCall = await engine.next('compare');
    expect(engineCall.argument).toMatchObject({ named: true, scenarios: [{ kind: 'causal' }, { kind: 'full' }] });
    await finishComparison(engineCall);
    const [table] = await answer;
    expect(table.split('\n').filter((line) => /^\| (causal|full) \|/.test(line))).toHaveLength(2);
  });

  it('has the attention of a text mapped', async () => {
    const { engine } = await activated();
    const input = { text, scenario: 'sliding-window', window: 64 };
    const { title, progress } = await confirmation('twoHeads_atlas_prompt', input);
    expect([title, read(progress)]).toEqual(['Map the attention of the given text?', 'Mapping the attention of the given text']);
    const answer = call('twoHeads_atlas_prompt', input);
    const engineCall = await engine.next('atlas');
    expect(engineCall.argument).toMatchObject({ text, options: { scenario: { kind: 'sliding-window', window: 64 } } });
    engineCall.reject(new Error('crashed'));
    await expect(answer).rejects.toThrow('crashed');
  });

  it('has masks found for a text, within a limit that it must give', async () => {
    const { engine } = await activated();
    const input = { text, maxKl: 0.02, by: 'head', blockSize: 32 };
    const { title, message, progress } = await confirmation('twoHeads_advise_prompt', input);
    expect([title, read(progress)]).toEqual(['Find masks for the given text?', 'Finding masks for the given text']);
    expect(read(message)).toMatch(/some 20 times on this machine with tiny/);
    const answer = call('twoHeads_advise_prompt', input);
    const engineCall = await engine.next('advise');
    expect(engineCall.argument).toMatchObject({ text, options: { maxKl: 0.02, by: 'head', blockSize: 32, maximumWindows: 1 } });
    engineCall.resolve(adviceOf([advisedMask(30, 0.019)], [advisedMask(29, 0.025)]));
    expect((await answer)[0]).toContain('It beats uniform windows');
    await expect(call('twoHeads_advise_prompt', { text })).rejects.toThrow(/^input has no maxKl; give the mean KL/);
    await expect(call('twoHeads_advise_prompt', { text, maxKl: 0 })).rejects.toThrow(
      /^input\.maxKl of 0 is not possible; use a number above 0/,
    );
    await expect(call('twoHeads_advise_prompt', { text, maxKl: 1, memoryLimit: 1 })).rejects.toThrow('input has no "memoryLimit"');
  });

  it('has an experiment file of the workspace run, held inside it, once the user knows what it takes', async () => {
    const { engine, workspace, folder } = await withFolder();
    const file = join(workspace, 'masks.two-heads.json');
    writeFileSync(file, '{}');
    const asked = confirmation('twoHeads_run_experiment', { file: 'masks.two-heads.json' });
    const within = { folders: [workspace], models: ['tiny-docs-5m'] };
    const look = await engine.next('outlook');
    expect(look.argument).toEqual({ file, within });
    const experiment = { results: join(workspace, 'masks.results.jsonl') };
    const outlook = { points: [{}, {}], units: 8, known: 2, predictedMs: 40_000, experiment, model: 'tiny-docs-5m' };
    look.resolve(outlook as unknown as ExperimentOutlook);
    const { title, message, progress } = await asked;
    expect([title, read(progress)]).toEqual(['Run the experiment masks.two-heads.json?', 'Running the experiment masks.two-heads.json']);
    expect(read(message)).toBe(
      'Two Heads measures 2 points on this machine with tiny-docs-5m, 2 of 8 results known already. That takes about 30.0 s. Results are written to masks.results.jsonl. The chat gets the numbers, not the text.',
    );
    const answer = call('twoHeads_run_experiment', { file });
    const engineCall = await engine.next('evaluate');
    expect(engineCall.argument).toEqual({ file, within });
    engineCall.resolve(evaluationOf());
    const [said, json] = await answer;
    expect(said).toMatch(/^\*\*masks\.two-heads\.json\*\*: [^]*\| scenario \| M \| calls \|/);
    expect(said + json).not.toContain(folder);
    await expect(call('twoHeads_run_experiment', {})).rejects.toThrow(/^input has no file; give the path of an experiment file/);
    await expect(call('twoHeads_run_experiment', { file: '../x.two-heads.json' })).rejects.toThrow('is outside the workspace');
  });

  it('is told that a run was cancelled as an editor tells it', async () => {
    const { engine } = await activated();
    const source = new vscode.CancellationTokenSource();
    const answer = call('twoHeads_simulate_prompt', { text }, source.token);
    await engine.next('simulate');
    source.cancel();
    await expect(answer).rejects.toThrow(vscode.CancellationError);
    const failing = call('twoHeads_simulate_prompt', { text });
    (await engine.next('simulate')).reject(new Error('crashed'));
    await expect(failing).rejects.toThrow('crashed');
  });

  it.each<[unknown, string]>([
    [{ file: '../secret.md' }, 'is outside the workspace'],
    [{ file: '/etc/passwd' }, 'is outside the workspace'],
    [{ file: 'link.md' }, 'is a link that leads outside the workspace'],
    [{ file: 'missing.md' }, 'is no file of the workspace'],
    [{ file: '.' }, 'is no file of the workspace'],
    [{ file: 'pipe.md' }, 'is no file of the workspace'],
    [{ file: 'empty.md' }, 'empty.md is empty'],
    [{ file: 'broken.md' }, 'broken.md is not UTF-8 text at byte 2 (0xff)'],
    [{ text: '' }, 'input.text of "" is not possible'],
    [{}, 'neither file and text'],
    [{ text, model: '/usr' }, 'neither ships with Two Heads nor is a folder of the workspace; use '],
    [{ text, model: 'outside' }, 'neither ships with Two Heads nor is a folder of the workspace'],
  ])('is refused %j', async (input, why) => {
    const { workspace, folder } = await withFolder();
    writeFileSync(join(folder, 'secret.md'), 'secret');
    writeFileSync(join(workspace, 'empty.md'), '');
    writeFileSync(join(workspace, 'broken.md'), Uint8Array.of(0x61, 0x62, 0xff));
    execFileSync('mkfifo', [join(workspace, 'pipe.md')]);
    mkdirSync(join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'secret.md'), join(workspace, 'link.md'));
    symlinkSync(join(folder, 'elsewhere'), join(workspace, 'outside'));
    await expect(call('twoHeads_plan_prompt', input)).rejects.toMatchObject({
      name: 'InputError',
      message: expect.stringContaining(why) as string,
    });
    await expect(confirmation('twoHeads_simulate_prompt', input)).rejects.toThrow(why);
  });

  it('names no file where no folder is open', async () => {
    await activated();
    await expect(call('twoHeads_plan_prompt', { file: 'a.md' })).rejects.toThrow('no folder is open; open one');
  });

  it('finds a file in any folder, behind its name too, and by its absolute path', async () => {
    const { workspace, folder } = await withFolder();
    const second = join(folder, 'second');
    mkdirSync(second);
    writeFileSync(join(second, 'only.md'), 'Only here.');
    openFolders(workspace, second);
    for (const file of ['only.md', 'second/only.md', join(second, 'only.md')]) {
      expect((await call('twoHeads_plan_prompt', { file }))[0]).toContain('**second/only.md**');
    }
  });

  it('reads a file in UTF-16 as the editor would', async () => {
    const { workspace } = await withFolder();
    const [, plain] = await call('twoHeads_plan_prompt', { file: 'a_b.md' });
    writeFileSync(join(workspace, 'a_b.md'), `\uFEFF${text}`, 'utf16le');
    expect((await call('twoHeads_plan_prompt', { file: 'a_b.md' }))[1]).toBe(plain);
  });

  it('reads a file as it is in the editor, and from other file systems', async () => {
    const { workspace } = await withFolder();
    const size = async (file: string): Promise<number> =>
      (JSON.parse((await call('twoHeads_plan_prompt', { file }))[1]) as { prompt: { bytes: number } }).prompt.bytes;
    expect(await size('a_b.md')).toBe(text.length);
    const document = openDocument(join(workspace, 'a_b.md'), text);
    edit(document, { from: 0, text: 'More. ' });
    expect(await size('a_b.md')).toBe(text.length + 6);
    openFolders(vscode.Uri.parse('memfs:/project'));
    otherFiles.set('memfs:/project/c.md', new TextEncoder().encode('There.'));
    expect(await size('c.md')).toBe(6);
    await expect(size('/project/c.md')).rejects.toThrow('is outside the workspace');
  });

  it('may name a model that ships, a folder of the workspace, or that of the settings', async () => {
    const { workspace } = await withFolder();
    symlinkSync(join(modelsFolder, 'gpt2'), join(workspace, 'linked'));
    const model = join(workspace, 'own');
    mkdirSync(model);
    for (const name of ['config.json', 'tokenizer.json', 'model.safetensors']) {
      symlinkSync(join(modelsFolder, 'tiny-docs-5m', name), join(model, name));
    }
    const named = async (given: string): Promise<string> =>
      (JSON.parse((await call('twoHeads_plan_prompt', { text, model: given }))[1]) as { model: { name: string } }).model.name;
    expect(await named('tiny-docs-5m')).toBe('tiny-docs-5m');
    expect(await named('own')).toBe('own');
    expect(await named(model)).toBe('own');
    await expect(named('linked')).rejects.toThrow('neither ships');
    const elsewhere = join(modelsFolder, 'tiny-docs-5m');
    await expect(named(elsewhere)).rejects.toThrow('neither ships');
    set('twoHeads.model', elsewhere);
    expect(await named(elsewhere)).toBe('tiny-docs-5m');
  });
});

describe('an agent in the editor', () => {
  const offered = (): object[] => servers.get('twoHeads.servers')?.provideMcpServerDefinitions() ?? [];

  it('is offered a server for each folder on disk: the bundled command line', async () => {
    const { workspace } = await withFolder();
    const args = [expect.stringMatching(/[\\/]dist[\\/]cli\.js$/), 'mcp', workspace];
    expect(offered()).toEqual([{ label: 'Two Heads: project', command: process.execPath, args, env: { ELECTRON_RUN_AS_NODE: '1' } }]);
    openFolders(vscode.Uri.parse('memfs:/project'));
    expect(offered()).toEqual([]);
  });

  it('is offered none where the editor is older than that', async () => {
    await activated({ prepare: leaveOutServers });
    expect(servers.size).toBe(0);
    expect(tools.size).toBe(toolDefinitions.length);
  });
});
