import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { planHeadline } from '../../src/core/hints/hints';
import { makePlan } from '../../src/core/plan/plan';
import type { ComparisonReport, PlanDocument, RunReport } from '../../src/core/report/report';
import { cli } from '../support/cli';
import { embeddedFolder, sampleText } from '../support/paths';
import { packaged } from './harness/packaged';
import { MEMORY_FILES, MEMORY_SCHEME, type ApiCall, type Outcome } from './harness/probe/protocol';
import { useStage, type Stage, type StageOptions } from './harness/stage';
import { eventually, until } from './harness/wait';

const text = sampleText().slice(0, 2000);
const options = { blockSize: 64, scenario: { kind: 'causal' } };
const quick = { ...options, verify: 'none', quality: false };

/** What VS Code itself prints of a tool that refuses, or that the user refused. */
const refusedTool = /LanguageModelToolsService#invokeTool\] Error from tool twoHeads_/;

/** A folder with prompts and a model's folder in it, and a prompt beside it, behind a link too. @returns the folder inside */
function makeWorkspace(folder: string): string {
  const workspace = join(folder, 'inside');
  mkdirSync(join(workspace, 'model'), { recursive: true });
  writeFileSync(join(workspace, 'prompt.md'), text);
  writeFileSync(join(folder, 'secret.md'), text);
  symlinkSync(join(folder, 'secret.md'), join(workspace, 'link.md'));
  for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    cpSync(join(embeddedFolder, file), join(workspace, 'model', file));
  }
  return workspace;
}

/** That folder, and one of another file system beside it. */
function prepareBoth(folder: string): ReturnType<NonNullable<StageOptions['prepare']>> {
  makeWorkspace(folder);
  const workspace = join(folder, 'both.code-workspace');
  writeFileSync(workspace, JSON.stringify({ folders: [{ path: 'inside' }, { uri: `${MEMORY_SCHEME}:/`, name: 'memory' }] }));
  return { workspace, environment: { [MEMORY_FILES]: JSON.stringify({ '/virtual.md': text }) } };
}

/** That folder, with settings of its own in it. */
function prepareRestricted(folder: string): ReturnType<NonNullable<StageOptions['prepare']>> {
  const workspace = makeWorkspace(folder);
  mkdirSync(join(workspace, '.vscode'));
  writeFileSync(join(workspace, '.vscode', 'settings.json'), JSON.stringify({ 'twoHeads.provider': 'webgpu', 'twoHeads.blockSize': 32 }));
  return {
    workspace,
    settings: {
      'security.workspace.trust.enabled': true,
      'security.workspace.trust.startupPrompt': 'never',
      'security.workspace.trust.banner': 'never',
      'twoHeads.model': join(workspace, 'model'),
    },
  };
}

/** What a call of the API came to, and what was seen of it. */
interface Answer<T> {
  readonly value: T;
  readonly progress: readonly number[];
  readonly finishedRuns: number;
  readonly version: number;
}

/** What each method of the API gives. */
interface Reports {
  readonly plan: PlanDocument;
  readonly simulate: RunReport;
  readonly compare: ComparisonReport;
}

/** Has another extension call the API; throws what it threw. */
async function api<M extends ApiCall['method']>(
  { bench }: Stage,
  method: M,
  given: object = {},
  more: Partial<ApiCall> = {},
): Promise<Answer<Reports[M]>> {
  const { value, error } = await bench.ask('callApi', JSON.stringify({ method, text, options: given, ...more }));
  if (error !== null) {
    throw Object.assign(new Error(error.message), { name: error.name });
  }
  return value as Answer<Reports[M]>;
}

/** Invokes a tool and answers its question with this button. @returns what was asked, and what came of it */
async function tool(
  stage: Stage,
  name: string,
  input: object,
  button: string | null = 'Yes',
): Promise<{ asked: string; outcome: Outcome }> {
  const outcome = stage.bench.ask('invokeTool', JSON.stringify({ name: `twoHeads_${name}`, input }));
  if (button === null) {
    return { asked: '', outcome: await outcome };
  }
  const asked = await stage.dialog();
  await stage.bench.screenshot(`surroundings-${name}`);
  await stage.bench.pressDialogButton(button);
  return { asked, outcome: await outcome };
}

