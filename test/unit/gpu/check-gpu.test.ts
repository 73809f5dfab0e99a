import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { withoutLocales } from '../../gpu/node-binary';
import { root } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

const run = promisify(execFile);

interface Outcome {
  readonly name: string;
  readonly outcome: string;
  readonly rows: readonly Readonly<Record<string, number | string>>[];
}

describe('npm run check:gpu', () => {
  // Beside node_modules, where ONNX Runtime is found.
  const script = join(root, '.cache', 'gpu-check-test', 'main.js');
  beforeAll(async () => {
    await build({
      ...{ entryPoints: [join(root, 'test', 'gpu', 'main.ts')], outfile: script, bundle: true, platform: 'node', target: 'node20' },
      ...{ external: ['onnxruntime-node'], logLevel: 'warning' },
    });
  });

  async function check(...flags: readonly string[]): Promise<{ code: number; outcomes: readonly Outcome[]; markdown: string }> {
    const out = join(temporaryFolder(), 'gpu');
    const args = [script, '--providers', 'cpu', '--quick', '--out', out, ...flags];
    const code = await run(process.execPath, args, { cwd: root }).then(
      () => 0,
      (error: unknown) => (error as { readonly code: number }).code,
    );
    const { outcomes } = JSON.parse(readFileSync(join(out, 'gpu-check.json'), 'utf8')) as { readonly outcomes: readonly Outcome[] };
    return { code, outcomes, markdown: readFileSync(join(out, 'gpu-check.md'), 'utf8') };
  }

  it('measures on the processor what it measures on a GPU', async () => {
    const { code, outcomes, markdown } = await check('--steps', 'products,attention');
    expect(code).toBe(0);
    expect(outcomes.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['products', 'done'],
      ['attention', 'done'],
    ]);
    expect(outcomes[1].rows).toHaveLength(2);
    expect(outcomes[1].rows[0].error).toBeLessThan(1e-5);
    expect(markdown).toMatch(/## The machine[^]*## MatMul[^]*\| cpu \| float32 \| 128 \|[^]*## Causal attention/);
  });

  it('ends a step at its limit, says so, and fails', async () => {
    const { code, outcomes } = await check('--steps', 'attention,exact', '--minutes', '0.001');
    expect(code).toBe(1);
    expect(outcomes.map(({ name }) => name)).toEqual(['attention', 'exact']);
    expect(outcomes[0].outcome).toMatch(/^ended at its limit of \d s$|^not run: no time was left$/);
    expect(outcomes[1].outcome).toBe('not run: no time was left');
  });
});

describe.runIf(process.platform === 'linux')('a Node binary without its languages', () => {
  it('has zeros in their place, and still runs', async () => {
    const whole = readFileSync(process.execPath);
    const trimmed = withoutLocales(whole);
    expect(trimmed.length).toBe(whole.length);
    expect(trimmed.equals(whole)).toBe(false);
    const file = join(temporaryFolder(), 'node');
    writeFileSync(file, trimmed);
    chmodSync(file, 0o755);
    const { stdout } = await run(file, ['-p', "`${(1234.5).toLocaleString('en-US')} ${'É'.normalize('NFD').length}`"]);
    expect(stdout.trim()).toBe('1,234.5 2');
  });
});
