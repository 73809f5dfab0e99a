import { readdirSync } from 'node:fs';
import type { Broker } from '../../../src/fleet/broker';
import { endpointOf } from '../../../src/fleet/address';
import { knownQueues, workersOf } from '../../../src/fleet/roster';
import { rowWorkData, shardWorkData, work, workProgress, workResult } from '../../../src/fleet/work';
import { causalWork, shardedWork } from './fleet-work';
import { HubConnection } from '../../../src/engine/tasks/fetch/connection';
import { offerOf } from '../../../src/engine/tasks/fetch/offer';
import { askedModel } from '../../../src/engine/tasks/fetch/files';
import { hubSettings } from '../../../src/engine/tasks/fetch/settings';
import { mutatedJson, mutatedText, type Next, pick } from '../../support/mutate';
import type { Reader } from './reader';

const hash = '0123456789abcdef'.repeat(2);
const words = [
  ...[
    'kind',
    'rows',
    'shard',
    'window',
    'needle',
    'causal',
    'sliding-window:8',
    'custom:k <= q',
    'native',
    '../../etc',
    'refused',
    'units',
  ],
  ...['file://', hash, 'ranges', 'ids', 'tokens', 'targets', 'edges', 'tight', 'cpu', 'cuda', '\u001b[2J'],
];

/** What others may write to a broker: jobs, results, progress, workers and queues. What is none is passed over. */
export const fleetMessages: Reader = {
  title: 'messages of a fleet',
  share: 60,
  open: () => {
    const jobs = [rowWorkData(causalWork(hash)), shardWorkData(shardedWork(hash))];
    const worker = {
      ...{
        id: 'host-1',
        host: 'host',
        pid: 7,
        twoHeads: '1',
        onnxruntime: '1',
        provider: 'cpu',
        device: 'Test',
        row: null,
        rows: 0,
        busyMs: 1,
      },
      models: [{ name: 'tiny', digest: hash }],
    };
    const queue = { twoHeads: '1', onnxruntime: '1', digest: hash, model: 'tiny', provider: 'cpu' };
    const result = { host: 'host', wallMs: 1, units: [{ unit: hash, result: { logProbability: -1, rank: 2 } }] };
    return Promise.resolve(async (next) => {
      const text = (original: unknown): string => mutatedJson(original, next, words);
      const passed = (isRead: boolean): string => (isRead ? 'read' : 'passed over');
      switch (next(6)) {
        case 0: {
          const redis = {
            smembers: () => Promise.resolve(['a', 'b']),
            mget: () => Promise.resolve([text(worker), JSON.stringify(worker)]),
            srem: () => Promise.resolve(0),
          };
          const there = await workersOf({ redis } as unknown as Broker);
          if (there.length === 0) {
            throw new Error('A worker that is there was lost beside one that is none.');
          }
          return passed(there.length === 2);
        }
        case 1: {
          const redis = { hgetall: () => Promise.resolve({ a: text(queue), b: JSON.stringify(queue) }) };
          const known = await knownQueues({ redis } as unknown as Broker);
          if (known.length === 0) {
            throw new Error('A queue was lost beside one that is none.');
          }
          return passed(known.length === 2);
        }
        case 2:
          return passed(workResult.safeParse(parsed(text(result))).success);
        case 3:
          return passed(workProgress.safeParse(parsed(text({ share: 0.5, label: 'x' }))).success);
        default:
          return passed(work.safeParse(parsed(text(pick(jobs, next)))).success);
      }
    });
  },
};

/** What comes through a broker has been JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Addresses that a user or an environment gives. */
export const addresses: Reader = {
  title: 'addresses of brokers and hubs',
  share: 20,
  open: (folder) => {
    const pieces = [
      'redis://',
      'rediss://',
      'user@',
      ':secret@',
      '[::1]',
      ':99999',
      '/0',
      '?db=1',
      '#x',
      '%zz',
      'https://',
      'file:///',
      '//',
    ];
    return Promise.resolve(async (next) => {
      const secret = 'hunter2';
      const isBroker = next(2) === 0;
      const url = mutatedText(isBroker ? `rediss://me:${secret}@host:6379/0` : `https://me:${secret}@hub.example/x`, next, pieces);
      try {
        if (isBroker) {
          endpointOf({ url });
        } else {
          const HF_ENDPOINT = url;
          await hubSettings({ HF_ENDPOINT, HF_TOKEN: mutatedText(secret, next), HF_HOME: folder }, folder);
        }
      } catch (error) {
        // A change may have made a host of it, which may be named.
        const isHost = URL.canParse(url) && new URL(url).hostname.includes(secret);
        if (error instanceof Error && error.message.includes(secret) && !isHost) {
          throw new Error(`A refusal tells a password: ${error.message}`, { cause: error });
        }
        throw error;
      }
      return 'read';
    });
  },
};

