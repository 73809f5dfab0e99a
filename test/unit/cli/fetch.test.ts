import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { cli, nothingKept, run, type CliResult } from '../../support/cli';
import { digestOf, HubServer, large, small } from '../../support/hub-server';
import { emptyStores, tinyModel } from '../../support/model-stores';
import { root } from '../../support/paths';

const weights = Buffer.alloc(400_000, 7);

async function tinyHub(content = weights): Promise<HubServer> {
  return HubServer.start('org/tiny', {
    'config.json': small('{"model_type":"llama"}'),
    'tokenizer.json': small('{}'),
    'model.safetensors': large(content),
  });
}

/** Variables with which the command line fetches from a server into a cache of the test. */
function fetching(server: HubServer): { readonly hub: string; readonly home: string; readonly environment: Record<string, string> } {
  const { home, stores, environment } = emptyStores();
  return { home, hub: stores.hub, environment: { ...environment, HF_ENDPOINT: server.endpoint, HF_TOKEN: '' } };
}

/** Runs the command in this process, perhaps on a terminal on which `answer` is typed. */
async function answered(args: readonly string[], environment: Record<string, string>, answer?: string): Promise<CliResult> {
  Object.entries(environment).forEach(([name, value]) => vi.stubEnv(name, value));
  onTestFinished(() => void vi.unstubAllEnvs());
  if (answer === undefined) {
    return run(args);
  }
  const stdin = Object.assign(Readable.from([Buffer.from(`${answer}\n`)]), { isTTY: true });
  return run(args, '', stdin);
}

