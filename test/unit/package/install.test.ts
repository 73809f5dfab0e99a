import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { npm } from '../../support/npm';
import { root } from '../../support/paths';

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

interface LockEntry {
  readonly version: string;
  readonly resolved?: string;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}

const manifest = read('package.json') as Manifest;
const lock = read('package-lock.json') as { packages: Record<string, LockEntry> };
const locked = Object.entries(lock.packages).filter(([path]) => path !== '');

describe('npm install', () => {
  it('has nothing to warn of, neither a setting nor a version of Node', async () => {
    const { stdout, stderr } = await npm('npm', root, ['install', '--dry-run', '--offline']);
    expect(stderr + stdout).not.toMatch(/warn/i);
  });

  it('runs no install script: package.json denies them to npm 11, and npm 10 finds none in the lock file', () => {
    expect(Object.values(manifest.allowScripts)).not.toContain(true);
    const flagged = locked.filter(([, entry]) => entry.hasInstallScript && !entry.optional).map(([path]) => path);
    expect(flagged, 'delete their "hasInstallScript" from package-lock.json, and deny them in allowScripts').toEqual([]);
    const optional = locked.filter(([, entry]) => entry.hasInstallScript).map(([path]) => path.replace(/^.*node_modules\//, ''));
    expect(optional.filter((name) => !(name in manifest.allowScripts))).toEqual([]);
  });
});

describe('dependencies', () => {
  it('are pinned', () => {
    expect(Object.entries(manifest.devDependencies).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('are all for development: what the package needs is in dist, so that npm installs nothing else with it', () => {
    expect(manifest.dependencies ?? {}).toEqual({});
  });

  it('are locked without a registry', () => {
    expect(locked.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
  });

  it('generate the code of ONNX messages for the library that reads it', () => {
    expect(manifest.devDependencies['@bufbuild/protoc-gen-es']).toBe(manifest.devDependencies['@bufbuild/protobuf']);
  });
});