const commit = '1234abcd'.repeat(5);
const info = {
  _id: '1',
  id: 'org/tiny',
  sha: commit,
  gated: false,
  cardData: { license: 'mit' },
  tags: ['license:mit'],
  lastModified: '2026-01-01',
};
const oid = 'a'.repeat(40);
const listed = ['config.json', 'tokenizer.json', 'model.safetensors.index.json', 'model-1.safetensors', 'README.md'].map((path) => ({
  ...{ type: 'file', path, size: 10, oid },
  ...(path.endsWith('.safetensors') && { lfs: { oid: 'b'.repeat(64), size: 1000, pointerSize: 134 } }),
}));
const hubWords = [
  ...['../../../etc/passwd', 'a/b.safetensors', '..\\x', 'model.safetensors', 'm.gguf', 'directory', 'sha', 'lfs', 'oid', 'path', 'size'],
  ...['auto', 'other', 'license_name', 'weight_map'],
];

/** What a hub answers: statuses, headers, redirects and bodies. The token goes to the endpoint alone, and nothing is written. */
export const hubAnswers: Reader = {
  title: 'answers of a hub',
  share: 20,
  open: (folder) => {
    const endpoint = 'https://hub.example';
    const signal = new AbortController().signal;
    const named = new Set(readdirSync(folder));
    return Promise.resolve(async (next) => {
      const seen: string[] = [];
      const fetch: typeof globalThis.fetch = (input, init) => {
        const url = new URL(input instanceof Request ? input.url : input);
        const isToken = new Headers(init?.headers).has('Authorization');
        if (isToken && url.origin !== endpoint) {
          seen.push(`the token went to ${url.origin}`);
        }
        return Promise.resolve(answerOf(url, next));
      };
      try {
        await offerOf(askedModel('org/tiny'), new HubConnection({ endpoint, token: 'secret' }, fetch, signal, 1000), folder);
      } finally {
        seen.push(...readdirSync(folder).filter((name) => !named.has(name)));
        if (seen.length > 0) {
          // A fault comes before a refusal.
          // eslint-disable-next-line no-unsafe-finally
          throw new Error(`Asking for an offer did more: ${seen.join('; ')}`);
        }
      }
      return 'read';
    });
  },
};

function answerOf({ pathname, search }: URL, next: Next): Response {
  const kind = /\/(revision|tree|resolve)\//.exec(pathname)?.[1];
  const shards = { weight_map: { a: 'model-1.safetensors' } };
  const original = kind === 'tree' ? listed : kind === 'resolve' ? shards : info;
  const isSpoilt = next(2) === 0;
  const headers = new Headers({ 'Content-Type': 'application/json' });
  if (isSpoilt && next(4) === 0) {
    const places = [
      'https://other.example/x',
      '/y',
      'http://hub.example/z',
      'file:///etc/passwd',
      '//x',
      '%zz',
      'https://u:p@hub.example',
      '',
    ];
    headers.set('Location', pick(places, next));
    headers.set('X-Error-Code', pick(['GatedRepo', 'RepoNotFound', 'RevisionNotFound', 'x'], next));
    headers.set('Retry-After', pick(['9', '-1', '1e99', 'soon'], next));
    return new Response('{}', { status: pick([301, 302, 307, 400, 401, 403, 404, 407, 416, 429, 500, 503], next), headers });
  }
  if (isSpoilt && kind === 'tree' && next(4) === 0 && search.length < 1000) {
    const link = pick(
      ['<https://other.example/api>; rel="next"', '<>; rel="next"', 'rel=next', `<https://hub.example${pathname}?c=1>; rel="next"`],
      next,
    );
    headers.set('Link', link);
  }
  const body = isSpoilt
    ? next(6) === 0
      ? mutatedText(JSON.stringify(original), next, hubWords)
      : mutatedJson(original, next, hubWords)
    : JSON.stringify(original);
  return new Response(body, { headers });
}
