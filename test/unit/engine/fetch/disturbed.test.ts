import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FetchProgress } from '../../../../src/core/fetch/offer';
import { fetchFrom, folderIn, repository, snapshotsIn, usual, weights } from '../../../support/fetching';
import { HubServer, digestOf, large, small } from '../../../support/hub-server';
import { temporaryFolder } from '../../../support/temporary';

describe('a fetch that is disturbed', () => {
  it('goes on by itself where a connection is cut in the middle', async () => {
    const server = await HubServer.start(repository, usual());
    server.cutAfter = [100_000, 50_000];
    const { fetched } = await fetchFrom(server);
    expect(readFileSync(join(fetched.folder, 'model.safetensors')).equals(weights)).toBe(true);
    expect(server.seenByStore.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-', 'bytes=150000-']);
  });

  it('gives up where nothing comes any more, and goes on later', async () => {
    const server = await HubServer.start(repository, usual());
    const hub = temporaryFolder();
    server.cutAfter = [100_000, 0, 0, 0, 0, 0, 0];
    await expect(fetchFrom(server, repository, { hub })).rejects.toThrow(/cannot be reached/);
    expect(snapshotsIn(hub)).toEqual([]);
    server.cutAfter = [];
    const { offer, fetched } = await fetchFrom(server, repository, { hub });
    expect(offer.missingBytes).toBe(200_000);
    expect(server.seenByStore.at(-1)?.range).toBe('bytes=100000-');
    expect(readFileSync(join(fetched.folder, 'model.safetensors')).equals(weights)).toBe(true);
  });

  it('counts a server that stops sending as cut', async () => {
    const server = await HubServer.start(repository, usual());
    server.intrude = (request) => request.url?.includes('/tree/') === true;
    await expect(fetchFrom(server, repository, { patience: 50 })).rejects.toThrow(/cannot be reached \(it stopped sending\)/);
  });

  it('begins again where a server does not begin in the middle', async () => {
    const server = await HubServer.start(repository, { ...usual(), 'model.safetensors': small(weights) });
    const hub = temporaryFolder();
    const partial = join(folderIn(hub), 'blobs', `${digestOf(small(weights))}.incomplete`);
    mkdirSync(join(folderIn(hub), 'blobs'), { recursive: true });
    writeFileSync(partial, Buffer.alloc(1000, 1));
    server.intrude = (request, response) => {
      const isWeights = request.url?.endsWith('model.safetensors') === true;
      if (isWeights) {
        response.writeHead(200).end(weights);
      }
      return isWeights;
    };
    const { fetched } = await fetchFrom(server, repository, { hub });
    expect(readFileSync(join(fetched.folder, 'model.safetensors')).equals(weights)).toBe(true);
  });

  it.each([
    ['large', large(weights)],
    ['small', small(weights)],
  ])('throws a %s file of a wrong digest away, and links nothing', async (_, file) => {
    const wrong = Buffer.from(weights);
    wrong[1000] ^= 1;
    const server = await HubServer.start(repository, { ...usual(), 'model.safetensors': { ...file, sends: wrong } });
    const hub = temporaryFolder();
    await expect(fetchFrom(server, repository, { hub })).rejects.toThrow(
      /model\.safetensors is not what the repository says: its digest is/,
    );
    expect(snapshotsIn(hub)).toEqual([]);
    expect(readdirSync(join(folderIn(hub), 'blobs')).filter((name) => name.endsWith('.incomplete') || name === digestOf(file))).toEqual([]);
  });

  it('refuses more bytes than the repository says', async () => {
    const file = { ...large(weights), sends: Buffer.concat([weights, weights]) };
    const server = await HubServer.start(repository, { ...usual(), 'model.safetensors': file });
    await expect(fetchFrom(server)).rejects.toThrow(/has more than the 293 KiB that the repository says/);
  });

  it('keeps what it has where it is cancelled', async () => {
    const server = await HubServer.start(repository, {
      ...usual(),
      'model.safetensors': large(Buffer.concat(Array<Buffer>(20).fill(weights))),
    });
    const hub = temporaryFolder();
    const controller = new AbortController();
    server.cutAfter = [1_000_000];
    const onProgress = ({ file, bytes }: FetchProgress): void => {
      if (file === 'model.safetensors' && bytes > 500_000) {
        controller.abort();
      }
    };
    const cancelled = fetchFrom(server, repository, { hub, signal: controller.signal, onProgress });
    await expect(cancelled).rejects.toThrow('The fetch of org/tiny was cancelled; fetch it again to continue.');
    expect(snapshotsIn(hub)).toEqual([]);
    server.cutAfter = [];
    const { offer } = await fetchFrom(server, repository, { hub });
    expect(offer.missingBytes).toBeLessThan(5_600_000);
    expect(Number(/bytes=(\d+)-/.exec(server.seenByStore.at(-1)?.range ?? '')?.[1])).toBeGreaterThan(400_000);
  });

  it('may be made twice at once', async () => {
    const server = await HubServer.start(repository, {
      ...usual(),
      'model.safetensors': large(Buffer.concat(Array<Buffer>(20).fill(weights))),
    });
    const hub = temporaryFolder();
    const all = await Promise.all([1, 2, 3].map(() => fetchFrom(server, repository, { hub })));
    expect(new Set(all.map(({ fetched }) => fetched.folder)).size).toBe(1);
    expect(readdirSync(join(folderIn(hub), 'blobs')).some((name) => name.endsWith('.incomplete'))).toBe(false);
    expect(readFileSync(join(all[0].fetched.folder, 'model.safetensors'))).toHaveLength(6_000_000);
  });

  const isRoot = process.getuid?.() === 0;
  it.runIf(isRoot && process.platform === 'linux')(
    'says when the disk is full, before and while it writes, and goes on later',
    async () => {
      const disk = temporaryFolder();
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
      onTestFinished(() => void execFileSync('umount', [disk]));
      const big = Buffer.concat(Array<Buffer>(20).fill(weights));
      const tooBig = await HubServer.start(repository, { ...usual(), 'model.safetensors': large(big) });
      await expect(fetchFrom(tooBig, repository, { hub: join(disk, 'hub') })).rejects.toThrow(
        /org\/tiny needs 5\.72 MiB and .* has 2\.00 MiB free/,
      );
      const server = await HubServer.start(repository, { ...usual(), 'model.safetensors': large(big.subarray(0, 1_500_000)) });
      // Somebody else fills the disk meanwhile.
      const filler = join(disk, 'filler');
      const onProgress = ({ file }: FetchProgress): void => {
        if (file === 'model.safetensors') {
          writeFileSync(filler, Buffer.alloc(1_000_000));
        }
      };
      const inFull = (): Promise<unknown> => fetchFrom(server, repository, { hub: join(disk, 'hub'), onProgress });
      await expect(inFull()).rejects.toThrow(
        /model\.safetensors cannot be written \(the disk is full\); free some space and fetch again: it continues/,
      );
      expect(snapshotsIn(join(disk, 'hub'))).toEqual([]);
      rmSync(filler);
      const { offer, fetched } = await fetchFrom(server, repository, { hub: join(disk, 'hub') });
      expect(offer.missingBytes).toBeLessThan(1_000_000);
      expect(readFileSync(join(fetched.folder, 'model.safetensors'))).toHaveLength(1_500_000);
    },
  );
});
