import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { findModel, type FoundModel } from '../../../src/engine/read/model/found/resolve';
import { modelStores } from '../../../src/engine/read/model/found/stores';
import { loadModel, openModel } from '../../../src/engine/read/model/load';
import { readExperiment } from '../../../src/engine/tasks/evaluate/experiment-file';
import { emptyStores, revisions, storeInHub, storeInOllama, tinyModel, writeTinyGguf } from '../../support/model-stores';
import { modelsFolder } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';
import { refusalOf } from './malformed/outcome';

const digest = 'abcdef01'.repeat(8);

describe('the stores of a machine', () => {
  it('are where other programs put them, or where variables say', () => {
    const at = (environment: Record<string, string>, platform: NodeJS.Platform = 'linux') =>
      modelStores(environment, join('/', 'u'), platform);
    expect(at({})).toEqual({
      hub: join('/u', '.cache', 'huggingface', 'hub'),
      lmStudio: [join('/u', '.lmstudio', 'models'), join('/u', '.cache', 'lm-studio', 'models')],
      ollama: [join('/u', '.ollama', 'models'), '/usr/share/ollama/.ollama/models'],
    });
    expect(at({}, 'win32').ollama).toEqual([join('/u', '.ollama', 'models')]);
    expect(at({ XDG_CACHE_HOME: '/x' }).hub).toBe(join('/x', 'huggingface', 'hub'));
    expect(at({ XDG_CACHE_HOME: '/x', HF_HOME: '~/hf' }).hub).toBe(join('/u', 'hf', 'hub'));
    expect(at({ HF_HOME: '/hf', HF_HUB_CACHE: '/cache' }).hub).toBe('/cache');
    expect(at({ HF_HUB_CACHE: ' ', OLLAMA_MODELS: '/o' })).toMatchObject({
      hub: join('/u', '.cache', 'huggingface', 'hub'),
      ollama: ['/o'],
    });
  });
});

describe("a model in Hugging Face's cache", () => {
  it('is found by its repository, in the revision of main, and runs through the links of the cache', async () => {
    const { stores } = emptyStores();
    storeInHub(stores.hub, 'org/name', revisions.second, tinyModel(), false);
    const snapshot = storeInHub(stores.hub, 'org/name', revisions.first, tinyModel());
    const expected: FoundModel = { name: 'org/name@1234abcd', path: snapshot, kind: 'folder', notes: [] };
    const find = (asked: string) => findModel(asked, modelsFolder, stores);
    expect(await find('org/name')).toEqual(expected);
    expect(await find('org/name@main')).toEqual(expected);
    expect(await find('org/name@1234abcd')).toEqual(expected);
    expect(await find(`org/name@${revisions.first}`)).toEqual(expected);
    expect(await find(join(stores.hub, 'models--org--name'))).toEqual(expected);
    expect(await find(snapshot)).toEqual(expected);
    expect((await find('org/name@5678')).name).toBe('org/name@5678ef01');
    const { layers, name } = await loadModel(await openModel('org/name', modelsFolder, stores));
    expect(layers).toHaveLength(6);
    expect(name).toBe('org/name@1234abcd');
  });

  it('needs no owner, and no ref where there is one snapshot', async () => {
    const { stores } = emptyStores();
    storeInHub(stores.hub, 'gpt3', revisions.first, tinyModel(), false);
    expect((await findModel('gpt3', modelsFolder, stores)).name).toBe('gpt3@1234abcd');
  });

  it('is refused where one ships whose files are not made yet, with what makes them', async () => {
    const models = temporaryFolder();
    for (const name of ['induction-bytes', 'qwen3-8b']) {
      mkdirSync(join(models, name));
    }
    writeFileSync(join(models, 'qwen3-8b', 'config.json'), '{}');
    for (const name of ['induction-bytes', 'qwen3-8b']) {
      expect(await refusalOf(() => openModel(name, models))).toBe(
        `Model "${name}" ships, and its files are not made yet here; run npm run generate in the sources of Two Heads.`,
      );
    }
  });

  it('is refused where a revision is missing, or could be one of several', async () => {
    const { stores } = emptyStores();
    const refused = (asked: string) => refusalOf(() => findModel(asked, modelsFolder, stores));
    storeInHub(stores.hub, 'org/name', revisions.first, tinyModel(), false);
    storeInHub(stores.hub, 'org/name', revisions.third, tinyModel(), false);
    const folder = join(stores.hub, 'models--org--name');
    expect(await refused('org/name')).toBe(
      `${folder} has no ref main (there: 12340000, 1234abcd); name one revision with @, or download the model again.`,
    );
    expect(await refused('org/name@1234')).toContain('has 2 revisions that begin with "1234"');
    expect(await refused('org/name@99')).toContain('has no revision that begins with "99" (there: 12340000, 1234abcd)');
    mkdirSync(join(folder, 'refs'));
    writeFileSync(join(folder, 'refs', 'main'), revisions.second);
    expect(await refused('org/name')).toContain(`refs/main names revision ${revisions.second}, which is not in snapshots`);
    writeFileSync(join(folder, 'refs', 'main'), '../../../etc');
    expect(await refused('org/name')).toContain('holds "../../../etc", which is no revision');
    rmSync(join(folder, 'snapshots'), { recursive: true });
    rmSync(join(folder, 'refs'), { recursive: true });
    expect(await refused('org/name')).toContain('(none is there)');
  });

  it('does not hide a folder of that name in the working directory, which says so', async () => {
    const { stores } = emptyStores();
    const folder = relative('.', tinyModel());
    // Tests run in the repository, which has this folder.
    const asked = 'media/models';
    storeInHub(stores.hub, asked, revisions.first, tinyModel());
    const found = await findModel(asked, modelsFolder, stores);
    expect(found.path).toBe(modelsFolder);
    expect(found.notes).toEqual([
      `media/models is taken as the path ${modelsFolder}; the model of that name in ${join(stores.hub, 'models--media--models')} is not used.`,
    ]);
    expect((await findModel(folder, modelsFolder, stores)).notes).toEqual([]);
  });
});

