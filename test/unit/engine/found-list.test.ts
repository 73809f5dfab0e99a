import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ListedModel, listModels } from '../../../src/engine/read/model/found/list';
import { findModel } from '../../../src/engine/read/model/found/resolve';
import { cli } from '../../support/cli';
import { emptyStores, revisions, storeInHub, storeInOllama, tinyModel, writeTinyGguf } from '../../support/model-stores';
import { embeddedFolder, modelsFolder, root } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

const digest = 'abcdef01'.repeat(8);

/** A folder with a configuration of `test/fixtures/configs`, and a tokenizer. */
function configured(config: string): string {
  const folder = temporaryFolder();
  cpSync(join(root, 'test', 'fixtures', 'configs', config, 'config.json'), join(folder, 'config.json'));
  cpSync(join(embeddedFolder, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  return folder;
}

/** Any text that has a part. */
function saying(part: string): string {
  return expect.stringContaining(part) as string;
}

function byName(models: readonly ListedModel[]): Readonly<Record<string, ListedModel>> {
  return Object.fromEntries(models.map((model) => [model.name, model]));
}

describe('the list of models', () => {
  it('has those that ship and those of every store, by the name that finds each', async () => {
    const { stores } = emptyStores();
    storeInHub(stores.hub, 'org/runs', revisions.first, tinyModel());
    storeInHub(stores.hub, 'org/runs', revisions.second, tinyModel(), false);
    storeInHub(stores.hub, 'org/plans', revisions.first, configured('DeepSeek-V3'));
    storeInHub(stores.hub, 'org/refused', revisions.first, configured('DeepSeek-V4-Flash'));
    await writeTinyGguf(join(stores.lmStudio[0], 'lm', 'one', 'a.gguf'));
    await writeTinyGguf(join(stores.lmStudio[1], 'lm', 'two', 'a.gguf'), 'qwen3');
    await writeTinyGguf(join(stores.lmStudio[1], 'lm', 'two', 'b.gguf'), 'mamba');
    await storeInOllama(stores.ollama[0], 'registry.ollama.ai/library/qwen3/8b', digest, 'qwen3');
    const models = await listModels(modelsFolder, stores);
    const listed = byName(models);
    expect(listed['tiny-docs-5m']).toMatchObject({ use: 'runs', reason: null, format: 'safetensors F16', store: 'shipped' });
    expect(listed.gpt2).toMatchObject({ use: 'plans', bytes: null, format: null, modelType: 'gpt2', trainedTokens: 1024 });
    expect(listed['org/runs']).toMatchObject({
      ...{ use: 'runs', store: 'hugging-face', modelType: 'llama', trainedTokens: 2048, bytes: listed['tiny-docs-5m'].bytes },
    });
    expect(listed['org/runs@5678ef01']).toMatchObject({ use: 'runs' });
    expect(listed['org/plans']).toMatchObject({
      use: 'plans',
      modelType: 'deepseek_v3',
      trainedTokens: 163_840,
      reason: saying('latent attention'),
    });
    expect(listed['org/refused']).toMatchObject({ use: 'refused', modelType: null });
    expect(listed['org/refused'].reason).toMatch(/^compress_ratios a list/);
    expect(listed['lm/one']).toMatchObject({
      use: 'plans',
      format: 'GGUF F32',
      modelType: 'llama',
      trainedTokens: 8192,
      store: 'lm-studio',
    });
    expect(listed['lm/one'].reason).toMatch(/^The checkpoint lacks model\.layers\.0\./);
    expect(listed['lm/two/a.gguf']).toMatchObject({ use: 'plans', modelType: 'qwen3' });
    expect(listed['lm/two/b.gguf'].reason).toMatch(/^general.architecture "mamba" is not known/);
    expect(listed['ollama:qwen3:8b']).toMatchObject({ use: 'plans', store: 'ollama', modelType: 'qwen3' });
    for (const { name, path, use } of models) {
      expect((await findModel(name, modelsFolder, stores)).path, name).toBe(path);
      expect(use === 'refused', name).toBe(/refused|b\.gguf/.test(name));
    }
  });

  it('says why weights that a configuration knows are not run', async () => {
    const { stores } = emptyStores();
    const store = (name: string, change: (folder: string) => void): void => {
      const folder = tinyModel();
      change(folder);
      storeInHub(stores.hub, name, revisions.first, folder);
    };
    store('a/short', (folder) => truncateSync(join(folder, 'model.safetensors'), 100_000));
    store('a/other', (folder) => cpSync(join(root, 'test', 'golden', 'qwen3', 'model.safetensors'), join(folder, 'model.safetensors')));
    store('a/mute', (folder) => rmSync(join(folder, 'tokenizer.json')));
    store('a/light', (folder) => rmSync(join(folder, 'model.safetensors')));
    store('a/pickled', (folder) => renameSync(join(folder, 'model.safetensors'), join(folder, 'pytorch_model.bin')));
    const listed = byName(await listModels('', stores));
    expect(listed['a/short']).toMatchObject({ use: 'plans', reason: saying('the file is truncated') });
    expect(listed['a/other']).toMatchObject({ use: 'plans', format: 'safetensors F32' });
    expect(listed['a/other'].reason).toContain('which no llama reads');
    expect(listed['a/mute']).toMatchObject({ use: 'refused', reason: saying('no tokenizer.json') });
    expect(listed['a/light']).toMatchObject({ use: 'plans', bytes: null, reason: 'no safetensors files are there' });
    expect(listed['a/pickled'].reason).toBe(
      'its weights are PyTorch pickles (pytorch_model.bin), which are not read; convert them to safetensors, or use a copy that has them',
    );
  });

  it('names by its path what its name does not find', async () => {
    const { stores } = emptyStores();
    const path = join(stores.lmStudio[0], 'org', 'name', 'a.gguf');
    const snapshot = storeInHub(stores.hub, 'org/name', revisions.first, tinyModel());
    const hidden = storeInHub(stores.hub, 'media/models', revisions.first, tinyModel());
    await writeTinyGguf(path);
    const models = await listModels('', stores);
    expect(models.map(({ name }) => name)).toEqual([hidden, snapshot, path]);
    for (const model of models) {
      expect((await findModel(model.name, '', stores)).path).toBe(model.path);
    }
  });

  it('survives what is broken, and says what is', async () => {
    const { stores } = emptyStores();
    const [ollama] = stores.ollama;
    mkdirSync(join(stores.hub, 'models--a--empty'), { recursive: true });
    mkdirSync(join(stores.hub, 'models--a--partial', 'snapshots', revisions.first), { recursive: true });
    const broken = temporaryFolder();
    writeFileSync(join(broken, 'config.json'), '{"model_type": ');
    storeInHub(stores.hub, 'a/torn', revisions.first, broken);
    const dangling = storeInHub(stores.hub, 'a/dangling', revisions.first, tinyModel());
    rmSync(join(dangling, 'config.json'));
    symlinkSync('nowhere', join(dangling, 'config.json'));
    storeInHub(stores.hub, 'a/lost', revisions.first, tinyModel());
    writeFileSync(join(stores.hub, 'models--a--lost', 'refs', 'main'), revisions.second);
    storeInHub(stores.hub, 'a/odd', revisions.first, tinyModel());
    writeFileSync(join(stores.hub, 'models--a--odd', 'refs', 'main'), '../..');
    mkdirSync(join(stores.lmStudio[1], '..'), { recursive: true });
    writeFileSync(stores.lmStudio[1], 'no folder');
    mkdirSync(join(stores.hub, 'datasets--a--b', 'snapshots'), { recursive: true });
    writeFileSync(join(stores.hub, 'version.txt'), '1');
    const path = join(stores.lmStudio[0], 'lm', 'short', 'a.gguf');
    await writeTinyGguf(path);
    truncateSync(path, 50);
    mkdirSync(join(ollama, 'manifests', 'registry.ollama.ai', 'library', 'x'), { recursive: true });
    writeFileSync(join(ollama, 'manifests', 'registry.ollama.ai', 'library', 'x', 'torn'), '{');
    await storeInOllama(ollama, 'registry.ollama.ai/library/x/gone', digest);
    rmSync(join(ollama, 'blobs'), { recursive: true });
    const models = await listModels('', stores);
    expect(models.filter(({ use }) => use !== 'refused').map(({ name }) => name)).toEqual(['a/lost@1234abcd', 'a/odd@1234abcd']);
    expect(Object.fromEntries(models.map(({ name, reason }) => [name, reason]))).toEqual({
      'a/empty': saying('no snapshots'),
      'a/partial': saying('neither config.json nor a .gguf file'),
      'a/torn': saying('not JSON'),
      'a/lost': saying(`refs/main names revision ${revisions.second}, which is not in snapshots`),
      'a/lost@1234abcd': null,
      'a/odd': saying('holds "../..", which is no revision'),
      'a/odd@1234abcd': null,
      [stores.lmStudio[1]]: saying('cannot be read (ENOTDIR'),
      'a/dangling': saying('leads nowhere'),
      'lm/short': saying('truncated'),
      'ollama:x:torn': saying('not JSON'),
      'ollama:x:gone': saying('ENOENT'),
    });
  });

  it('is empty where nothing is', async () => {
    expect(await listModels('', emptyStores().stores)).toEqual([]);
  });
});

describe('two-heads models', () => {
  it('prints a line for each, and plans one by its name', async () => {
    const { stores, environment } = emptyStores();
    storeInHub(stores.hub, 'org/name', revisions.first, tinyModel());
    await storeInOllama(stores.ollama[0], 'registry.ollama.ai/library/qwen3/8b', digest);
    const { stdout, code } = await cli(['models'], '', environment);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^org\/name +10\.4 MiB +safetensors F16 +llama +2,048 {2}runs$/m);
    expect(stdout).toMatch(/^ollama:qwen3:8b +1\.56 KiB +GGUF F32 +llama +8,192 {2}plans only: The checkpoint lacks model.layers.0./m);
    const json = JSON.parse((await cli(['models', '--json'], '', environment)).stdout) as { stores: unknown; models: ListedModel[] };
    expect(json.stores).toEqual(stores);
    expect(json.models.map(({ name }) => name)).toContain('org/name');
    const prompt = join(temporaryFolder(), 'p.md');
    writeFileSync(prompt, 'A whale.');
    const planned = await cli(['plan', prompt, '--model', 'org/name', '--json'], '', environment);
    expect(JSON.parse(planned.stdout)).toMatchObject({ model: { name: 'org/name@1234abcd' } });
    const digested = await cli(['digest', 'ollama:qwen3:8b'], '', environment);
    expect(digested.stdout).toMatch(new RegExp(`^[0-9a-f]{64}  sha256-${digest}\\n[0-9a-f]{64}\\n$`));
    const gguf = await cli(['plan', prompt, '--model', 'ollama:qwen3:8b'], '', environment);
    expect(gguf.stdout).toContain('ollama:qwen3:8b@abcdef01');
    expect(gguf.stdout).toContain('an estimate by r50k_base. The GGUF file has no tokenizer.');
    const run = await cli(['simulate', prompt, '--model', 'ollama:qwen3:8b'], '', environment);
    expect(run).toMatchObject({ code: 2, stderr: saying('can be planned, not run: ') });
  });
});
