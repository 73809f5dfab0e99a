import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { formatCount } from '../../src/core/format';
import { uniform } from '../../src/core/math/random';
import type { RunReport } from '../../src/core/report/report';
import { safetensorsFile, type StoredTensor } from '../support/safetensors-writer';
import { type BenchContext, type Figure, median, type Section } from './section';

const mebibyte = 1024 * 1024;

/** How far a measured peak may be from the planned one. */
const tolerance = 0.15;

/** Command lines after `simulate <prompt>`: lengths, block sizes, scenarios, constructions, executors, checks and models. */
function settings(models: Readonly<Record<'f32' | 'bf16', string>>): readonly (readonly string[])[] {
  const [bare, window, sinks] = ['--verify none --no-quality', '--scenario sliding-window --window', '--scenario attention-sink --window'];
  const lines = [
    `--max-tokens 300 ${bare}`,
    `--max-tokens 1000 ${bare}`,
    '--max-tokens 1000',
    `--max-tokens 2000 ${window} 256`,
    `--max-tokens 4000 ${bare}`,
    '--max-tokens 4000 --no-quality',
    `--max-tokens 4000 ${window} 512`,
    `--max-tokens 8000 ${bare} ${window} 256`,
    `--max-tokens 8000 ${window} 256 --block 128`,
    `--max-tokens 16000 ${bare} ${window} 128`,
    `--max-tokens 12000 ${sinks} 128 --verify none`,
    `--max-tokens 5000 ${window} 64 --block 2048 --verify dense`,
    `--max-tokens 4000 ${bare} --block 2048`,
    `--max-tokens 4000 ${bare} --block 1024 ${window} 600`,
    `--max-tokens 3000 ${window} 64 --verify dense --no-quality`,
    `--max-tokens 2000 ${bare} --executor compiled`,
    `--max-tokens 4000 ${bare} --executor compiled ${window} 256`,
    '--max-tokens 4000 --executor compiled',
    '--max-tokens 2000 --executor compiled --block 1024 --no-quality',
    `--max-tokens 2000 ${bare} --construction tight --block 128 --scenario causal`,
    `--max-tokens 2000 --construction tight --block 256 ${window} 64`,
    `--max-tokens 1000 ${bare} --construction paper --block 128 --scenario causal`,
    `--max-tokens 1000 ${bare} --construction paper --block 32 --oracle-layers 2 --scenario causal`,
    '--max-tokens 2000 --scenario average-case --no-quality',
    `--max-tokens 2000 ${window} 64 --baseline dense`,
    `--max-tokens 1000 ${window} 64 --baseline dense --verify none`,
    `--max-tokens 500 --model ${models.f32} ${bare}`,
    `--max-tokens 1000 --model ${models.f32}`,
    `--max-tokens 1500 --model ${models.f32} ${window} 256`,
    `--max-tokens 500 --model ${models.f32} --executor compiled --no-quality`,
    `--max-tokens 1000 --model ${models.f32} --executor compiled ${window} 128`,
    `--max-tokens 1000 --model ${models.bf16} --no-quality`,
    `--max-tokens 2000 --model ${models.bf16} ${window} 256`,
    `--max-tokens 6000 --model induction-bytes ${window} 256 --no-quality`,
    '--max-tokens 2000 --model induction-bytes',
  ];
  const written = ['--max-tokens', '2000', '--scenario', 'custom', '--mask', 'k <= q and (q - k < 128 or k % 64 == 0)'];
  return [...lines.map((line) => line.split(' ')), written];
}

