import * as files from 'node:fs/promises';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { fetchFrom, folderIn, repository, snapshotsIn, usual, weights } from '../../../support/fetching';
import { digestOf, HubServer, large, refuse, small } from '../../../support/hub-server';
import { temporaryFolder } from '../../../support/temporary';

vi.mock('node:fs/promises', { spy: true });

const blobOf = (hub: string, file: Parameters<typeof digestOf>[0]): string => join(folderIn(hub), 'blobs', digestOf(file));
const failing = (code: string): Promise<never> => Promise.reject(Object.assign(new Error(`${code}: no links`), { code }));

describe('what is in the cache already', () => {
  it('is fetched again where it is a file of another size, or a link that leads nowhere', async () => {
    const server = await HubServer.start(repository, usual());
    const hub = temporaryFolder();
    mkdirSync(join(folderIn(hub), 'blobs'), { recursive: true });
    writeFileSync(blobOf(hub, large(weights)), 'short');
    symlinkSync('/nonexistent/x', blobOf(hub, small('{}')));
    const { offer, fetched } = await fetchFrom(server, repository, { hub });
    expect(offer.missingBytes).toBe(offer.bytes);
    expect(readFileSync(join(fetched.folder, 'model.safetensors')).equals(weights)).toBe(true);
    expect(readFileSync(join(fetched.folder, 'tokenizer.json'), 'utf8')).toBe('{}');
  });

  it('is refused by name where it is a folder', async () => {
    const server = await HubServer.start(repository, usual());
    const hub = temporaryFolder();
    mkdirSync(blobOf(hub, large(weights)), { recursive: true });
    await expect(fetchFrom(server, repository, { hub })).rejects.toThrow(/blobs.* is a folder in the place of a file; remove it/);
  });

  it('is linked again where the snapshot has something of another size, and a folder there is refused', async () => {
    const server = await HubServer.start(repository, usual());
    const { fetched, hub } = await fetchFrom(server);
    rmSync(join(fetched.folder, 'config.json'));
    writeFileSync(join(fetched.folder, 'config.json'), '{"half');
    writeFileSync(join(fetched.folder, 'mine.txt'), 'stays');
    await fetchFrom(server, repository, { hub });
    expect(readFileSync(join(fetched.folder, 'config.json'), 'utf8')).toBe('{"model_type":"llama"}');
    expect(readFileSync(join(fetched.folder, 'mine.txt'), 'utf8')).toBe('stays');
    rmSync(join(fetched.folder, 'model.safetensors'));
    mkdirSync(join(fetched.folder, 'model.safetensors'));
    await expect(fetchFrom(server, repository, { hub })).rejects.toThrow(
      /model\.safetensors is a folder in the place of a file; remove it/,
    );
  });
});

describe('a snapshot', () => {
  it('is not there before all of its links are', async () => {
    const server = await HubServer.start(repository, usual());
    const hub = temporaryFolder();
    const seen: string[][] = [];
    const real = await vi.importActual<typeof files>('node:fs/promises');
    const made = vi.mocked(files.symlink).mockImplementation((...args) => {
      seen.push(snapshotsIn(hub));
      return seen.length === 3 ? failing('EIO') : real.symlink(...args);
    });
    await expect(fetchFrom(server, repository, { hub })).rejects.toThrow(/cannot be written \(EIO/);
    expect(seen).toEqual([[], [], []]);
    expect(snapshotsIn(hub)).toEqual([]);
    made.mockRestore();
    const { offer, fetched } = await fetchFrom(server, repository, { hub });
    expect(offer.missingBytes).toBe(0);
    expect(readdirSync(fetched.folder)).toHaveLength(4);
    expect(readdirSync(folderIn(hub)).sort()).toEqual(['blobs', 'refs', 'snapshots']);
  });

  it.each([
    ['EPERM', undefined],
    ['ENOTSUP', 'EOPNOTSUPP'],
    ['EPERM', 'EPERM'],
  ])('has second names of its files or copies on a disk without links (%s, %s)', async (noSymlink, noLink) => {
    const server = await HubServer.start(repository, usual());
    const mocks = [vi.mocked(files.symlink).mockImplementation(() => failing(noSymlink))];
    if (noLink !== undefined) {
      mocks.push(vi.mocked(files.link).mockImplementation(() => failing(noLink)));
    }
    const { fetched, hub } = await fetchFrom(server);
    const again = await fetchFrom(server, repository, { hub });
    mocks.forEach((mock) => mock.mockRestore());
    const entry = lstatSync(join(fetched.folder, 'model.safetensors'));
    expect({ isFile: entry.isFile(), nlink: entry.nlink }).toEqual({ isFile: true, nlink: noLink === undefined ? 2 : 1 });
    expect(readFileSync(join(fetched.folder, 'model.safetensors')).equals(weights)).toBe(true);
    expect(again.offer.missingBytes).toBe(0);
  });
});

describe('a ref', () => {
  it('is replaced where it is a link, and what the link leads to stays as it is', async () => {
    const server = await HubServer.start(repository, usual());
    const hub = temporaryFolder();
    mkdirSync(join(folderIn(hub), 'refs'), { recursive: true });
    writeFileSync(join(hub, 'victim'), 'precious');
    symlinkSync(join(hub, 'victim'), join(folderIn(hub), 'refs', 'main'));
    await fetchFrom(server, repository, { hub });
    expect(readFileSync(join(hub, 'victim'), 'utf8')).toBe('precious');
    expect(lstatSync(join(folderIn(hub), 'refs', 'main')).isFile()).toBe(true);
  });

  it('that another is in the way of is said with the way out', async () => {
    const server = await HubServer.start(repository, usual());
    const commit = server.commit('feature', usual());
    const { hub } = await fetchFrom(server, 'org/tiny@feature');
    server.refs.set('feature/x', commit);
    await expect(fetchFrom(server, 'org/tiny@feature/x', { hub })).rejects.toThrow(
      new RegExp(`refs/feature is a file, so that x cannot be in it; fetch it as org/tiny@${commit}`),
    );
    rmSync(join(folderIn(hub), 'refs', 'feature'));
    mkdirSync(join(folderIn(hub), 'refs', 'feature'));
    await expect(fetchFrom(server, 'org/tiny@feature', { hub })).rejects.toThrow(/refs\/feature is a folder; fetch it as org\/tiny@/);
    expect(existsSync(join(folderIn(hub), 'snapshots', commit, 'config.json'))).toBe(true);
    expect(readdirSync(folderIn(hub)).sort()).toEqual(['blobs', 'refs', 'snapshots']);
  });
});

it('a repository whose files are refused leaves no folder in the cache', async () => {
  const server = await HubServer.start(repository, usual());
  server.intrude = (request, response) => {
    const isFile = request.url?.includes('/resolve/') === true;
    if (isFile) {
      refuse(response, 403, 'GatedRepo');
    }
    return isFile;
  };
  const hub = temporaryFolder();
  await expect(fetchFrom(server, repository, { hub })).rejects.toThrow(/is gated/);
  expect(readdirSync(hub)).toEqual([]);
});
