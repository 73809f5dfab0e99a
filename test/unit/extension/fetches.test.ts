import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { activated, run } from '../../support/host';
import { HubServer, large, small } from '../../support/hub-server';
import { emptyStores, tinyModel } from '../../support/model-stores';
import { messages, script, shownInputs, textsOf } from '../../support/workbench/dialogs';
import { openFolders, restrict } from '../../support/workbench/files';
import { userSettings } from '../../support/workbench/settings';
import { progresses } from '../../support/workbench/views';

/** A hub with a model that runs, which this process fetches from into a cache of the test. */
async function withHub(): Promise<{ readonly server: HubServer; readonly hub: string; readonly home: string }> {
  const folder = tinyModel();
  const files = readdirSync(folder).map((name) => [name, large(readFileSync(join(folder, name)))] as const);
  const server = await HubServer.start('org/tiny', Object.fromEntries(files));
  const { environment, home, stores } = emptyStores();
  for (const [name, value] of Object.entries({ ...environment, HF_ENDPOINT: server.endpoint, HF_TOKEN: '' })) {
    vi.stubEnv(name, value);
  }
  onTestFinished(() => void vi.unstubAllEnvs());
  return { server, hub: stores.hub, home };
}

describe('Get a Model...', () => {
  it('asks, fetches and offers to use the model', async () => {
    const { hub } = await withHub();
    await activated();
    script.inputs.push(['no name', '../x', 'org/tiny']);
    script.press = ({ modal }) => (modal ? 'Get the Model' : 'Use This Model');
    await run('getModel');
    expect(shownInputs[0].refusals).toHaveLength(2);
    const [consent, done] = messages;
    expect(consent).toMatchObject({ text: 'Fetch org/tiny (10.6 MiB)?', modal: true, buttons: ['Get the Model'] });
    expect(consent.detail).toMatch(
      /^Repository: org\/tiny, revision main .*\nFiles: .*model\.safetensors.*\nSize: 10\.6 MiB\nLicence: apache-2\.0\nInto: /,
    );
    expect(done.text).toBe('Two Heads: org/tiny is on this machine now.');
    expect(userSettings()).toEqual({ 'twoHeads.model': 'org/tiny' });
    const [snapshot] = readdirSync(join(hub, 'models--org--tiny', 'snapshots'));
    expect(readlinkSync(join(hub, 'models--org--tiny', 'snapshots', snapshot, 'model.safetensors'))).toMatch(/^\.\.\/\.\.\/blobs\//);
  });

  it('fetches nothing where the user does not agree, or names nothing', async () => {
    const { server, hub } = await withHub();
    await activated();
    script.inputs.push(['org/tiny'], [undefined]);
    await run('getModel');
    await run('getModel');
    expect(messages).toHaveLength(1);
    expect(server.seenByStore).toEqual([]);
    expect(existsSync(hub)).toBe(false);
  });

  it('can be cancelled, and goes on where it was', async () => {
    const { server, hub } = await withHub();
    await activated();
    server.holdAfter = [1];
    script.inputs.push(['org/tiny'], ['org/tiny']);
    script.press = ({ modal }) => (modal ? 'Get the Model' : undefined);
    const cancelled = run('getModel');
    await vi.waitFor(() => expect(server.seenByStore).toHaveLength(1));
    progresses.at(-1)?.cancel();
    await cancelled;
    expect(textsOf('information').at(-1)).toBe('Two Heads: the fetch was cancelled; get the model again to continue.');
    expect(existsSync(join(hub, 'models--org--tiny', 'snapshots'))).toBe(false);
    await run('getModel');
    expect(textsOf('information').at(-1)).toBe('Two Heads: org/tiny is on this machine now.');
  });

  it('asks for one of several GGUF files', async () => {
    const { server, hub } = await withHub();
    server.commit('main', { 'a-Q4_0.gguf': large(Buffer.from('four')), 'a-Q8_0.gguf': large(Buffer.from('eight')) });
    await activated();
    script.inputs.push(['org/tiny']);
    script.picks.push('a-Q8_0.gguf');
    script.press = ({ modal }) => (modal ? 'Get the Model' : undefined);
    await run('getModel');
    const [snapshot] = readdirSync(join(hub, 'models--org--tiny', 'snapshots'));
    expect(readdirSync(join(hub, 'models--org--tiny', 'snapshots', snapshot))).toEqual(['a-Q8_0.gguf']);
    expect(userSettings()).toEqual({});
  });

  it('says why there is no model', async () => {
    const { server } = await withHub();
    server.commit('main', { 'pytorch_model.bin': small('x'), 'config.json': small('{}') });
    await activated();
    script.inputs.push(['org/tiny'], ['org/other']);
    await run('getModel');
    await run('getModel');
    expect(textsOf('error')).toEqual([
      expect.stringMatching(/a pickle, which is never fetched/),
      expect.stringMatching(/org\/other is not on/),
    ]);
  });

  it('fetches into no cache of a workspace that is not trusted', async () => {
    const { home, server } = await withHub();
    await activated({
      prepare: () => {
        openFolders(join(home, 'hf'));
        restrict();
      },
    });
    script.inputs.push(['org/tiny']);
    await run('getModel');
    expect(textsOf('error')).toEqual([expect.stringMatching(/cache is in a workspace that is not trusted/)]);
    expect(server.seen).toEqual([]);
  });
});
