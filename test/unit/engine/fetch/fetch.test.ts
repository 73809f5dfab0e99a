import { existsSync, lstatSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listModels } from '../../../../src/engine/read/model/found/list';
import { fetchFrom, folderIn, repository, snapshotsIn, usual, weights, without } from '../../../support/fetching';
import { HubServer, digestOf, large, small, type ServedFile } from '../../../support/hub-server';
import { emptyStores, tinyModel } from '../../../support/model-stores';
import { modelsFolder } from '../../../support/paths';

describe('a fetched model', () => {
  it("lies in the cache as huggingface_hub's own do, with what a run needs and nothing else", async () => {
    const server = await HubServer.start(repository, usual());
    const { offer, fetched, hub } = await fetchFrom(server);
    expect(offer).toMatchObject({ repository, revision: 'main', licence: 'apache-2.0', isGated: false, bytes: offer.missingBytes });
    const commit = server.refs.get('main') ?? '';
    expect(fetched).toEqual({ name: repository, folder: join(folderIn(hub), 'snapshots', commit) });
    expect(readdirSync(fetched.folder)).toEqual(['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']);
    expect(readlinkSync(join(fetched.folder, 'model.safetensors'))).toBe(`../../blobs/${digestOf(large(weights))}`);
    expect(readFileSync(join(fetched.folder, 'model.safetensors')).equals(weights)).toBe(true);
    expect(readlinkSync(join(fetched.folder, 'tokenizer.json'))).toBe(`../../blobs/${digestOf(small('{}'))}`);
    expect(readFileSync(join(folderIn(hub), 'refs', 'main'), 'utf8')).toBe(commit);
    // Two of the files have the same content.
    expect(readdirSync(join(folderIn(hub), 'blobs'))).toHaveLength(3);
  });

  it('is listed and planned at once, and asked for again needs no byte', async () => {
    const folder = tinyModel();
    const files = Object.fromEntries(readdirSync(folder).map((name) => [name, large(readFileSync(join(folder, name)))]));
    const server = await HubServer.start(repository, files);
    const { stores } = emptyStores();
    await fetchFrom(server, repository, { hub: stores.hub });
    const listed = (await listModels(modelsFolder, stores)).find(({ name }) => name === repository);
    expect(listed).toMatchObject({ store: 'hugging-face', use: 'runs' });
    const sent = server.seenByStore.length;
    const { offer } = await fetchFrom(server, repository, { hub: stores.hub });
    expect(offer.missingBytes).toBe(0);
    expect(server.seenByStore).toHaveLength(sent);
  });

  it('is looked for on every page of the list of its files', async () => {
    const server = await HubServer.start(repository, { ...usual(), 'model.safetensors.index.json': small('{}') });
    server.intrude = (request, response) => {
      const isFirst = /\/tree\/[^?]*\?recursive/.test(request.url ?? '');
      if (isFirst) {
        const next = `${server.endpoint}${(request.url ?? '').replace('?', '?cursor=x&')}`;
        response.writeHead(200, { 'Content-Type': 'application/json', Link: `<${next}>; rel="next"` }).end('[]');
      }
      return isFirst;
    };
    const { offer } = await fetchFrom(server);
    expect(offer.files.map(({ name }) => name)).toContain('model.safetensors');
    expect(server.seen.filter(({ path }) => path.includes('cursor=x'))).toHaveLength(1);
  });

  it('is of the shards that its index names', async () => {
    const index = JSON.stringify({ weight_map: { a: 'model-1.safetensors', b: 'model-2.safetensors', c: 'model-1.safetensors' } });
    const others = without('model.safetensors');
    const shards = { 'model-1.safetensors': large(Buffer.from('one')), 'model-2.safetensors': large(Buffer.from('two')) };
    const extra = { 'consolidated.safetensors': large(weights), 'model.safetensors.index.json': small(index) };
    const server = await HubServer.start(repository, { ...others, ...shards, ...extra });
    const { fetched } = await fetchFrom(server);
    expect(readdirSync(fetched.folder).filter((name) => name.includes('safetensors'))).toEqual([
      'model-1.safetensors',
      'model-2.safetensors',
      'model.safetensors.index.json',
    ]);
  });

  it('is one GGUF file, named by its type or its name', async () => {
    const gguf = (text: string): ServedFile => large(Buffer.from(text));
    const server = await HubServer.start(repository, {
      'tiny-Q4_K_M.gguf': gguf('four'),
      'tiny-Q8_0-00001-of-00002.gguf': gguf('eight'),
      'tiny-Q8_0-00002-of-00002.gguf': gguf('more'),
      'mmproj-f16.gguf': gguf('image'),
    });
    const four = await fetchFrom(server, 'org/tiny:q4_k_m');
    expect(readdirSync(four.fetched.folder)).toEqual(['tiny-Q4_K_M.gguf']);
    expect(four.fetched.name).toBe('org/tiny/tiny-Q4_K_M.gguf');
    const eight = await fetchFrom(server, 'org/tiny:Q8_0');
    expect(readdirSync(eight.fetched.folder)).toEqual(['tiny-Q8_0-00001-of-00002.gguf', 'tiny-Q8_0-00002-of-00002.gguf']);
    await expect(fetchFrom(server)).rejects.toThrow(
      /org\/tiny has 2 models in GGUF \(there: tiny-Q4_K_M\.gguf, .*\); name one with --file/,
    );
    await expect(fetchFrom(server, 'org/tiny:Q5_0')).rejects.toThrow(/has no model "Q5_0" in GGUF/);
  });

  it('is the GGUF file of exactly the name that was given, though others end in it or differ in case', async () => {
    const gguf = (text: string): ServedFile => large(Buffer.from(text));
    const files = { 'm.gguf': gguf('a'), 'M.gguf': gguf('b'), 'other-m.gguf': gguf('c') };
    const server = await HubServer.start(repository, files);
    for (const name of ['m.gguf', 'M.gguf']) {
      const { offer } = await fetchFrom(server, `org/tiny:${name}`);
      expect(offer.files.map((file) => file.name)).toEqual([name]);
    }
    await expect(fetchFrom(server, 'org/tiny:M.GGUF')).rejects.toThrow(/has 2 models "M.GGUF"/);
  });

  it('is the commit that was offered, though its revision moves while it is fetched', async () => {
    const server = await HubServer.start(repository, usual());
    const before = server.refs.get('main') ?? '';
    const moved = { ...usual(), 'config.json': small('{"model_type":"other"}') };
    const { fetched, hub } = await fetchFrom(server, repository, { meanwhile: () => void server.commit('main', moved) });
    expect(fetched.folder.endsWith(before)).toBe(true);
    expect(readFileSync(join(folderIn(hub), 'refs', 'main'), 'utf8')).toBe(before);
    expect(readFileSync(join(fetched.folder, 'config.json'), 'utf8')).toBe('{"model_type":"llama"}');
    const again = await fetchFrom(server, repository, { hub });
    expect(readFileSync(join(again.fetched.folder, 'config.json'), 'utf8')).toBe('{"model_type":"other"}');
    expect(snapshotsIn(hub)).toHaveLength(2);
  });

  it('has the name of its revision where that is not main', async () => {
    const server = await HubServer.start(repository, usual());
    server.commit('refs/pr/1', usual());
    const { fetched, hub } = await fetchFrom(server, 'org/tiny@refs/pr/1');
    expect(fetched.name).toBe('org/tiny@refs/pr/1');
    expect(existsSync(join(folderIn(hub), 'refs', 'refs', 'pr', '1'))).toBe(true);
  });
});

it('a link of a snapshot that leads nowhere is made again', async () => {
  const server = await HubServer.start(repository, usual());
  const { fetched, hub } = await fetchFrom(server);
  rmSync(join(folderIn(hub), 'blobs'), { recursive: true });
  expect(lstatSync(join(fetched.folder, 'config.json')).isSymbolicLink()).toBe(true);
  await fetchFrom(server, repository, { hub });
  expect(readFileSync(join(fetched.folder, 'config.json'), 'utf8')).toBe('{"model_type":"llama"}');
});
