import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type { ServerResponse } from 'node:http';
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
    // What was sent just before a cut may be lost with it.
    const [first, ...starts] = server.seenByStore.map(({ range }) => range && Number(/^bytes=(\d+)-$/.exec(range)?.[1]));
    expect(first).toBeUndefined();
    expect(starts).toHaveLength(2);
    const [second, third] = starts as number[];
    expect(second > 0 && second <= 100_000 && third > second && third <= second + 50_000).toBe(true);
  });

  it('gives up where nothing comes any more, and goes on later', async () => {
    const server = await HubServer.start(repository, usual());
    const hub = temporaryFolder();
    server.cutAfter = [100_000, 0, 0, 0, 0, 0, 0];
    await expect(fetchFrom(server, repository, { hub })).rejects.toThrow(/cannot be reached/);
    expect(snapshotsIn(hub)).toEqual([]);
    server.cutAfter = [];
    const { offer, fetched } = await fetchFrom(server, repository, { hub });
    expect(offer.missingBytes).toBeGreaterThanOrEqual(200_000);
    expect(offer.missingBytes).toBeLessThan(300_000);
    expect(server.seenByStore.at(-1)?.range).toBe(`bytes=${300_000 - offer.missingBytes}-`);
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
        response.writeHead(200, { 'Content-Length': weights.length }).end(weights);
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

  /** Answers requests for the weights in its own way. */
  const intruding = (server: HubServer, answer: (response: ServerResponse, range: string | undefined) => void): void => {
    server.intrude = (request, response) => {
      const isWeights = request.url?.endsWith('model.safetensors') === true;
      if (isWeights) {
        answer(response, request.headers.range);
      }
      return isWeights;
    };
  };
  /** A server whose weights it sends itself, and a cache with the beginning of them. */
  const begun = async (bytes: number): Promise<{ server: HubServer; hub: string; partial: string }> => {
    const server = await HubServer.start(repository, { ...usual(), 'model.safetensors': small(weights) });
    const hub = temporaryFolder();
    const partial = join(folderIn(hub), 'blobs', `${digestOf(small(weights))}.incomplete`);
    mkdirSync(join(folderIn(hub), 'blobs'), { recursive: true });
    writeFileSync(partial, weights.subarray(0, bytes));
    return { server, hub, partial };
  };

  it.each([
    ['with its length', (response: ServerResponse) => void response.writeHead(200).end('<html>log in</html>')],
    [
      'in chunks',
      (response: ServerResponse) => {
        response.writeHead(200).write('<html>');
        response.end('log in</html>');
      },
    ],
    [
      'with more bytes than are there',
      (response: ServerResponse) => void (response.writeHead(200).write('<'), response.end(Buffer.alloc(200_500))),
    ],
    ['as nothing', (response: ServerResponse) => void response.writeHead(204).end()],
    [
      'as a part of something else',
      (response: ServerResponse) => void response.writeHead(206, { 'Content-Range': 'bytes 200000-200009/200010' }).end('0123456789'),
    ],
    ['as a part without a place', (response: ServerResponse) => void response.writeHead(206).end('0123456789')],
  ])('keeps what it has where a page to log in comes in the place of the file, %s', async (_, answer) => {
    const { server, hub, partial } = await begun(200_000);
    intruding(server, answer);
    await expect(fetchFrom(server, repository, { hub })).rejects.toThrow(
      /model\.safetensors (has 293 KiB and the answer is|was asked for from byte 200000)/,
    );
    expect(readFileSync(partial).equals(weights.subarray(0, 200_000))).toBe(true);
    server.intrude = () => false;
    const { fetched } = await fetchFrom(server, repository, { hub });
    expect(readFileSync(join(fetched.folder, 'model.safetensors')).equals(weights)).toBe(true);
    expect(server.seen.at(-1)?.range).toBe('bytes=200000-');
  });

  it('goes on with an answer that has no length and begins at the beginning', async () => {
    const { server, hub } = await begun(200_000);
    intruding(server, (response) => {
      response.writeHead(200).write(weights.subarray(0, 150_000));
      response.end(weights.subarray(150_000));
    });
    const { fetched } = await fetchFrom(server, repository, { hub });
    expect(readFileSync(join(fetched.folder, 'model.safetensors')).equals(weights)).toBe(true);
  });

  it('begins again where the server has no such range', async () => {
    const { server, hub } = await begun(200_000);
    intruding(server, (response, range) => response.writeHead(range === undefined ? 200 : 416).end(range === undefined ? weights : ''));
    const { fetched } = await fetchFrom(server, repository, { hub });
    expect(readFileSync(join(fetched.folder, 'model.safetensors')).equals(weights)).toBe(true);
  });

  it('ends where each connection begins again and is cut before anything new', async () => {
    const { server, hub } = await begun(200_000);
    let asked = 0;
    intruding(server, (response) => {
      asked += 1;
      response
        .writeHead(200, { 'Content-Length': weights.length })
        .write(weights.subarray(0, 1000), () => setTimeout(() => response.destroy(), 5));
    });
    await expect(fetchFrom(server, repository, { hub })).rejects.toThrow(/cannot be reached/);
    expect(asked).toBe(5);
  });

  it.each(['link', 'second name'])('writes nothing through a partial file that is a %s of another', async (kind) => {
    const { server, hub, partial } = await begun(0);
    const victim = join(hub, 'victim');
    writeFileSync(victim, 'precious');
    rmSync(partial);
    (kind === 'link' ? symlinkSync : linkSync)(victim, partial);
    const { fetched } = await fetchFrom(server, repository, { hub });
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    expect(readFileSync(join(fetched.folder, 'model.safetensors')).equals(weights)).toBe(true);
  });

  it('changes nothing that another fetch has checked, and takes nothing from it', async () => {
    const { server, hub } = await begun(0);
    let hasBegun: () => void = () => undefined;
    let goOn: () => void = () => undefined;
    const isHeld = new Promise<void>((resolve) => (hasBegun = resolve));
    intruding(server, (response) => {
      response.writeHead(200, { 'Content-Length': weights.length }).write(weights.subarray(0, 100_000), hasBegun);
      goOn = () => response.end(Buffer.alloc(200_000, 1));
    });
    const slow = fetchFrom(server, repository, { hub });
    slow.catch(() => undefined);
    await isHeld;
    server.intrude = () => false;
    const { fetched } = await fetchFrom(server, repository, { hub });
    const path = join(fetched.folder, 'model.safetensors');
    expect(readFileSync(path).equals(weights)).toBe(true);
    goOn();
    await expect(slow).rejects.toThrow(/is not what the repository says/);
    expect(readFileSync(path).equals(weights)).toBe(true);
    expect(readdirSync(join(folderIn(hub), 'blobs')).filter((name) => name.includes('incomplete'))).toEqual([]);
  });

  it.each([
    ['lately', 3600, undefined],
    ['two days ago', 2 * 86_400, 'bytes=200000-'],
  ])('takes what a process of another machine wrote %s as that tells', async (_, seconds, range) => {
    const { server, hub, partial } = await begun(200_000);
    const foreign = partial.replace(/incomplete$/, 'two-heads-00000000-1-00000000.incomplete');
    renameSync(partial, foreign);
    utimesSync(foreign, Date.now() / 1000 - seconds, Date.now() / 1000 - seconds);
    const { offer, fetched } = await fetchFrom(server, repository, { hub });
    expect(offer.bytes - offer.missingBytes).toBe(range === undefined ? 0 : 200_000);
    expect(server.seen.at(-1)?.range).toBe(range);
    expect(existsSync(foreign)).toBe(range === undefined);
    expect(readFileSync(join(fetched.folder, 'model.safetensors')).equals(weights)).toBe(true);
  });

  it('leaves the other its file where its own digest is wrong', async () => {
    const { server, hub } = await begun(0);
    let hasBegun: () => void = () => undefined;
    let goOn: () => void = () => undefined;
    const isHeld = new Promise<void>((resolve) => (hasBegun = resolve));
    intruding(server, (response) => {
      response.writeHead(200, { 'Content-Length': weights.length }).write(weights.subarray(0, 100_000), hasBegun);
      goOn = () => response.end(weights.subarray(100_000));
    });
    const good = fetchFrom(server, repository, { hub });
    await isHeld;
    intruding(server, (response) => void response.writeHead(200).end(Buffer.alloc(300_000)));
    await expect(fetchFrom(server, repository, { hub })).rejects.toThrow(/is not what the repository says/);
    goOn();
    expect(readFileSync(join((await good).fetched.folder, 'model.safetensors')).equals(weights)).toBe(true);
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
