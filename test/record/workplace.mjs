/**
 * The files that settings name, written again for each recording in a folder that is the working directory of every command,
 * so that paths in outputs are short and the same. All of it is deterministic. `runs.json` are three reports of real runs, with
 * round numbers for what was measured; `calibrations.json` are devices that were made up.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '..', '..');

/** Names of the checkpoints of `test/golden`, and of those among them that also have a configuration in the older form. */
export const goldenModels = readdirSync(join(repository, 'test', 'golden'), { withFileTypes: true })
  .flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  .sort();
export const goldenOlder = goldenModels.filter((name) => existsSync(join(repository, 'test', 'golden', name, 'config.v4.json')));

/**
 * Where a setting's calibrations are kept, as the environment names it on each platform.
 *
 * @param {string} folder of the workplace
 * @param {'none' | 'cpu' | 'devices'} calibrated nothing, the CPU, or the CPU and a GPU
 * @returns {Record<string, string>}
 */
export function cacheEnvironment(folder, calibrated) {
  const home = join(folder, 'homes', calibrated);
  const caches = join(home, 'Library', 'Caches');
  return { HOME: home, USERPROFILE: home, XDG_CACHE_HOME: caches, LOCALAPPDATA: caches };
}

/**
 * Makes the files.
 *
 * @param {string} folder empty
 * @param {string} cli the command line that will read them: a calibration holds for its version of ONNX Runtime only
 */
export function makeWorkplace(folder, cli) {
  const write = (/** @type {string} */ path, /** @type {string | Uint8Array} */ content) => {
    const whole = join(folder, path);
    mkdirSync(join(whole, '..'), { recursive: true });
    writeFileSync(whole, content);
  };
  const json = (/** @type {string} */ path, /** @type {unknown} */ content) => write(path, `${JSON.stringify(content, null, 2)}\n`);
  const copy = (/** @type {string} */ from, /** @type {string} */ to) =>
    cpSync(join(repository, from), join(folder, to), { recursive: true });
  mkdirSync(join(folder, 'out', 'folder'), { recursive: true });
  mkdirSync(join(folder, 'empty'));
  copy('test/record/runs.json', 'runs.json');
  copy('media/samples', 'samples');

  // Prompts.
  write('page.md', page(1, 6));
  write('long.md', page(2, 20));
  write('texts/a.md', page(3, 2));
  write('texts/b.txt', page(4, 1));
  write('texts/ignored.json', '{}');
  write('short.txt', 'A page of the database.');
  write('words.txt', Array.from({ length: 40 }, (_, index) => `w${(index * index * 7 + 11) % 285}`).join(' '));
  write(
    'unicode.md',
    '\uFEFF# Überschrift\r\n\r\nДва слова, 二つの頭 🙂🙃 e\u0301 \u00a0 \t tabs\r\n\r\n## 頭\r\n\r\nlast line without an end',
  );
  write('list.txt', '\nWhat is a page?\r\n   \r\nWhat is a journal, and when is it removed?\nWhy?\n');
  write('blank.txt', '\n  \n');
  write('empty.md', '');
  write('binary.md', new Uint8Array([65, 0, 66]));
  write('latin1.md', new Uint8Array([0x61, 0xff, 0xfe]));
  write('large.md', 'x');
  truncateSync(join(folder, 'large.md'), 64 * 1024 * 1024 + 1);

  // Models: the golden ones with a tokenizer, and broken ones.
  for (const name of goldenModels) {
    copy(`test/golden/${name}`, `models/${name}`);
    json(`models/${name}/tokenizer.json`, tinyTokenizer(285, name.includes('bert')));
  }
  for (const name of goldenOlder) {
    copy(`test/golden/${name}`, `models/${name}-older`);
    json(`models/${name}-older/tokenizer.json`, tinyTokenizer(285, name.includes('bert')));
    renameSync(join(folder, `models/${name}-older/config.v4.json`), join(folder, `models/${name}-older/config.json`));
  }
  const broken = (/** @type {string} */ name, /** @type {Record<string, unknown>} */ changes) => {
    cpSync(join(folder, 'models/llama'), join(folder, `models/${name}`), { recursive: true });
    json(`models/${name}/config.json`, { ...JSON.parse(readFileSync(join(folder, 'models/llama/config.json'), 'utf8')), ...changes });
  };
  broken('no-json', {});
  write('models/no-json/config.json', '{');
  broken('unknown-type', { model_type: 'mamba' });
  broken('no-type', { model_type: undefined });
  broken('quantised', { quantization_config: { bits: 4 } });
  broken('odd-heads', { num_key_value_heads: 3 });
  broken('other-width', { hidden_size: 64, head_dim: 16 });
  broken('no-layers', { num_hidden_layers: 0 });
  broken('odd-activation', { hidden_act: 'tanhish' });
  broken('truncated', {});
  truncateSync(join(folder, 'models/truncated/model.safetensors'), 9000);
  broken('small-vocabulary', { vocab_size: 16 });
  copy('test/golden/llama', 'models/no-tokenizer');
  copy('media/models/gpt2', 'models/stand-in');
  json('models/stand-in/tokenizer-stand-in.json', { encoding: 'o200k_base', exact: false, reason: 'Made up for the recording.' });
  copy('media/models/gpt2', 'models/bad-stand-in');
  json('models/bad-stand-in/tokenizer-stand-in.json', { encoding: 'base64', exact: false, reason: 'x' });

  // Experiments.
  const experiment = {
    version: 1,
    prompts: ['../texts'],
    context: 64,
    blocks: [32],
    threads: 1,
    maximumWindows: 2,
    scenarios: ['sliding-window:16', ['causal', 'sliding-window:8']],
  };
  json('experiments/small.two-heads.json', experiment);
  json('experiments/planned.two-heads.json', {
    ...experiment,
    prompts: ['../page.md'],
    quality: false,
    blocks: [32, 64],
    scenarios: ['native', 'custom:k <= q and (q - k < 20 or k % 8 == 0)'],
  });
  json('experiments/bad-block.two-heads.json', { ...experiment, blocks: [0] });
  json('experiments/bad-key.two-heads.json', { ...experiment, windw: 3 });
  json('experiments/bad-scenario.two-heads.json', { ...experiment, scenarios: ['banded'] });
  json('experiments/bad-version.two-heads.json', { ...experiment, version: 7 });
  write('experiments/no-json.two-heads.json', '# Notes');

  // Files that are no runs.
  const runs = JSON.parse(readFileSync(join(folder, 'runs.json'), 'utf8'));
  json('no-run.json', []);
  json('version-9.json', { ...runs[0], schemaVersion: 9 });
  json('plan-only.json', { ...runs[0], run: undefined });
  json('text-for-number.json', { ...runs[0], fidelity: { ...runs[0].fidelity, rows: 'many' } });

  // Calibrations: made up, of this processor and this ONNX Runtime, without which they would not be read.
  const { version } = createRequire(cli)('onnxruntime-node/package.json');
  for (const [calibrated, providers] of /** @type {const} */ ([
    ['none', []],
    ['cpu', ['cpu']],
    ['devices', ['cpu', 'webgpu']],
  ])) {
    mkdirSync(cacheEnvironment(folder, calibrated).XDG_CACHE_HOME, { recursive: true });
    for (const calibration of JSON.parse(readFileSync(join(import.meta.dirname, 'calibrations.json'), 'utf8'))) {
      const { provider, threads, device } = calibration;
      if (providers.some((name) => name === provider)) {
        const path = join('homes', calibrated, 'Library', 'Caches', 'two-heads', `calibration-${provider}-${threads}.json`);
        json(path, { ...calibration, device: provider === 'cpu' ? cpus()[0].model.trim() : device, onnxruntime: version });
      }
    }
  }
}

