import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { optionNames, optionOf } from '../../../src/core/options/table';
import type { PlanDocument, RunReport } from '../../../src/core/report/report';
import { numberParameters, textParameters } from '../../../src/core/scenario/scenario';
import { run } from '../../support/cli';
import { embeddedFolder, samplePrompt } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

const short = ['--max-tokens', '120', '--block', '32'];

describe('plan', () => {
  it('prints one JSON document with the keys of the contract', async () => {
    const { code, stdout, stderr } = await run(['plan', samplePrompt, '--json']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    const document = JSON.parse(stdout) as PlanDocument;
    expect(Object.keys(document).join(' ')).toBe('schemaVersion prompt model scenario oracle construction plan memory prediction cache');
    expect(document.prompt).toEqual({
      path: samplePrompt,
      bytes: readFileSync(samplePrompt).length,
      sha256: createHash('sha256').update(readFileSync(samplePrompt)).digest('hex'),
      tokens: document.prompt.tokens,
      format: 'markdown',
    });
    expect(document.prompt.tokens).toBeGreaterThan(4000);
    expect(document.model).toMatchObject({ name: 'tiny-docs-5m', parameters: 5_475_584, shape: { layers: 6, heads: 8 } });
    expect(document.oracle).toEqual({ inputLength: 256, layers: 1, heads: 8, causal: false });
    expect(Object.keys(document.plan)).toEqual(expect.arrayContaining(['blocks', 'tiles', 'calls', 'rounds', 'flops', 'bytes', 'bound']));
    expect(Object.keys(document.plan.calls)).toEqual(['total', 'attention', 'tokenwise', 'perLayer']);
    expect(Object.keys(document.plan.bound)).toEqual(['theorem', 'formula', 'calls']);
  });

  it('prints a summary for people', async () => {
    const { stdout } = await run(['plan', samplePrompt, '--scenario', 'sliding-window', '--window', '300']);
    expect(stdout).toMatch(/4,957 tokens under sliding-window\(window 300\)/);
    expect(stdout).toMatch(/Theorem 5\.1/);
  });

  it('reads standard input', async () => {
    const { stdout } = await run(['plan', '-', '--json'], 'Some words to plan.');
    expect((JSON.parse(stdout) as PlanDocument).prompt).toMatchObject({ path: '-', bytes: 19 });
  });
});

describe('simulate', () => {
  it('prints the report, tells progress on stderr, and writes the same report', async () => {
    const out = join(temporaryFolder(), 'report.json');
    const { code, stdout, stderr } = await run([
      'simulate',
      samplePrompt,
      ...short,
      '--scenario',
      'attention-sink',
      '--window',
      '40',
      '--sinks',
      '2',
      '--json',
      '--out',
      out,
    ]);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as RunReport;
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(report);
    expect(Object.keys(report)).toEqual(expect.arrayContaining(['run', 'fidelity', 'quality', 'environment']));
    expect(Object.keys(report.run)).toEqual(
      expect.arrayContaining(['provider', 'device', 'threads', 'wallMs', 'phases', 'calls', 'peakRssBytes']),
    );
    expect(Object.keys(report.run.phases)).toEqual(expect.arrayContaining(['tokenize', 'project', 'attend', 'merge', 'mlp', 'verify']));
    expect(report.run.provider).toBe('cpu');
    expect(report.fidelity?.maxAbsError).toBeLessThan(1e-4);
    expect(report.quality?.perplexity).toBeGreaterThan(1);
    expect(report.environment.onnxruntime).toBe('1.30.0');
    expect(stderr).toMatch(/simulate: +\d+%/);
    expect(stderr).toMatch(/100%/);
  });

  it('prints a readable summary', async () => {
    const { stdout } = await run(['simulate', samplePrompt, ...short]);
    expect(stdout).toMatch(/calls made/);
    expect(stdout).toMatch(/fidelity +max abs error \d/);
    expect(stdout).toMatch(/quality +perplexity \d/);
  });
});

describe('help', () => {
  it('has every option and every parameter of a scenario, with its words and its default', async () => {
    const { code, stdout } = await run(['plan', '--help']);
    expect(code).toBe(0);
    const flags = stdout
      .replaceAll(/\s+/g, ' ')
      .split(/ (?=--[a-z])/)
      .slice(1);
    const helpOf = (flag: string): string => flags.find((each) => each.split(' ')[0] === flag) ?? '';
    for (const name of optionNames) {
      const { flag, value, default: standard } = optionOf(name);
      const help = helpOf(standard === true ? `--no-${flag}` : `--${flag}`);
      const zero = 'zero' in value ? value.zero : undefined;
      const words = [
        ...(value.type === 'choice' ? [value.choices.map((choice) => choice.value).join(', ')] : []),
        ...(zero === undefined ? [] : [`${zero.word}: ${zero.meaning}`]),
        ...(value.type === 'switch' ? [] : [`(default: ${standard === 0 && zero !== undefined ? zero.word : String(standard)})`]),
      ];
      words.forEach((each) => expect(help).toContain(each));
      expect(help).not.toBe('');
    }
    for (const { name, default: standard } of numberParameters) {
      expect(helpOf(`--${name}`)).toContain(`(default: ${standard})`);
    }
    textParameters.forEach(({ flag }) => expect(helpOf(`--${flag}`)).not.toBe(''));
  });
});

describe('bad input ends with exit code 2 and one line that names the value and the fix', () => {
  const file = (bytes: string | Uint8Array): string => {
    const path = join(temporaryFolder(), 'prompt.md');
    writeFileSync(path, bytes);
    return path;
  };
  const model = (change: (folder: string) => void): string => {
    const folder = join(temporaryFolder(), 'model');
    cpSync(embeddedFolder, folder, { recursive: true });
    change(folder);
    return folder;
  };
  const cases: Record<string, [() => string[], RegExp]> = {
    'no such file': [() => ['plan', 'nowhere.md'], /nowhere\.md cannot be read .*give the path of a prompt file/],
    'a folder': [() => ['plan', temporaryFolder()], /is not a file but a folder; give the path/],
    'an empty file': [() => ['plan', file('')], /is empty; give a prompt/],
    'a binary file': [() => ['plan', file(new Uint8Array([1, 0, 2]))], /is a binary file/],
    'not UTF-8': [() => ['plan', file(new Uint8Array([0x61, 0xff, 0xfe]))], /is not UTF-8 text at byte 1 \(0xff\); convert it/],
    'over the size limit': [
      () => {
        const path = file('x');
        truncateSync(path, 64 * 1024 * 1024 + 1);
        return ['plan', path];
      },
      /has 64\.0 MiB; the limit is 64\.0 MiB: cut the text/,
    ],
    'N = 0': [() => ['plan', samplePrompt, '--max-tokens', '0'], /--max-tokens of "0" is not possible; use a whole number from 1/],
    'M = 1': [() => ['plan', samplePrompt, '--block', '1'], /--block of "1" is not possible; use a whole number from 2/],
    'M no number': [() => ['plan', samplePrompt, '--block', 'many'], /--block of "many"/],
    'an unknown scenario': [
      () => ['plan', samplePrompt, '--scenario', 'dilated'],
      /"dilated" is unknown; use one of native, full, causal, .*, custom, per-layer, per-head\.$/,
    ],
    'more sinks than window in a black box': [
      () => ['plan', samplePrompt, '--scenario', 'attention-sink', '--window', '8', '--sinks', '9', '--construction', 'paper'],
      /9 sinks are more than the window of 8.*; choose 8 or fewer, or construction tight/,
    ],
    'a cycle without per-layer': [
      () => ['plan', samplePrompt, '--cycle', 'causal,full'],
      /--cycle causal,full does nothing under scenario native; leave it out or choose per-layer/,
    ],
    'per-layer without a cycle': [
      () => ['plan', samplePrompt, '--scenario', 'per-layer'],
      /"per-layer" needs the scenarios of its layers; give them with --cycle/,
    ],
    'a cycle that samples': [
      () => ['plan', samplePrompt, '--scenario', 'per-layer', '--cycle', 'causal,average-case'],
      /"average-case" cannot be one of several in a cycle/,
    ],
    'a cycle with too many numbers': [
      () => ['plan', samplePrompt, '--scenario', 'per-layer', '--cycle', 'causal:5,full'],
      /"causal:5" has 1 number and causal takes 0; write causal\./,
    ],
    'layers that differ under a black box': [
      () => ['plan', samplePrompt, '--scenario', 'per-layer', '--cycle', 'causal,full', '--construction', 'paper'],
      /Construction "paper" runs one scenario in all layers and heads, not per-layer\(causal, full\); use construction tight or fused/,
    ],
    'a parameter of another scenario': [
      () => ['plan', samplePrompt, '--window', '8'],
      /--window 8 does nothing under scenario native; leave it out or choose sliding-window or attention-sink or local-window/,
    ],
    'an unknown construction': [
      () => ['plan', samplePrompt, '--construction', 'loose'],
      /Construction "loose" is unknown; use one of fused/,
    ],
    'samples that no check would try': [
      () => ['simulate', samplePrompt, '--scenario', 'average-case', '--verify', 'none', '--seeds', '3'],
      /--seeds 3 does nothing without verification, which --verify none turns off; leave out one of the two/,
    ],
    'a layout without quality': [() => ['compare', samplePrompt, '--no-quality', '--score', 'all'], /--score all does nothing/],
    'a plan whose layout scores nothing': [
      () => ['plan', samplePrompt, '--max-tokens', '90', '--score', 'from=89'],
      /--score from=89 leaves no position of 90 tokens/,
    ],
    'a layout that scores nothing': [
      () => ['simulate', samplePrompt, '--max-tokens', '90', '--score', 'from=89'],
      /--score from=89 leaves no position of 90 tokens, of which from=88 scores the last; use --score all/,
    ],
    'an unknown verification': [
      () => ['simulate', samplePrompt, '--verify', 'some'],
      /Verification "some" is unknown; use one of rows, dense, none/,
    ],
    'an unknown provider': [() => ['simulate', samplePrompt, '--provider', 'tpu'], /Provider "tpu" is unknown; use one of auto, cpu/],
    'a provider that is not there': [
      () => ['simulate', samplePrompt, ...short, '--provider', process.platform === 'darwin' ? 'dml' : 'coreml'],
      /is not in ONNX Runtime for .*; use one of auto, cpu/,
    ],
    // Its libraries are no part of the package: `.npmrc` skips their download.
    'a provider that does not run': [
      () => ['simulate', samplePrompt, ...short, '--provider', 'cuda'],
      /Provider "cuda" (does not run on this machine \(.*\); use --provider cpu|is not in ONNX Runtime)/,
    ],
    'an unknown model folder': [
      () => ['plan', samplePrompt, '--model', 'nowhere'],
      /Model "nowhere" is no folder .*use a model's folder, tiny-docs-5m/,
    ],
    'a broken config.json': [
      () => ['plan', samplePrompt, '--model', model((folder) => writeFileSync(join(folder, 'config.json'), '{'))],
      /config\.json is not JSON; restore/,
    ],
    'truncated weights': [
      () => ['simulate', samplePrompt, ...short, '--model', model((folder) => truncateSync(join(folder, 'model.safetensors'), 100_000))],
      /the file is truncated, download it again/,
    ],
    'not enough memory': [
      () => ['simulate', samplePrompt, '--block', '4096', '--memory-limit', '300'],
      /needs about .* of memory \(process .*\) and 300 MiB may be used; (use|no block size fits)/,
    ],
    'a plan above the memory limit': [
      () => ['plan', samplePrompt, '--block', '4096', '--memory-limit', '300'],
      /needs about .* of memory \(process .*\) and 300 MiB may be used; (use|no block size fits)/,
    ],
    'an unknown option': [() => ['plan', samplePrompt, '--windw', '8'], /unknown option '--windw'/],
    'a flag of an earlier version': [
      () => ['evaluate', samplePrompt, '--needle-depths', '0.5'],
      /evaluate has no --needle-depths; use --retrieval single and --retrieval-depths\./,
    ],
    'a flag of another command': [
      () => ['generate', samplePrompt, '--baseline', 'dense'],
      /generate has no --baseline; .*two-heads simulate --baseline dense/,
    ],
    'no command': [() => [], /no command given; see two-heads --help/],
    'no file': [() => ['plan'], /missing required argument 'file'/],
    'a cycle that no compared scenario has': [
      () => ['compare', samplePrompt, '--scenarios', 'causal,full', '--cycle', 'causal,full'],
      /--cycle causal,full does nothing under causal, full; leave it out or name per-layer/,
    ],
    'a mask under another scenario': [
      () => ['plan', samplePrompt, '--mask', 'k <= q'],
      /--mask "k <= q" does nothing under scenario native; leave it out or choose custom\./,
    ],
    'a scenario named twice': [
      () => ['compare', samplePrompt, '--scenarios', 'full,full'],
      /--scenarios full,full names one scenario twice/,
    ],
    'a report path in no folder': [
      () => ['simulate', samplePrompt, ...short, '--out', join(temporaryFolder(), 'no', 'report.json')],
      /--out .* cannot be written .*give a path in a folder that exists/,
    ],
    'a report in the place of the prompt': [
      () => {
        const prompt = join(temporaryFolder(), 'p.md');
        writeFileSync(prompt, 'A whale.');
        return ['simulate', prompt, '--out', prompt];
      },
      /--out .*p\.md would replace what is read; give another path/,
    ],
    'a report in the place of weights': [
      () => {
        const folder = join(temporaryFolder(), 'model');
        cpSync(embeddedFolder, folder, { recursive: true });
        return ['simulate', samplePrompt, '--model', folder, '--out', join(folder, 'model.safetensors')];
      },
      /--out .*model\.safetensors would replace what is read/,
    ],
  };

  it.each(Object.entries(cases))('%s', async (_what, [args, message]) => {
    const { code, stdout, stderr } = await run(args());
    const lines = stderr
      .trimEnd()
      .split('\n')
      .filter((line) => !/^simulate: +\d+%/.test(line));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('leaves a report that was there as it was, and no draft beside it', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'report');
    mkdirSync(out);
    const { code } = await run(['simulate', samplePrompt, ...short, '--out', out]);
    expect(code).toBe(2);
    expect(readdirSync(folder)).toEqual(['report']);
    expect(existsSync(out)).toBe(true);
  });
});

describe('parameters at their edges', () => {
  it('allow M > N, and r > N, which is causal', async () => {
    const flags = '--max-tokens 50 --block 256 --scenario sliding-window --window 1000 --json';
    const { code, stdout } = await run(['plan', samplePrompt, ...flags.split(' ')]);
    expect(code).toBe(0);
    const { plan } = JSON.parse(stdout) as PlanDocument;
    expect(plan.blocks).toBe(1);
    expect(plan.notes).toHaveLength(2);
  });

  it('print help and version with exit code 0', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string });
    const help = await run(['simulate', '--help']);
    expect(help.code).toBe(0);
    expect(help.stdout).toMatch(/--scenario <kind>/);
  });
});
