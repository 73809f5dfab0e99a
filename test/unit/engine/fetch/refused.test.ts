import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { askedModel } from '../../../../src/engine/tasks/fetch/files';
import { fetchFrom, repository, usual, without } from '../../../support/fetching';
import { HubServer, listening, refuse, small } from '../../../support/hub-server';
import { deepJson } from '../../../support/mutate';
import { temporaryFolder } from '../../../support/temporary';

describe('a hub that refuses', () => {
  const answers =
    (status: number, code?: string, headers = {}) =>
    async (token?: string): Promise<void> => {
      const server = await HubServer.start(repository, usual());
      server.intrude = (_, response) => {
        refuse(response, status, code, headers);
        return true;
      };
      await fetchFrom(server, repository, token === undefined ? {} : { token });
    };

  it('says what to accept and where, of a gated repository', async () => {
    await expect(answers(401, 'GatedRepo')()).rejects.toThrow(
      /org\/tiny is gated: accept its conditions at http:\/\/127\.0\.0\.1:\d+\/org\/tiny, then fetch it with the token of that account \(log in/,
    );
    await expect(answers(403, 'GatedRepo')('hf_x')).rejects.toThrow(/is gated: .*the token that was sent does not allow it/);
  });

  it.each([
    [
      'a repository that is not there',
      answers(404, 'RepoNotFound'),
      /org\/tiny is not on 127\.0\.0\.1:\d+, or is private; check the name, or log in/,
    ],
    ['one that is private', answers(401, 'RepoNotFound'), /is not on .*, or is private/],
    ['a rate limit', answers(429, undefined, { 'Retry-After': '30' }), /limits how often it is asked \(429\); fetch again in 30 s/],
    ['a rate limit beyond reason', answers(429, undefined, { 'Retry-After': '1e300' }), /\(429\); fetch again after a while/],
    ['a rate limit in the past', answers(429, undefined, { 'Retry-After': '-5' }), /\(429\); fetch again after a while/],
    ['a proxy', answers(407), /127\.0\.0\.1:\d+ .*(?:wants a password \(407\)|\(407\); give it a name)/],
    ['a failure', answers(503), /fails \(503\); fetch again later/],
    ['anything else', answers(418), /answers 418 for org\/tiny; check HF_ENDPOINT/],
  ])('in one line: %s', async (_, ask, message) => {
    await expect(ask()).rejects.toThrow(message);
  });

  it('names a revision that is not there', async () => {
    const server = await HubServer.start(repository, usual());
    await expect(fetchFrom(server, 'org/tiny@nope')).rejects.toThrow(/org\/tiny has no such revision/);
  });

  it('says of one that cannot be reached what to look at', async () => {
    const server = await HubServer.start(repository, usual());
    server.endpoint = 'http://127.0.0.1:9';
    await expect(fetchFrom(server)).rejects.toThrow(
      /127\.0\.0\.1:9 cannot be reached \(.+\); check the network, HTTPS_PROXY and HF_ENDPOINT/,
    );
  });

  it.each(['[', '{"a":1}', '[{"type":"file"}]', '[null]', '<html>'])('is no hub if it answers %s', async (body) => {
    const server = await HubServer.start(repository, usual());
    for (const part of ['/revision/', '/tree/']) {
      server.intrude = (request, response) => {
        const isMeant = request.url?.includes(part) === true;
        if (isMeant) {
          response.writeHead(200, { 'Content-Type': 'application/json' }).end(body);
        }
        return isMeant;
      };
      await expect(fetchFrom(server)).rejects.toThrow(/does not answer as the hub does; check HF_ENDPOINT/);
    }
  });
});

it('is no hub if what it answers is nested without end, where its library makes text of it', async () => {
  const server = await HubServer.start(repository, usual());
  server.intrude = (request, response) => {
    const isMeant = request.url?.includes('/revision/') === true;
    if (isMeant) {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(`{"id":"org/tiny","lastModified":${deepJson(50_000)}}`);
    }
    return isMeant;
  };
  await expect(fetchFrom(server)).rejects.toThrow(/does not answer as the hub does; check HF_ENDPOINT/);
});

describe('a repository that would do harm', () => {
  it.each(['../evil.safetensors', '..', 'a\\b', 'C:x', '\u202egnp'])('has nothing fetched that it lists as %j', async (listedAs) => {
    const server = await HubServer.start(repository, { ...usual(), evil: { ...small('x'), listedAs } });
    const { offer, fetched, hub } = await fetchFrom(server);
    expect(offer.files.map(({ name }) => name)).toEqual(['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors']);
    expect(readdirSync(fetched.folder)).toHaveLength(4);
    expect(readdirSync(hub)).toEqual(['models--org--tiny']);
  });

  it('has no pickle fetched, also where there is nothing else', async () => {
    const others = without('model.safetensors');
    const server = await HubServer.start(repository, others);
    await expect(fetchFrom(server)).rejects.toThrow(/org\/tiny has its weights in pytorch_model\.bin, a pickle, which is never fetched/);
  });

  it.each(['pytorch_model.bin', 'evil.py', '../../x.safetensors', 'config.json'])('has no %s fetched for its index', async (name) => {
    const index = small(JSON.stringify({ weight_map: { a: name } }));
    const others = { ...without('model.safetensors'), 'evil.py': small('import os') };
    const server = await HubServer.start(repository, { ...others, 'model.safetensors.index.json': index });
    const hub = temporaryFolder();
    await expect(fetchFrom(server, repository, { hub })).rejects.toThrow(
      `org/tiny names "${name}", which is no safetensors file of its own folder in model.safetensors.index.json; nothing was fetched`,
    );
    expect(readdirSync(hub)).toEqual([]);
  });

  it.each([
    ['x.safetensors', /names "x\.safetensors" in model\.safetensors\.index\.json and has no such file/],
    [undefined, /names no file in model\.safetensors\.index\.json/],
  ])('has an index of files that are there: %s is not', async (name, message) => {
    const index = small(JSON.stringify({ weight_map: name === undefined ? {} : { a: name } }));
    const server = await HubServer.start(repository, { ...without('model.safetensors'), 'model.safetensors.index.json': index });
    await expect(fetchFrom(server)).rejects.toThrow(message);
  });

  it('lists its files on no end of pages, and is asked for no more than 100', async () => {
    const server = await HubServer.start(repository, usual());
    let pages = 0;
    server.intrude = (request, response) => {
      const isPage = request.url?.includes('/tree/') === true;
      if (isPage) {
        pages += 1;
        const next = `${server.endpoint}/api/models/org/tiny/tree/x?cursor=${pages}`;
        response.writeHead(200, { 'Content-Type': 'application/json', Link: `<${next}>; rel="next"` }).end('[]');
      }
      return isPage;
    };
    await expect(fetchFrom(server)).rejects.toThrow(/lists files on more than 100 pages; check HF_ENDPOINT/);
    expect(pages).toBe(100);
  });

  it('gets no token back by way of another host', async () => {
    const server = await HubServer.start(repository, usual());
    const other = await listening((_, response) => response.writeHead(302, { Location: `${server.endpoint}/chosen` }).end());
    const tokens: (string | undefined)[] = [];
    server.intrude = (request, response) => {
      const isFile = request.url?.includes('/resolve/') === true;
      if (isFile) {
        response.writeHead(302, { Location: `${other}/x` }).end();
      } else if (request.url === '/chosen') {
        tokens.push(request.headers.authorization);
        refuse(response, 403);
      }
      return isFile || request.url === '/chosen';
    };
    await expect(fetchFrom(server, repository, { token: 'hf_secret' })).rejects.toThrow(/refuses|does not allow/);
    expect(tokens).toEqual([undefined]);
  });

  it('shows no password of an address that it redirects to', async () => {
    const server = await HubServer.start(repository, usual());
    server.intrude = (_, response) => {
      response.writeHead(302, { Location: 'http://user:secret@127.0.0.1:1/x?Signature=secret' }).end();
      return true;
    };
    const error = await fetchFrom(server).catch((thrown: unknown) => thrown as Error);
    expect((error as Error).message).toMatch(/redirects to an address, which is not followed/);
  });

  it('gets the token at its endpoint only, and never from a redirect', async () => {
    const server = await HubServer.start(repository, usual());
    await fetchFrom(server, repository, { token: 'hf_secret' });
    expect(new Set(server.seen.map(({ token }) => token))).toEqual(new Set(['Bearer hf_secret']));
    expect(server.seenByStore.map(({ token }) => token)).toEqual([undefined]);
    const elsewhere: (string | undefined)[] = [];
    const other = await listening((request, response) => {
      elsewhere.push(request.headers.authorization);
      refuse(response, 403);
    });
    server.intrude = (_, response) => {
      response.writeHead(307, { Location: `${other}/x` }).end();
      return true;
    };
    const error = await fetchFrom(server, repository, { token: 'hf_secret' }).catch((thrown: unknown) => thrown as Error);
    expect(elsewhere).toEqual([undefined]);
    expect((error as Error).message).not.toContain('hf_secret');
  });

  it('is not followed in circles', async () => {
    const server = await HubServer.start(repository, usual());
    server.intrude = (request, response) => {
      response.writeHead(302, { Location: request.url ?? '' }).end();
      return true;
    };
    await expect(fetchFrom(server)).rejects.toThrow(/answers 302/);
    expect(server.seen).toHaveLength(6);
  });
});

describe('the name of a model to fetch', () => {
  it.each([
    ['org/name', { repository: 'org/name', revision: 'main', gguf: undefined }],
    ['gpt2', { repository: 'gpt2', revision: 'main', gguf: undefined }],
    ['org/name@v1:Q4_K_M', { repository: 'org/name', revision: 'v1', gguf: 'Q4_K_M' }],
    ['https://huggingface.co/org/name/', { repository: 'org/name', revision: 'main', gguf: undefined }],
  ])('%s', (asked, meant) => {
    expect(askedModel(asked)).toEqual(meant);
  });

  it.each(['', 'a/b/c', '../x', 'org/..', 'org/na--me', 'org/name@../x', 'org name', '/etc'])('is not %j', (asked) => {
    expect(() => askedModel(asked)).toThrow(/is no (repository of models|branch, tag or commit)/);
  });

  it('may be an address of the endpoint or of the hub, and of no other host', () => {
    const at = (asked: string, endpoint: string): string => askedModel(asked, { endpoint }).repository;
    expect(at('https://mirror.example/hf/o/n', 'https://mirror.example/hf')).toBe('o/n');
    expect(at('https://mirror.example/o/n/', 'https://mirror.example')).toBe('o/n');
    expect(at('https://huggingface.co/o/n', 'https://mirror.example')).toBe('o/n');
    for (const asked of ['https://other.example/o/n', 'https://huggingface.co@other.example/o/n']) {
      expect(() => at(asked, 'https://huggingface.co')).toThrow(
        /is not at https:\/\/huggingface\.co, from where it would be fetched; write org\/name/,
      );
    }
  });

  it('has one revision and one file', () => {
    expect(() => askedModel('org/name@v1', { revision: 'v2' })).toThrow(/names a revision that an option names too/);
    expect(() => askedModel('org/name', { revision: '../x' })).toThrow(/is no branch, tag or commit/);
  });
});
