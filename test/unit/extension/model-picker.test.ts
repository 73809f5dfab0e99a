import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import * as vscode from 'vscode';
import { formatCount } from '../../../src/core/format';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { activated, openPrompt, run } from '../../support/host';
import { emptyStores, revisions, storeInHub, storeInOllama, tinyModel } from '../../support/model-stores';
import { messages, script, shownPicks, textsOf } from '../../support/workbench/dialogs';
import { openFolders, restrict } from '../../support/workbench/files';
import { codeLenses, shownLenses } from '../../support/workbench/languages';
import { getConfiguration, set, userSettings } from '../../support/workbench/settings';
import { ggufKinds, writeTokenizer } from '../../support/tokenizers/gguf-kinds';

/** Stores with a model that runs, one that is planned and one that is refused, which this process then finds. */
async function withStores(): Promise<ReturnType<typeof emptyStores>> {
  const made = emptyStores();
  for (const [name, value] of Object.entries(made.environment)) {
    vi.stubEnv(name, value);
  }
  onTestFinished(() => void vi.unstubAllEnvs());
  storeInHub(made.stores.hub, 'org/runs', revisions.first, tinyModel());
  await storeInOllama(made.stores.ollama[0], 'registry.ollama.ai/library/qwen3/8b', 'abcdef01'.repeat(8));
  await storeInOllama(made.stores.ollama[0], 'registry.ollama.ai/library/mamba/1b', '12abcdef'.repeat(8), 'mamba');
  return made;
}

const model = (): unknown => getConfiguration('twoHeads').get('model');

describe('the choice of a model', () => {
  it('lists what is on the machine under what it is good for, and sets the setting', async () => {
    await withStores();
    await activated();
    script.picks.push('org/runs');
    await run('chooseModel');
    const [{ items, options }] = shownPicks;
    expect(options.title).toBe('Choose a Model');
    const labels = items.map(({ label, kind }) => (kind === vscode.QuickPickItemKind.Separator ? `-- ${label}` : label));
    expect(labels.slice(0, 5)).toEqual(['-- run', 'induction-bytes', 'tiny-docs-5m', 'org/runs', '-- planned only']);
    expect(labels.slice(-3)).toEqual(['ollama:qwen3:8b', '-- cannot be planned', 'ollama:mamba:1b']);
    expect(items[2].description).toBe('current · llama · safetensors F16 · 10.4 MiB · trained on 2,048 tokens');
    expect(items[3].description).toBe('llama · safetensors F16 · 10.4 MiB · trained on 2,048 tokens');
    expect(items.find(({ label }) => label === 'ollama:qwen3:8b')?.detail).toMatch(/^The checkpoint lacks model\.layers\.0\./);
    expect(items.at(-1)?.detail).toMatch(/^general\.architecture "mamba" is not known/);
    expect(userSettings()).toEqual({ 'twoHeads.model': 'org/runs' });
  });

  it('plans a prompt with what was chosen', async () => {
    await withStores();
    await activated();
    script.picks.push('ollama:qwen3:8b');
    await run('chooseModel');
    const { document } = await openPrompt('A whale in the sea.');
    expect((await shownLenses(document)).join()).toMatch(/\d tokens/);
  });

  it('counts tokens by the tokenizer of a GGUF file, exactly', async () => {
    const { environment } = await withStores();
    const path = await writeTokenizer(ggufKinds['GPT-2'], join(environment.HOME, '.lmstudio', 'models', 'org', 'name', 'gpt2.gguf'));
    await activated();
    script.picks.push('org/name');
    await run('chooseModel');
    const text = 'A whale, 1851, in the sea; ein Wal im Meer. '.repeat(40);
    const { document } = await openPrompt(text);
    const { length } = (await PromptTokenizer.load(path)).encode(text);
    expect((await shownLenses(document))[0]).toContain(`${formatCount(length)} of 8,192 tokens`);
    const [headline] = await codeLenses(document);
    expect(headline.command?.tooltip).not.toContain('estimate');
  });

  it('replaces the value of a workspace, which would hide that of the user', async () => {
    await withStores();
    await activated();
    set('twoHeads.model', 'gpt2', vscode.ConfigurationTarget.Workspace);
    script.picks.push('org/runs');
    await run('chooseModel');
    expect(model()).toBe('org/runs');
    expect(userSettings()).toEqual({});
  });

  it('changes nothing where none is chosen, or one that cannot be planned, and says why', async () => {
    await withStores();
    await activated();
    script.picks.push(undefined, 'ollama:mamba:1b');
    await run('chooseModel');
    expect(messages).toEqual([]);
    await run('chooseModel');
    expect(textsOf('warning')).toEqual([expect.stringMatching(/ollama:mamba:1b cannot be planned: general\.architecture "mamba"/)]);
    expect(userSettings()).toEqual({});
  });
});

describe('in a workspace that is not trusted', () => {
  it('a store of that workspace is not read, also where a model of it is named', async () => {
    const { home } = await withStores();
    await activated({
      prepare: () => {
        openFolders(join(home, 'hf'));
        restrict();
        set('twoHeads.model', 'org/runs');
      },
    });
    script.picks.push(undefined);
    await run('chooseModel');
    const labels = shownPicks[0].items.map(({ label }) => label);
    expect(labels).toContain('ollama:qwen3:8b');
    expect(labels).not.toContain('org/runs');
    const { document } = await openPrompt('A whale in the sea.');
    expect((await shownLenses(document)).join()).toContain('not trusted');
  });

  it('nor is one that holds the workspace', async () => {
    const { stores } = await withStores();
    await activated({
      prepare: () => {
        openFolders(join(stores.hub, 'models--org--runs'));
        restrict();
      },
    });
    script.picks.push(undefined);
    await run('chooseModel');
    expect(shownPicks[0].items.map(({ label }) => label)).not.toContain('org/runs');
  });
});