describe('a GGUF file', () => {
  it('is found by path, in its folder, in LM Studio and in a repository of the cache', async () => {
    const { stores } = emptyStores();
    const find = (asked: string) => findModel(asked, modelsFolder, stores);
    const path = join(stores.lmStudio[0], 'org', 'name', 'm-Q4.gguf');
    await writeTinyGguf(path);
    await writeTinyGguf(join(stores.lmStudio[0], 'org', 'name', 'mmproj-m.gguf'));
    expect(await find(path)).toEqual({ name: 'm-Q4.gguf', path, kind: 'gguf', notes: [] });
    expect(await find(join(path, '..'))).toMatchObject({ name: 'name/m-Q4.gguf', path });
    expect(await find('org/name')).toMatchObject({ name: 'org/name/m-Q4.gguf', path });
    await writeTinyGguf(join(stores.lmStudio[0], 'org', 'name', 'm-Q8.gguf'));
    expect(await refusalOf(() => find('org/name'))).toContain('has 2 models in GGUF (there: m-Q4.gguf, m-Q8.gguf); give the path of one');
    expect(await find('org/name/m-Q4.gguf')).toMatchObject({ path });
    expect(await refusalOf(() => find('org/name/m-Q5.gguf'))).toContain('has no m-Q5.gguf in GGUF (there: m-Q4.gguf, m-Q8.gguf)');
    const files = temporaryFolder();
    await writeTinyGguf(join(files, 'a.gguf'));
    const snapshot = storeInHub(stores.hub, 'other/name-GGUF', revisions.first, files);
    const expected = { name: 'other/name-GGUF@1234abcd/a.gguf', path: join(snapshot, 'a.gguf'), kind: 'gguf' };
    expect(await find('other/name-GGUF')).toMatchObject(expected);
    expect(await find('other/name-GGUF@1234abcd/a.gguf')).toMatchObject(expected);
    expect(await find(join(snapshot, 'a.gguf'))).toMatchObject(expected);
    storeInHub(stores.hub, 'org/name', revisions.first, tinyModel());
    expect(await refusalOf(() => find('org/name'))).toMatch(/is in .*models--org--name and in .*org.name; give the path of one\./);
  });

  it('in older LM Studio stores is found as well', async () => {
    const { stores } = emptyStores();
    const path = join(stores.lmStudio[1], 'org', 'name', 'm.gguf');
    await writeTinyGguf(path);
    expect((await findModel('org/name', modelsFolder, stores)).path).toBe(path);
  });
});

