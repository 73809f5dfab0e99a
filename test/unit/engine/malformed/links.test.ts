import { execFileSync } from 'node:child_process';
import { cpSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { safetensorsBytes } from '../../../support/safetensors-writer';
import { copyOf, expectSound, goldenModel, load } from './golden-copy';
import { refusalOf } from './outcome';

const first = 'model-00001-of-00004.safetensors';
const index = 'model.safetensors.index.json';

/** Moves a file to a place beside the model's folder and leaves a link to it. */
function linkAway(folder: string, file: string, place: string): void {
  mkdirSync(join(dirname(folder), place), { recursive: true });
  renameSync(join(folder, file), join(dirname(folder), place, file));
  symlinkSync(join('..', place, file), join(folder, file));
}

// Windows lets only some users make links, and has no named pipes in folders.
describe.skipIf(process.platform === 'win32')('links in a model folder', () => {
  it.each(['llama', 'llama-sharded'])('lead to the blobs of a hub cache: %s', async (model) => {
    const original = await goldenModel(model);
    const folder = copyOf(model);
    // As huggingface_hub lays it out: models--owner--name/snapshots/revision/file, a link to ../../blobs/hash.
    const home = join(dirname(folder), 'models--owner--name');
    const snapshot = join(home, 'snapshots', 'a1b2c3');
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(join(home, 'blobs'));
    for (const [hash, file] of readdirSync(folder).entries()) {
      cpSync(join(folder, file), join(home, 'blobs', `${hash}`));
      symlinkSync(join('..', '..', 'blobs', `${hash}`), join(snapshot, file));
    }
    expectSound(await load(snapshot), original);
    // As it downloaded to another folder for years: the weights linked, the configuration copied.
    rmSync(join(snapshot, 'config.json'));
    cpSync(join(folder, 'config.json'), join(snapshot, 'config.json'));
    expectSound(await load(snapshot), original);
  });

  it('lead where the user linked the configuration to as well', async () => {
    const folder = copyOf('llama');
    linkAway(folder, 'config.json', 'elsewhere');
    linkAway(folder, 'model.safetensors', 'elsewhere');
    expectSound(await load(folder), await goldenModel('llama'));
  });

  it.each([
    ['llama', 'model.safetensors'],
    ['llama-sharded', first],
    ['llama-sharded', index],
  ])('are not followed anywhere else: %s, %s', async (model, file) => {
    const folder = copyOf(model);
    linkAway(folder, file, 'outside');
    expect(await refusalOf(() => load(folder))).toContain(`"${file}" is a link out of the model's folder ${folder}`);
  });

  it.each([
    ['llama', 'model.safetensors'],
    ['llama-sharded', index],
    ['llama-sharded', first],
    ['llama', 'config.json'],
  ])('that lead nowhere, or to themselves, are no files: %s, %s', async (model, file) => {
    const folder = copyOf(model);
    rmSync(join(folder, file));
    symlinkSync('nowhere', join(folder, file));
    expect(await refusalOf(() => load(folder))).toMatch(/cannot be read/);
    rmSync(join(folder, file));
    symlinkSync(file, join(folder, file));
    expect(await refusalOf(() => load(folder))).toMatch(/cannot be read/);
  });

  it('to a device without end are refused', async () => {
    const folder = copyOf('llama');
    rmSync(join(folder, 'config.json'));
    symlinkSync('/dev/zero', join(folder, 'config.json'));
    expect(await refusalOf(() => load(folder))).toMatch(/config\.json is not a file/);
    const weights = copyOf('llama');
    rmSync(join(weights, 'model.safetensors'));
    symlinkSync('/dev/zero', join(weights, 'model.safetensors'));
    expect(await refusalOf(() => load(weights))).toMatch(/is a link out of the model's folder/);
  });

  it('do not multiply one large header', async () => {
    const folder = copyOf('llama');
    rmSync(join(folder, 'model.safetensors'));
    const names = Array.from({ length: 10 }, (_, shard) => [`t${shard}`, `${shard}.safetensors`] as const);
    const header = JSON.stringify(
      Object.fromEntries(names.map(([tensor]) => [tensor, { dtype: 'F32', shape: [0], data_offsets: [0, 0] }])),
    );
    writeFileSync(join(folder, '0.safetensors'), safetensorsBytes(header + ' '.repeat(10_000_000)));
    names.slice(1).forEach(([, shard]) => linkSync(join(folder, '0.safetensors'), join(folder, shard)));
    writeFileSync(join(folder, index), JSON.stringify({ weight_map: Object.fromEntries(names) }));
    expect(await refusalOf(() => load(folder))).toMatch(
      /3\.safetensors: the headers up to this file have 38\.1 MiB and 32\.0 MiB are allowed/,
    );
  });
});

describe.skipIf(process.platform === 'win32')('a named pipe, which blocks whoever opens it,', () => {
  it.each([
    ['llama', 'config.json'],
    ['llama', 'model.safetensors'],
    ['llama-sharded', index],
    ['llama-sharded', first],
  ])('is refused in the model %s as %s', async (model, file) => {
    const folder = copyOf(model);
    rmSync(join(folder, file));
    execFileSync('mkfifo', [join(folder, file)]);
    expect(await refusalOf(() => load(folder))).toContain(`${file} is not a file`);
  });
});