/** A Llama with random weights and the shipped model's tokenizer, in a folder. */
function writeModel(
  folder: string,
  {
    width,
    layers,
    inner,
    heads,
    keyValueHeads,
    half,
  }: Readonly<Record<'width' | 'layers' | 'inner' | 'heads' | 'keyValueHeads', number>> & {
    readonly half: boolean;
  },
): string {
  const shipped = join(process.cwd(), 'media', 'models', 'tiny-docs-5m');
  const config = JSON.parse(readFileSync(join(shipped, 'config.json'), 'utf8')) as { readonly vocab_size: number };
  const headWidth = 64;
  const random = uniform(1);
  const tensor = (...shape: readonly number[]): StoredTensor => {
    const size = shape.reduce((product, length) => product * length, 1);
    const values = Float32Array.from({ length: size }, () => (shape.length === 1 ? 1 : (2 * random() - 1) / Math.sqrt(width)));
    const upper = (): Uint16Array => new Uint16Array(values.buffer).filter((_, index) => index % 2 === 1);
    return { dtype: half ? 'BF16' : 'F32', shape, data: new Uint8Array((half ? upper() : values).buffer) };
  };
  const tensors: Record<string, StoredTensor> = {
    'model.embed_tokens.weight': tensor(config.vocab_size, width),
    'model.norm.weight': tensor(width),
  };
  for (let layer = 0; layer < layers; layer += 1) {
    const add = (name: string, ...shape: readonly number[]): void => {
      tensors[`model.layers.${layer}.${name}.weight`] = tensor(...shape);
    };
    add('input_layernorm', width);
    add('post_attention_layernorm', width);
    add('self_attn.q_proj', heads * headWidth, width);
    add('self_attn.k_proj', keyValueHeads * headWidth, width);
    add('self_attn.v_proj', keyValueHeads * headWidth, width);
    add('self_attn.o_proj', width, heads * headWidth);
    add('mlp.gate_proj', inner, width);
    add('mlp.up_proj', inner, width);
    add('mlp.down_proj', width, inner);
  }
  mkdirSync(folder);
  const own = {
    hidden_size: width,
    num_hidden_layers: layers,
    intermediate_size: inner,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    head_dim: headWidth,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...own }));
  copyFileSync(join(shipped, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  writeFileSync(join(folder, 'model.safetensors'), safetensorsFile(tensors));
  return folder;
}

/** Planned and measured peak of runs of the built command line, each in a fresh process. */
export async function peaks({ quick, threads, log }: BenchContext): Promise<Section> {
  const folder = mkdtempSync(join(tmpdir(), 'two-heads-peaks-'));
  const rows: Record<string, Figure>[] = [];
  const off: number[] = [];
  try {
    const prompt = join(folder, 'prompt.md');
    const text = ['README.md', 'CHANGELOG.md', ...['models', 'constructions', 'editor', 'experiments'].map((name) => `docs/${name}.md`)];
    writeFileSync(
      prompt,
      text
        .map((name) => readFileSync(name, 'utf8'))
        .join('\n')
        .slice(0, 200_000),
    );
    const models = {
      f32: writeModel(join(folder, 'f32'), { width: 512, layers: 12, inner: 2048, heads: 8, keyValueHeads: 4, half: false }),
      bf16: writeModel(join(folder, 'bf16'), { width: 768, layers: 6, inner: 2048, heads: 12, keyValueHeads: 12, half: true }),
    };
    const all = settings(models);
    for (const given of quick ? all.slice(0, 2) : all) {
      log(`peaks: ${given.join(' ')}`);
      const args = [join(process.cwd(), 'dist', 'cli.js'), 'simulate', prompt, ...given, '--threads', String(threads), '--json'];
      const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 256 * mebibyte });
      const { run, prompt: read } = JSON.parse(stdout) as RunReport;
      if (run.memory === undefined) {
        throw new Error('The report has no memory.');
      }
      const { process: own, weights, run: layers, verify, quality, peak, measured } = run.memory;
      off.push(peak / measured - 1);
      rows.push({
        setting: `${formatCount(read.tokens)} tokens${given
          .slice(2)
          .join(' ')
          .replaceAll(`${folder}/`, '')
          .replace(/^(?=.)/, ', ')}`,
        ...Object.fromEntries(
          Object.entries({ own, weights, layers, verify, quality, peak, measured }).map(([name, bytes]) => [name, bytes / mebibyte]),
        ),
        off: 100 * (peak / measured - 1),
      });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const within = off.filter((share) => Math.abs(share) <= tolerance).length;
  const sizes = off.map(Math.abs);
  return {
    name: 'peaks',
    title: 'Planned against measured peak of resident memory',
    method: `The built command line's \`simulate\`, each run in a fresh process, ${threads} threads; all in MiB. The measured peak is the kernel's high-water mark, reset when the run begins. f32 is a random Llama of 49 M parameters in float32, bf16 one of 46 M in bfloat16.`,
    columns: {
      setting: 'run',
      own: 'process',
      weights: 'weights',
      layers: 'layers',
      verify: 'check',
      quality: 'quality',
      peak: 'planned',
      measured: 'measured',
      off: 'off, %',
    },
    rows,
    goals: [
      {
        goal: 'Planned peak within 15% of the measured one in every run',
        measured: `${within} of ${off.length}; median ${(100 * median(sizes)).toFixed(1)}%, worst ${(100 * Math.max(...sizes)).toFixed(1)}%`,
        reached: within === off.length,
      },
    ],
  };
}