describe('a workspace of two file systems', () => {
  const stage = useStage('surroundings', { prepare: prepareBoth, meant: refusedTool });

  beforeAll(() =>
    eventually('the folders of the workspace file', async () => {
      const seen = await stage.bench.ask('folders');
      if (seen.length < 2) {
        // On a busy machine VS Code may read the file before its own file system is there, and never again.
        await stage.bench.reload();
      }
      return seen.length < 2 ? { seen } : { found: seen };
    }),
  );

  describe('the API, called by another extension', () => {
    it('plans what the command line plans', async () => {
      if (stage.bench.childProcesses('engine.js').length > 0) {
        stage.bench.killChild('engine.js');
      }
      const { value, version } = await api(stage, 'plan', { ...options, path: 'prompt.md' });
      const expected = JSON.parse(
        (await cli(['plan', '-', '--as', 'markdown', '--scenario', 'causal', '--block', '64', '--json'], text)).stdout,
      ) as PlanDocument;
      // The process that will run is another one.
      const { process: own, peak } = value.memory ?? { process: NaN, peak: NaN };
      const { process: other } = expected.memory ?? { process: NaN };
      const memory = { ...expected.memory, process: own, peak: (expected.memory?.peak ?? NaN) - other + own };
      expect(peak).toBeGreaterThan(own);
      expect(value).toEqual({ ...expected, memory, prompt: { ...expected.prompt, path: 'prompt.md' } });
      expect(version).toBe(1);
      expect(stage.bench.childProcesses('engine.js')).toEqual([]);
    });

    it('runs one prompt at a time, tells of progress, and of every run that ends', async () => {
      const runs = await Promise.all([api(stage, 'simulate', options), api(stage, 'simulate', quick), api(stage, 'plan', options)]);
      const [first, second] = runs;
      expect(first.value.fidelity?.maxAbsError).toBeLessThan(1e-4);
      expect(first.value.run.calls.total).toBe(first.value.plan.calls.total);
      expect(second.value.fidelity).toBeNull();
      for (const { progress } of [first, second]) {
        expect(progress.length).toBeGreaterThan(0);
        expect(progress).toEqual([...progress].sort((one, other) => one - other));
      }
      // The second one also saw the first one end: they were asked for at the same time, and either may have come first.
      expect([first.finishedRuns, second.finishedRuns].sort()).toEqual([1, 2]);
    });

    it('compares scenarios, and names those it left out only where nobody asked for them', async () => {
      const { value, finishedRuns } = await api(stage, 'compare', {
        ...quick,
        scenario: undefined,
        scenarios: [{ kind: 'causal' }, { kind: 'sliding-window', window: 32 }],
      });
      expect(value.runs.map(({ scenario }) => scenario)).toEqual([{ kind: 'causal' }, { kind: 'sliding-window', window: 32 }]);
      expect(finishedRuns).toBe(2);
      const impossible = { blockSize: 64, construction: 'paper', scenarios: [{ kind: 'sliding-window', window: 100 }] };
      await expect(api(stage, 'compare', impossible)).rejects.toThrow(/window/i);
    });

    it('refuses in one line, and cancels', async () => {
      await expect(api(stage, 'plan', { blockSize: 1 })).rejects.toMatchObject({
        name: 'InputError',
        message:
          'options.blockSize of 1 is not possible; use a whole number from 2 to 16777216, or 0 for the fastest on a calibrated device.',
      });
      await expect(api(stage, 'plan', {}, { text: '' })).rejects.toMatchObject({ name: 'InputError' });
      await expect(api(stage, 'plan', { model: '/nowhere' })).rejects.toThrow(/"\/nowhere" is no folder/);
      await expect(api(stage, 'simulate', options, { repeat: 30, cancelAtProgress: true })).rejects.toMatchObject({
        name: 'CancelledError',
      });
      expect((await api(stage, 'simulate', quick)).value.run.calls.total).toBeGreaterThan(0);
    });
  });

  describe('the tools of language models', () => {
    it('are offered', async () => {
      expect(await stage.bench.ask('tools')).toEqual(
        expect.arrayContaining(
          ['plan_prompt', 'simulate_prompt', 'compare_scenarios', 'atlas_prompt', 'advise_prompt'].map((name) => `twoHeads_${name}`),
        ),
      );
    });

    it('plan a file of the workspace', async () => {
      const { asked, outcome } = await tool(stage, 'plan_prompt', { file: 'prompt.md', scenario: 'causal', blockSize: 64 });
      expect(asked).toContain('Plan inside/prompt.md?');
      expect(outcome.error).toBeNull();
      const [markdown, json] = outcome.value as string[];
      const { plan } = JSON.parse(json) as PlanDocument;
      expect(markdown).toContain(`${plan.calls.total} calls of the small transformer`);
    });

    it('ask before a run with its file, model and scenario, and run it only then', async () => {
      const input = { file: 'prompt.md', scenario: 'sliding-window', window: 64, blockSize: 64 };
      const refusal = await tool(stage, 'simulate_prompt', input, 'Cancel');
      expect(refusal.asked).toMatch(
        /Simulate inside\/prompt\.md\?[^]*characters\) on this machine with tiny-docs-5m, M = 64, under sliding-window\(window 64\)\. The chat gets/,
      );
      expect(refusal.outcome.error?.message).toMatch(/cancel/i);
      const { outcome } = await tool(stage, 'simulate_prompt', input);
      expect(outcome.error).toBeNull();
      expect((outcome.value as string[])[0]).toMatch(/fidelity: max abs error \d/);
    });

    it('compare scenarios of a text', async () => {
      const { asked, outcome } = await tool(stage, 'compare_scenarios', { text, scenarios: ['causal', 'full'], blockSize: 64 });
      expect(asked).toContain('Compare 2 scenarios on the given text?');
      expect(outcome.error).toBeNull();
      expect((outcome.value as string[])[0]).toMatch(/\| causal \|[^]*\| full \|/);
    });

    it.each<[string, object, RegExp]>([
      ['outside the workspace', { file: '../secret.md' }, /outside the workspace/],
      ['outside the workspace, by its path', { file: '/etc/passwd' }, /outside the workspace/],
      ['behind a link', { file: 'link.md' }, /leads outside the workspace/],
      ['that is not there', { file: 'nothing.md' }, /is no file of the workspace/],
      [
        'with a model from elsewhere',
        { file: 'prompt.md', model: embeddedFolder },
        /neither ships with Two Heads nor is a folder of the workspace/,
      ],
      ['without a source', {}, /neither file and text/],
    ])('refuse, before they ask, a file %s', async (_, input, message) => {
      const { outcome } = await tool(stage, 'simulate_prompt', input, null);
      expect(outcome.error?.message).toMatch(message);
    });

    it('load a model of the workspace', async () => {
      const { outcome } = await tool(stage, 'plan_prompt', { file: 'prompt.md', model: 'model' });
      expect((outcome.value as string[])[0]).toContain(', model, M = ');
    });
  });

  describe('a workspace that is on no disk', () => {
    it('has its prompts planned and run', async () => {
      await stage.bench.ask('show', `${MEMORY_SCHEME}:/virtual.md`);
      const { plan, model, prompt, ...rest } = JSON.parse((await cli(['plan', '-', '--json'], text)).stdout) as PlanDocument;
      const headline = planHeadline(makePlan({ ...rest, ...plan, tokens: prompt.tokens, model: model.shape }));
      await stage.lens(headline);
      expect(await stage.simulate()).toContain(`${prompt.tokens} tokens in`);
      const { outcome } = await tool(stage, 'plan_prompt', { file: 'memory/virtual.md' });
      expect((outcome.value as string[])[0]).toContain(`**memory/virtual.md**: ${prompt.tokens} tokens`);
    });
  });
});