/**
 * A page of Markdown with headings, lists and code, of about 110 tokens a section.
 *
 * @param {number} seed
 * @param {number} sections
 */
function page(seed, sections) {
  const words =
    'the a page index table of database key is read written when query journal each row in cache and file that to block one transaction lock B-tree value by size 4096 may not be used for'.split(
      ' ',
    );
  let state = seed;
  const word = () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return words[Math.floor((state / 2147483648) * words.length)];
  };
  const sentence = (/** @type {number} */ length) => `${Array.from({ length }, word).join(' ')}.`;
  return Array.from({ length: sections }, (_, index) =>
    [
      `${index === 0 ? '#' : '##'} Section ${index + 1}: ${word()} ${word()}`,
      [sentence(14), sentence(9), sentence(17)].join(' '),
      `- ${sentence(6)}\n- \`${word()}_${word()}(${index})\` ${sentence(5)}`,
      sentence(21),
    ].join('\n\n'),
  ).join('\n\n');
}

/**
 * A tokenizer of words `w0`, `w1`, ... with the ids from 3 on; all else is unknown (0).
 *
 * @param {number} words
 * @param {boolean} around whether a text is put between the special tokens 1 and 2
 */
function tinyTokenizer(words, around) {
  const special = ['[UNK]', '[CLS]', '[SEP]'];
  const template = [
    { SpecialToken: { id: '[CLS]', type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: '[SEP]', type_id: 0 } },
  ];
  return {
    version: '1.0',
    added_tokens: special.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: around
      ? {
          type: 'TemplateProcessing',
          single: template,
          pair: template,
          special_tokens: { '[CLS]': { id: '[CLS]', ids: [1], tokens: ['[CLS]'] }, '[SEP]': { id: '[SEP]', ids: [2], tokens: ['[SEP]'] } },
        }
      : null,
    decoder: null,
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(
        [...special, ...Array.from({ length: words }, (_, word) => `w${word}`)].map((content, id) => [content, id]),
      ),
      unk_token: '[UNK]',
    },
  };
}