describe("a model in Ollama's store", () => {
  it('is found as Ollama names it', async () => {
    const { stores } = emptyStores();
    const [store] = stores.ollama;
    await storeInOllama(store, 'registry.ollama.ai/library/qwen3/8b', digest);
    await storeInOllama(store, 'registry.ollama.ai/library/qwen3/latest', digest);
    await storeInOllama(store, 'registry.ollama.ai/me/mine/v1', digest);
    await storeInOllama(store, 'hf.co/org/name-GGUF/Q4_K_M', digest);
    const path = join(store, 'blobs', `sha256-${digest}`);
    for (const [asked, name] of [
      ['ollama:qwen3:8b', 'ollama:qwen3:8b@abcdef01'],
      ['ollama:qwen3:8b@abcdef01', 'ollama:qwen3:8b@abcdef01'],
      ['ollama:qwen3', 'ollama:qwen3:latest@abcdef01'],
      ['ollama:me/mine:v1', 'ollama:me/mine:v1@abcdef01'],
      ['ollama:hf.co/org/name-GGUF:Q4_K_M', 'ollama:hf.co/org/name-GGUF:Q4_K_M@abcdef01'],
    ]) {
      expect(await findModel(asked, modelsFolder, stores)).toEqual({ name, path, kind: 'gguf', notes: [] });
    }
  });

  it('is refused where it is missing, broken, or its name leads elsewhere', async () => {
    const { stores } = emptyStores();
    const [store] = stores.ollama;
    const refused = (asked: string) => refusalOf(() => findModel(asked, modelsFolder, stores));
    expect(await refused('ollama:qwen3:8b')).toContain(
      `looked for ${join(store, 'manifests', 'registry.ollama.ai', 'library', 'qwen3', '8b')}`,
    );
    for (const asked of ['ollama:../x:y', 'ollama:a/../b', 'ollama:', 'ollama:a:b:c', 'ollama:/etc/passwd']) {
      expect(await refused(asked)).toContain('is no name of Ollama');
    }
    await storeInOllama(store, 'registry.ollama.ai/library/a/b', digest);
    expect(await refused('ollama:a:b@00000000')).toContain('is ollama:a:b@abcdef01');
    const manifest = join(store, 'manifests', 'registry.ollama.ai', 'library', 'a', 'b');
    const layer = { mediaType: 'application/vnd.ollama.image.model', digest: 'sha256:../../etc/passwd' };
    for (const content of ['{', '{}', '{"layers":[]}', JSON.stringify({ layers: [layer] }), JSON.stringify({ layers: 'x' })]) {
      writeFileSync(manifest, content);
      expect(await refused('ollama:a:b')).toContain('ollama pull a:b');
    }
  });
});

describe('a model of an experiment file', () => {
  it('is a path beside the file if there is one, else a name in a store, else a path', async () => {
    const { stores, environment } = emptyStores();
    for (const [name, value] of Object.entries(environment)) {
      vi.stubEnv(name, value);
    }
    onTestFinished(() => void vi.unstubAllEnvs());
    storeInHub(stores.hub, 'org/name', revisions.first, tinyModel());
    const folder = temporaryFolder();
    const modelIn = async (model: string): Promise<string> => {
      const path = join(folder, 'a.two-heads.json');
      writeFileSync(path, JSON.stringify({ version: 1, prompts: ['p.md'], model }));
      return (await readExperiment(path, modelsFolder)).model;
    };
    expect(await modelIn('tiny-docs-5m')).toBe('tiny-docs-5m');
    expect(await modelIn('org/name')).toBe('org/name');
    expect(await modelIn('org/name@1234abcd')).toBe('org/name@1234abcd');
    expect(await modelIn('ollama:qwen3')).toBe('ollama:qwen3');
    expect(await modelIn('org/none')).toBe(join(folder, 'org', 'none'));
    mkdirSync(join(folder, 'org', 'name'), { recursive: true });
    expect(await modelIn('org/name')).toBe(join(folder, 'org', 'name'));
  });
});

it('what is nowhere is refused with every place where it was looked for', async () => {
  const { stores } = emptyStores();
  const message = await refusalOf(() => findModel('org/none', modelsFolder, stores));
  expect(message).toContain('"org/none" is no folder or .gguf file (looked for ');
  expect(message).toContain(`looked in ${stores.hub} and ${stores.lmStudio[0]}`);
  for (const asked of ['../none', 'a/b/c/d', '..', 'org/..', '@', 'x@', '/', 'none\\x', '']) {
    await findModel(asked, modelsFolder, stores).catch((error: unknown) => expect((error as Error).message).not.toContain(stores.hub));
  }
});