describe('a workspace that is not trusted', () => {
  const stage = useStage('restricted', { prepare: prepareRestricted, meant: refusedTool });

  it('has its settings for the machine ignored and its models refused, and the others work, until it is trusted', async () => {
    expect(await stage.bench.ask('trusted')).toBe(false);
    await stage.open('inside/prompt.md');
    // On a slow machine the settings come after the window.
    await until(
      'the settings of the user and of the workspace',
      async () => [await stage.bench.ask('setting', 'twoHeads.model'), await stage.bench.ask('setting', 'twoHeads.blockSize')],
      ([model, blockSize]) => String(model).endsWith('model') && blockSize === 32,
    );
    expect(await stage.bench.ask('setting', 'twoHeads.provider')).toBe('auto');
    const refusal = /is in a workspace that is not trusted; trust the workspace, or use a model that ships/;
    await expect(api(stage, 'plan')).rejects.toThrow(refusal);
    await expect(api(stage, 'simulate')).rejects.toThrow(refusal);
    expect((await tool(stage, 'plan_prompt', { file: 'prompt.md', model: 'model' })).outcome.error?.message).toMatch(refusal);
    expect((await api(stage, 'plan', { model: 'tiny-docs-5m' })).value.model.name).toBe('tiny-docs-5m');
    await stage.bench.screenshot('surroundings-restricted');

    await stage.bench.command('Workspaces: Manage Workspace Trust');
    await stage.bench.page.locator('.workspace-trust-editor').getByRole('button', { name: 'Trust', exact: true }).first().click();
    await until(
      'trust',
      () => stage.bench.ask('trusted'),
      (trusted) => trusted,
    );
    expect((await api(stage, 'plan')).value.model.name).toBe('model');
    await stage.open('inside/prompt.md');
    await stage.lens('of 32');
  });
});

describe('an editor in a browser alone', () => {
  const stage = useStage('browser', {
    prepare: (folder) => ({ workspace: makeWorkspace(folder) }),
    // As on vscode.dev, VS Code then loads the extension's browser entry into a worker of the page.
    settings: { 'remote.extensionKind': { 'two-heads.two-heads': ['web'] } },
  });

  it('says that running needs the desktop', async () => {
    await stage.bench.command('Two Heads: Simulate This File');
    await stage.notification('needs VS Code on the desktop');
    await stage.bench.screenshot('surroundings-browser');
    expect(await stage.bench.isActive('two-heads.two-heads')).not.toBe(true);
  });
});

describe('the package', () => {
  it('holds what a browser loads, and the icon', () => {
    const names = readFileSync(packaged.vsix).toString('latin1');
    for (const name of ['extension/dist/web.js', 'extension/media/icon.png']) {
      expect(names).toContain(name);
    }
  });
});