describe('two-heads fetch', () => {
  it('asks on a terminal, with repository, revision, files, size and licence', async () => {
    const server = await tinyHub();
    const { hub, environment } = fetching(server);
    const no = await answered(['fetch', 'org/tiny'], environment, 'n');
    expect(no.code).toBe(130);
    expect(no.stderr).toContain('Nothing was fetched.');
    expect(existsSync(hub)).toBe(false);
    expect(server.seenByStore).toEqual([]);
    const commit = server.refs.get('main') ?? '';
    expect(no.stderr.split('\n').slice(0, 5)).toEqual([
      `Repository: org/tiny, revision main (${commit.slice(0, 8)}), from ${server.endpoint}`,
      'Files: config.json, tokenizer.json, model.safetensors',
      'Size: 391 KiB',
      'Licence: apache-2.0',
      `Into: ${join(hub, 'models--org--tiny')}`,
    ]);
    const yes = await answered(['fetch', 'org/tiny'], environment, 'y');
    expect(yes).toMatchObject({ code: 0 });
    expect(yes.stdout).toBe(`${join(hub, 'models--org--tiny', 'snapshots', commit)}\nuse it with --model org/tiny\n`);
    expect(yes.stderr).toMatch(/100%, model\.safetensors, 391 KiB of 391 KiB/);
  });

  it('refuses without a terminal to ask on, unless --yes is given', async () => {
    const server = await tinyHub();
    server.card = undefined;
    const { environment } = fetching(server);
    const refused = await answered(['fetch', 'org/tiny'], environment);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      /^two-heads: org\/tiny \(3 files, 391 KiB to fetch from http:.*, licence: none stated\) is fetched only after consent, and there is no terminal to ask on; give --yes\.\n$/,
    );
    const { code, stdout } = await answered(['fetch', 'org/tiny', '--yes', '--json'], environment);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'org/tiny', repository: 'org/tiny', licence: null, bytes: 400_024 });
    // What is there needs no consent.
    expect((await answered(['fetch', 'org/tiny'], environment)).code).toBe(0);
  });

  it('makes a model that models lists and that runs by its name', async () => {
    const folder = tinyModel();
    const server = await HubServer.start(
      'org/tiny',
      Object.fromEntries(readdirSync(folder).map((name) => [name, large(readFileSync(join(folder, name)))])),
    );
    const { environment, home } = fetching(server);
    expect(await cli(['fetch', 'org/tiny', '--yes'], '', environment)).toMatchObject({ code: 0 });
    expect((await cli(['models'], '', environment)).stdout).toMatch(/^org\/tiny +10\.4 MiB +safetensors F16 +llama +2,048 +runs$/m);
    writeFileSync(join(home, 'p.md'), 'A whale in the sea.');
    const simulated = await cli(['simulate', join(home, 'p.md'), '--model', 'org/tiny', '--json'], '', environment);
    const commit = server.refs.get('main') ?? '';
    expect(JSON.parse(simulated.stdout)).toMatchObject({ model: { name: `org/tiny@${commit.slice(0, 8)}` } });
  });

  it.each(['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'])('connects to nothing where %s is set', async (name) => {
    const server = await tinyHub();
    const { environment } = fetching(server);
    const { code, stderr } = await answered(['fetch', 'org/tiny', '--yes'], { ...environment, [name]: '1' });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `two-heads: ${name} is set, so that nothing is fetched; unset it to fetch a model.\n`,
    });
    expect(server.seen).toEqual([]);
  });

  it('reads the token as huggingface_hub does, and says it nowhere', async () => {
    const server = await tinyHub();
    const { environment, home } = fetching(server);
    mkdirSync(join(home, 'hf'), { recursive: true });
    writeFileSync(join(home, 'hf', 'token'), 'hf_of_the_file\n');
    const said = await answered(['fetch', 'org/tiny', '--yes'], environment);
    expect(server.seen.at(-1)?.token).toBe('Bearer hf_of_the_file');
    expect(said.stdout + said.stderr).not.toContain('hf_of_the_file');
    await answered(['fetch', 'org/tiny', '--yes'], { ...environment, HF_TOKEN: ' hf_of_the_variable ' });
    expect(server.seen.at(-1)?.token).toBe('Bearer hf_of_the_variable');
    vi.unstubAllEnvs();
    await answered(['fetch', 'org/tiny', '--yes'], { ...environment, HF_TOKEN: 'hf_x', HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' });
    expect(server.seen.at(-1)?.token).toBeUndefined();
    const broken = await answered(['fetch', 'org/tiny', '--yes'], { ...environment, HF_TOKEN: 'hf_a\nb' });
    expect(broken.stderr).toBe('two-heads: HF_TOKEN holds something other than a token; log in again with hf auth login, or remove it.\n');
  });

  it('quotes for a shell the name that it says', async () => {
    const server = await HubServer.start('org/tiny', { "it's $(x).gguf": large(weights) });
    const { environment } = fetching(server);
    const { stdout } = await answered(['fetch', 'org/tiny', '--yes'], environment);
    const quoted = process.platform === 'win32' ? `"org/tiny/it's $(x).gguf"` : `'org/tiny/it'\\''s $(x).gguf'`;
    expect(stdout.split('\n').at(-2)).toBe(`use it with --model ${quoted}`);
  });

  it('says what to fetch next where an adapter has no base on this machine', async () => {
    const server = await HubServer.start('org/tuned', {
      'adapter_config.json': small(
        JSON.stringify({
          peft_type: 'LORA',
          r: 2,
          lora_alpha: 4,
          base_model_name_or_path: 'org/base',
          revision: 'v1',
          target_modules: ['q_proj'],
        }),
      ),
      'adapter_model.safetensors': large(weights),
    });
    const { environment } = fetching(server);
    const { stdout } = await answered(['fetch', 'org/tuned', '--yes'], environment);
    expect(stdout.split('\n').slice(-3)).toEqual([
      'use it with --model org/tuned',
      'its base is not on this machine yet: two-heads fetch org/base@v1',
      '',
    ]);
  });

  it('that was interrupted is listed by models with how to go on', async () => {
    const server = await tinyHub();
    const { environment } = fetching(server);
    server.intrude = (request, response) => {
      const isConfig = request.url?.endsWith('/tokenizer.json') === true;
      if (isConfig) {
        response.writeHead(403).end();
      }
      return isConfig;
    };
    expect((await answered(['fetch', 'org/tiny', '--yes'], environment)).code).toBe(2);
    expect((await answered(['models'], environment)).stdout).toMatch(
      /^org\/tiny .*its fetch was interrupted; fetch it again to continue \(two-heads fetch org\/tiny\)/m,
    );
  });

  it('refuses the address of a repository on another host', async () => {
    const server = await tinyHub();
    const { environment } = fetching(server);
    const { code, stderr } = await answered(['fetch', 'https://other.example/org/tiny', '--yes'], environment);
    expect({ code, seen: server.seen }).toEqual({ code: 2, seen: [] });
    expect(stderr).toContain('"https://other.example/org/tiny" is not at http://127.0.0.1');
  });

  it.each(['http://me:s3cr%zz@127.0.0.1:1', 'http://me:s3cret@127.0.0.1:99999'])(
    'names the variable of the proxy %s, not its value',
    async (proxy) => {
      const server = await tinyHub();
      const { environment } = fetching(server);
      const { code, stderr } = await answered(['fetch', 'org/tiny', '--yes'], { ...environment, HTTPS_PROXY: proxy });
      expect(code).toBe(2);
      expect(stderr).toMatch(/^two-heads: HTTPS_PROXY is no http or https address; write one such as http:\/\/proxy:8080/);
      expect(stderr).not.toContain('s3cr');
    },
  );

  it.each(['nonsense', 'ftp://x', 'https://user:secret@x', 'https://me:secret@hub.example:80x', 'https://x?y'])(
    'refuses the endpoint %s',
    async (HF_ENDPOINT) => {
      const { stderr, code } = await answered(['fetch', 'org/tiny'], { HF_ENDPOINT });
      expect(code).toBe(2);
      expect(stderr).toMatch(/HF_ENDPOINT: .* is no plain http or https address/);
      expect(stderr).not.toContain('secret');
    },
  );
});

