import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunReport } from '../../../src/core/report/report';
import { cli } from '../../support/cli';
import { root, samplePrompt } from '../../support/paths';
import { hasSwiftShader, swiftShaderEnvironment } from '../../support/swiftshader';
import { temporaryFolder } from '../../support/temporary';
import { writeTinyTokenizer } from '../../support/tiny-tokenizer';

/** A software device makes about a billion operations a second: the shapes are small. */
const shape = ['--provider', 'webgpu', '--block', '32'];
const small = [...shape, '--max-tokens', '70'];

async function simulate(...more: readonly string[]): Promise<RunReport> {
  const flags = [...(more.includes('--max-tokens') ? shape : small), '--json', ...more];
  const { code, stdout, stderr } = await cli(['simulate', samplePrompt, ...flags], '', await swiftShaderEnvironment());
  expect(stderr).not.toMatch(/Error|fallback/);
  expect(code).toBe(0);
  return JSON.parse(stdout) as RunReport;
}

describe.runIf(hasSwiftShader)('the webgpu provider on SwiftShader', { timeout: 180_000 }, () => {
  it.each([
    ['causal', []],
    ['full', []],
    ['attention-sink', ['--window', '40', '--sinks', '3']],
  ])('runs compiled layers under %s, the residual stream resident, and is exact to float32', async (scenario, parameters) => {
    const report = await simulate('--scenario', scenario, ...parameters, '--no-quality');
    expect(report.run).toMatchObject({ provider: 'webgpu', device: 'SwiftShader (software)', executor: 'compiled' });
    expect(report.run.calls).toMatchObject(report.plan.calls);
    // One graph a layer: nothing else went to the device.
    expect(report.run.calls.dispatches).toBe(report.model.shape.layers);
    expect(report.fidelity?.maxAbsError).toBeLessThan(1e-3);
    expect(report.fidelity?.maxRelError).toBeLessThan(1e-4);
  });

  // Every expert computes every token there, and the sinks are merged on the device.
  it.each(['compiled', 'tiles'])('runs experts and learned sinks by %s with the perplexity that the CPU gives', async (executor) => {
    const folder = join(temporaryFolder(), 'gpt-oss');
    cpSync(join(root, 'test', 'golden', 'gpt-oss'), folder, { recursive: true });
    writeTinyTokenizer(folder, 280, false);
    const prompt = join(folder, 'prompt.txt');
    writeFileSync(prompt, Array.from({ length: 60 }, (_, token) => `w${(7 * token ** 2 + 13 * token) % 280}`).join(' '));
    const reports = [];
    for (const provider of ['webgpu', 'cpu']) {
      const flags = ['--model', folder, '--block', '16', '--executor', executor, '--provider', provider, '--json'];
      const { code, stdout } = await cli(['simulate', prompt, ...flags], '', provider === 'webgpu' ? await swiftShaderEnvironment() : {});
      expect(code).toBe(0);
      reports.push(JSON.parse(stdout) as RunReport);
    }
    const [device, cpu] = reports;
    expect(device.fidelity?.maxAbsError).toBeLessThan(1e-4);
    expect((device.quality?.perplexity ?? NaN) / (cpu.quality?.perplexity ?? NaN)).toBeCloseTo(1, 5);
  });

  it('runs tile by tile where that is asked for, quality and its baseline included', async () => {
    const report = await simulate('--scenario', 'sliding-window', '--window', '40', '--executor', 'tiles');
    expect(report.run.executor).toBe('tiles');
    expect(report.run.calls.attention - report.run.calls.retries).toBe(report.plan.calls.attention);
    expect(report.fidelity?.maxRelError).toBeLessThan(1e-4);
    expect(report.quality?.perplexity).toBeGreaterThan(1);
    expect(report.quality?.meanKl).toBeGreaterThan(0);
  });

  it('runs the black box of the theorems', async () => {
    const report = await simulate('--construction', 'tight', '--oracle-heads', '1', '--max-tokens', '40', '--no-quality');
    expect(report.run.calls.attention - report.run.calls.retries).toBe(report.plan.calls.attention);
    expect(report.fidelity?.maxRelError).toBeLessThan(1e-4);
  });

  it('gives the perplexity that the CPU gives', async () => {
    const [device, cpu] = [
      await simulate('--verify', 'none'),
      JSON.parse((await cli(['simulate', samplePrompt, ...small.slice(2), '--verify', 'none', '--json'])).stdout) as RunReport,
    ];
    expect(cpu.run.provider).toBe('cpu');
    expect(device.quality?.perplexity).toBeCloseTo(cpu.quality?.perplexity ?? NaN, 2);
  });
});

describe.runIf(hasSwiftShader)('float16 on SwiftShader, which has none', () => {
  it('is refused by name, with the device and the way out', async () => {
    const { code, stderr } = await cli(['simulate', samplePrompt, ...small, '--precision', 'float16'], '', await swiftShaderEnvironment());
    expect(code).toBe(2);
    expect(stderr).toMatch(/Precision "float16" does not run on webgpu \(SwiftShader \(software\): .*use --precision float32\./);
  });
});

describe('precision and executor', () => {
  it.each([
    [['--precision', 'float16', '--executor', 'tiles'], /Precision "float16" is for compiled layers of construction fused/],
    [['--precision', 'float16', '--construction', 'tight'], /Precision "float16" is for compiled layers of construction fused/],
    [
      ['--executor', 'compiled', '--construction', 'tight'],
      /Executor "compiled" runs construction fused only, not tight; use --executor tiles\./,
    ],
    [['--executor', 'fast'], /Executor "fast" is unknown; use one of auto, tiles, compiled\./],
    [['--precision', 'int4'], /Precision "int4" is unknown; use one of float32, float16\./],
  ])('%j are refused in one line', async (flags, message) => {
    const { code, stdout, stderr } = await cli(['simulate', samplePrompt, '--max-tokens', '50', '--block', '32', ...flags]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
  });

  it('refuse float16 on a CPU that computes it in float32', async () => {
    const { code, stderr } = await cli(['simulate', samplePrompt, '--max-tokens', '50', '--block', '32', '--precision', 'float16']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/Precision "float16" does not run on cpu \(.*: it computes in float32 instead\); use --precision float32\./);
  });
});

describe('a provider that is not there', () => {
  it('is refused by name in one line, and not replaced', async () => {
    // No Vulkan driver at all: not even the one that this machine may have.
    const { code, stdout, stderr } = await cli(['simulate', samplePrompt, ...small], '', {
      VK_ICD_FILENAMES: '/nonexistent.json',
      VK_DRIVER_FILES: '/nonexistent.json',
      LD_LIBRARY_PATH: '',
    });
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/two-heads: Provider "webgpu" (does not run on this machine|is not in ONNX Runtime).*use /);
  });
});
