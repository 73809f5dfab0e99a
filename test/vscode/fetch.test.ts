import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { HubServer, large } from '../support/hub-server';
import { modelsFolder } from '../support/paths';
import { useStage } from './harness/stage';

/** The model that ships, on a hub on this machine, with another length, so that it is not taken for the one in the package. */
const folder = join(modelsFolder, 'tiny-docs-5m');
const files = Object.fromEntries(readdirSync(folder).map((name) => [name, large(readFileSync(join(folder, name)))]));
const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
files['config.json'] = large(Buffer.from(JSON.stringify({ ...config, max_position_embeddings: 1024 })));
const closing: (() => Promise<void>)[] = [];
const hub = await HubServer.start('org/tiny', files, (close) => closing.push(close));
const cache = mkdtempSync(join(tmpdir(), 'two-heads-hub-'));
afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
  rmSync(cache, { recursive: true });
});

const stage = useStage('fetch', {
  files: { 'prompt.md': 'A whale is a mammal that lives in the sea. It breathes air.' },
  environment: { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache, HF_TOKEN: '', HF_HUB_OFFLINE: '' },
});

it('a model is got from the hub after consent, used, and run', async () => {
  await stage.open('prompt.md');
  await stage.bench.command('Two Heads: Get a Model...');
  await stage.bench.quickInput.answer('Get a Model', 'org/tiny');
  expect(await stage.dialog()).toMatch(/Fetch org\/tiny \(10\.6 MiB\)\?[^]*Licence: apache-2\.0/);
  expect(hub.seenByStore).toEqual([]);
  await stage.bench.pressDialogButton('Get the Model');
  await stage.notification(/org\/tiny is on this machine now/);
  await stage.bench.pressNotificationButton('org/tiny is on this machine now', 'Use This Model');
  await stage.lens(/of 1,024 tokens/);
  await stage.simulate();
});