/** A proxy that makes tunnels, with a name and a password if it wants them. */
async function startProxy(password?: string): Promise<{ readonly host: string; readonly tunnels: string[] }> {
  const tunnels: string[] = [];
  const server = createServer();
  server.on('connect', (request, socket, head) => {
    const asked = `Basic ${Buffer.from(`me:${password ?? ''}`).toString('base64')}`;
    if (password !== undefined && request.headers['proxy-authorization'] !== asked) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    tunnels.push(request.url ?? '');
    const [host, port] = (request.url ?? '').split(':');
    const there = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      there.write(head);
      socket.pipe(there).pipe(socket);
    });
    [socket, there].forEach((each) => each.on('error', () => undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, tunnels };
}

describe('the built command line', () => {
  it('goes through a proxy that the environment names, but not to hosts of NO_PROXY', async () => {
    const server = await tinyHub();
    const { environment } = fetching(server);
    const proxy = await startProxy('secret');
    const through = { ...environment, HTTP_PROXY: `http://me:secret@${proxy.host}`, no_proxy: '' };
    expect(await cli(['fetch', 'org/tiny', '--yes'], '', through)).toMatchObject({ code: 0 });
    const tunnels = proxy.tunnels.length;
    expect(proxy.tunnels).toContain(server.endpoint.replace('http://', ''));
    expect(await cli(['fetch', 'org/tiny', '--yes'], '', { ...through, no_proxy: '127.0.0.1' })).toMatchObject({ code: 0 });
    expect(proxy.tunnels).toHaveLength(tunnels);
  });

  it('says what a proxy wants that refuses, without its password', async () => {
    const server = await tinyHub();
    const { environment } = fetching(server);
    const proxy = await startProxy('secret');
    const wrong = { ...environment, HTTP_PROXY: `http://me:wrong-one@${proxy.host}`, no_proxy: '' };
    const { code, stderr } = await cli(['fetch', 'org/tiny', '--yes'], '', wrong);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^two-heads: The proxy refuses the way to 127\.0\.0\.1:\d+ \(407\); give it a name and a password/);
    expect(stderr).not.toContain('wrong-one');
    const nowhere = await cli(['fetch', 'org/tiny', '--yes'], '', { ...environment, HTTPS_PROXY: 'me:secret@proxy' });
    expect(nowhere.stderr).toBe(
      'two-heads: HTTPS_PROXY is no http or https address; write one such as http://proxy:8080 (with % in a password as %25), or unset it.\n',
    );
  });

  it('asks a proxy once that closes where it is asked for a tunnel', async () => {
    let connections = 0;
    const server = createTcpServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined).on('data', () => socket.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { environment } = fetching(await tinyHub());
    const proxy = `http://me:secret@127.0.0.1:${(server.address() as AddressInfo).port}`;
    const through = { ...environment, HF_ENDPOINT: 'http://hub.invalid', HTTP_PROXY: proxy, no_proxy: '' };
    const { code, stderr } = await cli(['fetch', 'org/tiny', '--yes'], '', through);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^two-heads: hub\.invalid cannot be reached \(the proxy closed the connection\); check the network, HTTPS_PROXY/,
    );
    expect(connections).toBeLessThan(5);
  });

  it.each(['SIGKILL', 'SIGINT'] as const)('goes on after %s where it was', async (signal) => {
    const content = Buffer.alloc(3_000_000, 5);
    const server = await tinyHub(content);
    const { environment, hub } = fetching(server);
    const blobs = join(hub, 'models--org--tiny', 'blobs');
    const partials = (): string[] => readdirSync(blobs).filter((name) => name.startsWith(`${digestOf(large(content))}.`));
    // The store sends a part, and then nothing.
    server.holdAfter = [1_000_000];
    const child = spawn(process.execPath, [join(root, 'dist', 'cli.js'), 'fetch', 'org/tiny', '--yes'], {
      env: { ...process.env, ...nothingKept, ...environment },
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    await vi.waitFor(() => expect(statSync(join(blobs, partials()[0])).size).toBe(1_000_000), { timeout: 60_000, interval: 20 });
    child.kill(signal);
    expect(await ended).toBe(signal === 'SIGINT' ? 130 : null);
    expect(stderr).toContain(signal === 'SIGINT' ? 'two-heads: The fetch of org/tiny was cancelled; fetch it again to continue.' : '');
    expect(existsSync(join(hub, 'models--org--tiny', 'snapshots'))).toBe(false);
    expect(await cli(['fetch', 'org/tiny', '--yes'], '', environment)).toMatchObject({ code: 0 });
    expect(server.seenByStore.at(-1)?.range).toBe('bytes=1000000-');
    expect(partials()).toEqual([]);
  });
});
