/**
 * The command lines that are recorded. Each is named by what a user would type.
 */
import { goldenModels, goldenOlder } from './workplace.mjs';

/**
 * @typedef {object} Setting
 * @property {readonly string[]} args
 * @property {string} [input] standard input
 * @property {'none' | 'cpu' | 'devices'} [calibrated] what the machine is calibrated for
 * @property {readonly string[]} [files] what the command writes, to be recorded: files, or folders with all that is in them
 * @property {boolean} [follows] whether it reads what the setting before it has written
 * @property {boolean} [interrupt] whether the command is interrupted at its first word of progress
 */

/** The setting as one line, by which it is known. @param {Setting} setting */
export function commandLine({ args, input, calibrated, interrupt }) {
  const quoted = args.map((arg) => (/^[\w./,:=-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ');
  return [
    ...(input === undefined ? [] : ['... |']),
    'two-heads',
    quoted,
    ...(calibrated === undefined ? [] : [`[calibrated: ${calibrated}]`]),
    ...(interrupt === true ? ['[interrupted]'] : []),
  ].join(' ');
}

/**
 * Command lines that begin alike, a line of text for each; words in single quotes are one argument.
 *
 * @param {string} beginning
 * @param {string} endings one a line; an empty line is none, and a dot is the beginning alone
 * @param {Omit<Setting, 'args'>} [more]
 * @returns {Setting[]}
 */
function lines(beginning, endings, more = {}) {
  return endings
    .split('\n')
    .map((ending) => ending.trim())
    .filter((ending) => ending !== '')
    .map((ending) => ({
      ...more,
      args:
        `${beginning} ${ending === '.' ? '' : ending}`.match(/'[^']*'|\S+/g)?.map((word) => word.trim().replace(/^'(.*)'$/s, '$1')) ?? [],
    }));
}

const scenarios = `
  --scenario native
  --scenario full
  --scenario causal
  --scenario sliding-window --window 50
  --scenario attention-sink --window 40 --sinks 3
  --scenario local-window --window 60
  --scenario average-case --seed 7
  --scenario custom
  --scenario custom --mask 'k <= q and (q - k < 24 or k % 16 == 0)'
  --scenario custom --mask 'k == q or (k // 32 == q // 32 and k < n - 5)'
  --scenario custom --mask 'abs(q - k) <= min(40, max(q, 3)) and not (k > q + 8)'
  --scenario per-layer --cycle causal,sliding-window:20,attention-sink:30:2
  --scenario per-layer --cycle 'causal,custom:k <= q and (q - k) % 3 == 0'`;

const presets = ['llama-3.1-8b', 'llama-3.1-70b', 'qwen3-8b', 'mistral-7b-v0.1', 'gpt2', 'smollm2-135m', 'modernbert-base', 'tiny-docs-5m'];
const commands = [
  'plan',
  'simulate',
  'compare',
  'generate',
  'evaluate',
  'sweep',
  'run',
  'check',
  'report',
  'schema',
  'ledger',
  'pack',
  'export',
  'calibrate',
];

const plans = [
  ...lines('plan page.md --json', `.\n${scenarios}`),
  ...lines('plan page.md --block 100', scenarios),
  ...lines(
    'plan page.md --json --construction tight',
    `
    --scenario full --block 64
    --scenario causal --oracle-layers 2 --oracle-heads 3
    --scenario sliding-window --window 50
    --scenario sliding-window --window 5000
    --scenario attention-sink --window 40 --sinks 3
    --scenario average-case --seeds 3 --epsilon 0.8 --failure-probability 0.02`,
  ),
  ...lines(
    'plan page.md --construction paper',
    `
    --scenario full --block 64
    --scenario causal --oracle-layers 2 --oracle-heads 3 --json
    --scenario sliding-window --window 50 --json
    --scenario attention-sink --window 40 --sinks 3
    --scenario average-case`,
  ),
  ...presets.flatMap((preset) => [
    ...lines('plan samples/long-prompt.md --json --model', preset),
    ...lines('plan unicode.md --block 32 --model', preset),
  ]),
  ...goldenOlder.map((name) => ({ args: ['plan', 'words.txt', '--json', '--block', '16', '--model', `models/${name}-older`] })),
  ...lines(
    'plan',
    `
    samples/long-prompt.md --max-tokens 1001 --block auto --json
    page.md --max-tokens 50 --scenario sliding-window --window 1000
    page.md --block 2 --max-tokens 9
    page.md --model models/stand-in --json
    page.md --verify none --no-quality --provider cpu --executor compiled --precision float16 --threads 1 --memory-limit 1 --json
    short.txt`,
  ),
  ...lines('plan -', '--json\n--block 5', { input: 'Some words to plan.\nAnd a second line.' }),
  ...lines(
    'plan page.md --threads 1',
    `${scenarios}
    --json
    --block auto --json
    --scenario full --json --provider cpu --executor compiled
    --construction tight
    --model llama-3.1-8b --json
    --model gpt2 --block 512 --json`,
    { calibrated: 'cpu' },
  ),
  ...lines('plan samples/long-prompt.md --threads 1', '--block auto\n--block auto --scenario attention-sink --json', { calibrated: 'cpu' }),
  ...lines(
    'plan samples/long-prompt.md --json --threads 1',
    '--provider auto\n--provider webgpu\n--provider cpu\n--provider auto --block auto --scenario sliding-window\n--threads 3',
    { calibrated: 'devices' },
  ),
];

const small = '--max-tokens 120 --block 40 --threads 1';
const simulations = [
  ...lines(`simulate page.md --json ${small}`, scenarios),
  ...lines(`simulate page.md ${small}`, scenarios),
  ...lines(`simulate page.md --json ${small} --executor compiled`, scenarios),
  ...lines(
    'simulate page.md --json --max-tokens 100 --block 40 --threads 1 --construction tight',
    `
    .
    --scenario full --oracle-layers 2 --oracle-heads 3 --no-quality
    --scenario sliding-window --window 20
    --scenario attention-sink --window 12 --sinks 2 --verify dense
    --scenario average-case --seeds 2 --epsilon 0.8 --failure-probability 0.02`,
  ),
  ...lines(
    'simulate page.md --json --max-tokens 100 --block 40 --threads 1 --construction paper',
    `
    .
    --scenario full --oracle-layers 2 --oracle-heads 3 --no-quality
    --scenario sliding-window --window 20 --verify dense
    --scenario attention-sink --window 12 --sinks 2
    --scenario average-case --seeds 0`,
  ),
  ...lines(
    'simulate page.md --max-tokens 100 --block 40 --threads 1',
    '--construction tight\n--construction paper --verify none --no-quality',
  ),
  ...goldenModels.map((name) => ({
    args: ['simulate', 'words.txt', '--json', '--threads', '1', '--block', '16', '--verify', 'dense', '--model', `models/${name}`],
  })),
  ...['llama', 'modernbert', 'qwen2', 'gpt2', 'bert', 'mistral'].map((name) => ({
    args: ['simulate', 'words.txt', '--json', '--threads', '1', '--block', '16', '--executor', 'compiled', '--model', `models/${name}`],
  })),
  ...lines(
    'simulate words.txt --threads 1 --block 16 --model',
    'models/modernbert\nmodels/bert-plain --json --construction tight\nmodels/mistral --scenario causal --json\nmodels/qwen2-older',
  ),
  ...lines(
    'simulate samples/long-prompt.md',
    `
    --max-tokens 1200 --threads 2 --json
    --max-tokens 700 --threads 2 --json --verify none --scenario sliding-window
    --max-tokens 300 --threads 1 --json --no-quality --verify dense --block 64 --memory-limit 4000 --provider cpu
    --max-tokens 200 --json`,
  ),
  ...lines('simulate page.md --max-tokens 90 --block 32 --threads 1', '--json --out out/report.json', { files: ['out/report.json'] }),
  ...lines('report out/report.json', '--out out/reported.json', { files: ['out/reported.json'], follows: true }),
  ...lines('simulate page.md --max-tokens 90 --block 32 --threads 1', '--out out/again.json --scenario average-case --seed 3 --seeds 4', {
    files: ['out/again.json'],
  }),
  ...lines('simulate - --threads 1', '--json --block 8\n--block 8 --verify none --no-quality', {
    input: 'Zwei Köpfe are better than one, when each reads a page.',
  }),
  ...lines('simulate short.txt --threads 1', '--json\n--json --max-tokens 1'),
  ...lines('simulate page.md --max-tokens 150 --threads 1', '.\n--block auto\n--block auto --json\n--executor compiled --json', {
    calibrated: 'cpu',
  }),
  ...lines('simulate samples/long-prompt.md --threads 1 --block 64 --no-quality', '.', { interrupt: true }),
];

const comparisons = [
  ...lines(
    'compare page.md --max-tokens 100 --block 40 --threads 1',
    `
    --json
    --window 30 --sinks 2 --seed 5
    --scenarios causal,sliding-window --window 16 --json --no-quality --verify dense
    --scenarios full --verify none
    --construction tight --window 20 --sinks 3 --no-quality --max-tokens 60
    --construction tight --no-quality --verify none --json --max-tokens 60
    --scenarios causal,full --block auto --json
    --executor compiled --scenarios local-window,attention-sink --json`,
  ),
  ...lines('compare words.txt --block 16 --threads 1 --json --model', 'models/bert\nmodels/qwen2'),
  ...lines('compare page.md --max-tokens 100 --block auto --threads 1', '--scenarios causal,full --json', { calibrated: 'cpu' }),
];

const continuations = [
  ...lines(
    'generate page.md --max-tokens 120 --block 32 --tokens 6 --threads 1',
    `
    .
    --json
    --json --scenario sliding-window --window 8
    --scenario attention-sink --window 8 --sinks 2
    --json --scenario custom --mask 'k <= q and (q - k < 9 or k % 4 == 0)'
    --scenario per-layer --cycle causal,sliding-window:12 --json
    --scenario sliding-window --no-baseline --temperature 1.5 --top-k 100 --top-p 0.9 --sample-seed 4
    --temperature 0.7 --sample-seed 9 --json`,
  ),
  ...['gpt2', 'qwen3', 'llama-rope-yarn', 'mistral', 'qwen2'].map((name) => ({
    args: ['generate', 'words.txt', '--json', '--tokens', '5', '--block', '16', '--threads', '1', '--model', `models/${name}`],
  })),
  ...lines('generate - --tokens 3 --threads 1', '.', { input: 'The journal is' }),
];

const experimentFlags = '--context 64 --block 32 --threads 1';
const experiments = [
  ...lines(
    `evaluate texts ${experimentFlags}`,
    `
    .
    --json
    --scenario sliding-window --window 8,32 --stride 40 --max-windows 2
    --scenario native,full,local-window:16,average-case --seed 1,2 --max-windows 1 --json
    --scenario causal --cycle 'causal,custom:k <= q and q - k < 10' --max-windows 1 --json
    --scenario sliding-window:16 --retrieval single --retrieval-lengths 50 --retrieval-depths 0,1 --max-windows 1 --json
    --scenario sliding-window:16 --retrieval single --retrieval-lengths 50 --retrieval-depths 0.5 --max-windows 1
    --scenario sliding-window:16 --construction tight --max-windows 1 --json
    --scenario attention-sink:12:2 --executor compiled --max-windows 1 --json`,
  ),
  ...lines(
    'evaluate words.txt --context 32 --block 16 --threads 1 --scenario native,sliding-window:8,local-window:8 --model',
    'models/bert --json\nmodels/modernbert\nmodels/mistral --json',
  ),
  ...lines(`evaluate texts/a.md ${experimentFlags} --scenario sliding-window:12`, '--results out/results.jsonl --json', {
    files: ['out/results.jsonl'],
  }),
  ...lines(`evaluate texts/a.md ${experimentFlags} --scenario sliding-window:12`, '--results out/results.jsonl', {
    files: ['out/results.jsonl'],
    follows: true,
  }),
  ...lines('evaluate samples/long-prompt.md --threads 1 --scenario sliding-window:12', '--results out/interrupted.jsonl', {
    interrupt: true,
  }),
  ...lines(
    'sweep texts --context 96 --threads 1',
    `
    --block 32,64 --scenario sliding-window,attention-sink --window 8,24 --sinks 2 --max-windows 2
    --block 32,64 --scenario native,average-case --max-windows 1 --json
    --no-quality --block 16,32 --scenario attention-sink --window 2,16 --sinks 4
    --no-quality --block 16,32 --scenario full,causal --construction paper --json`,
  ),
  ...lines(
    'sweep texts/a.md page.md --context 96 --threads 1 --no-quality --model',
    'llama-3.1-8b --block 32 --json\nmodernbert-base --block 32,64 --scenario native,local-window',
  ),
  ...lines(
    'sweep texts/b.txt --context 64 --block 16,32 --threads 1 --scenario sliding-window:8,sliding-window:16',
    '--picture out/front.svg --cost calls --save out/saved.two-heads.json',
    { files: ['out/front.svg', 'out/saved.two-heads.json'] },
  ),
  ...lines('run', 'out/saved.two-heads.json', { follows: true }),
  ...lines(
    'sweep texts/b.txt --context 64 --block 16,32 --threads 1 --scenario sliding-window:8 --picture out/ms.svg',
    '--cost milliseconds',
    { calibrated: 'cpu', files: ['out/ms.svg'] },
  ),
  ...lines(
    'run',
    'experiments/small.two-heads.json\nexperiments/small.two-heads.json --json\nexperiments/planned.two-heads.json --json\nexperiments/planned.two-heads.json',
  ),
  ...lines('run experiments/small.two-heads.json', '--picture out/run.svg --cost work --results out/run.jsonl', {
    files: ['out/run.svg', 'out/run.jsonl'],
  }),
  ...lines(
    'check experiments/small.two-heads.json',
    `
    --max-calls 1000
    --max-calls 1000 --json
    --max-calls 150 --max-kl 0.000001
    --max-kl 5 --json
    --max-predicted-ms 60`,
  ),
  ...lines(
    'check experiments/small.two-heads.json',
    '--max-predicted-ms 60000 --json\n--max-predicted-ms 0.5\n--max-calls 20 --max-predicted-ms 60000 --max-kl 0.00001',
    { calibrated: 'cpu' },
  ),
  ...lines('schema', '.'),
];

const smallLedger = 'ledger --tokens 80 --block 33 --window 9 --sinks 3 --heads 2 --seeds 1 --threads 1';
const ledgers = [
  ...lines(smallLedger, '.\n--json\n--json --layers 1 --oracle-layers 1 --oracle-heads 2 --scale 3 --seed 5'),
  ...lines('ledger', '--pictures out/pictures', { files: ['out/pictures'] }),
  ...lines('ledger', '--pictures out/more-pictures --json'),
];

const packs = [
  ...lines(
    'pack --threads 1',
    `
    texts short.txt --json
    texts short.txt --list list.txt
    --list list.txt --scenario causal
    --list list.txt --scenario causal --json
    words.txt words.txt --model models/llama --json`,
  ),
  ...lines('pack --threads 1 --list -', '--json', { input: 'What is a page?\nWhat is a journal?\n' }),
];

const reports = [
  ...['html', 'markdown', 'csv', 'json'].map((format) => ({ args: ['report', 'runs.json', '--format', format] })),
  ...lines('report', 'runs.json\nruns.json runs.json --format csv'),
  ...['html', 'md', 'csv', 'json'].map((ending) => ({
    args: ['report', 'runs.json', '--out', `out/runs.${ending}`],
    files: [`out/runs.${ending}`],
  })),
];

const exported = (/** @type {string} */ name, /** @type {string} */ flags) =>
  lines(`export out/${name}.onnx`, flags, { files: [`out/${name}.onnx`] });
const exports = [
  ...exported('attention', '--tokens 300 --block 64 --json'),
  ...exported('full', '--tokens 130 --block 64 --scenario full'),
  ...exported('sink', '--tokens 300 --block 64 --scenario attention-sink --window 100 --sinks 2 --json'),
  ...exported('window', '--tokens 257 --block 100 --scenario sliding-window --window 30 --oracle-heads 2 --oracle-layers 2'),
  ...exported('average', '--tokens 200 --block 64 --scenario average-case --seed 4 --json'),
  ...exported('custom', "--tokens 90 --block 32 --scenario custom --mask 'k <= q and (q - k < 9 or k % 4 == 0)' --json"),
  ...exported('model', '--tokens 60 --block 16 --part model --model models/llama --json'),
  ...exported('layers', '--tokens 40 --block 16 --part model --model models/modernbert'),
  ...exported(
    'cycle',
    '--tokens 40 --block 16 --part model --model models/gpt2 --scenario per-layer --cycle causal,sliding-window:8 --json',
  ),
  ...exported('tiny', '--tokens 50 --block 32 --part model'),
  ...exported('planned', '--tokens 100 --block 64 --model llama-3.1-8b'),
];

const helps = [...commands.map((command) => ({ args: [command, '--help'] })), ...lines('', '--help\n--version\nhelp plan')];

/** Every one ends with a message on stderr and exit code 1 or 2. */
const refusals = [
  { args: [] },
  ...lines('', 'paln page.md\nplan\nplan page.md extra.md\nplan --windw 8 page.md\nsimulate page.md --block\n--nothing'),
  ...lines('plan', 'nowhere.md\ntexts\nempty.md\nbinary.md\nlatin1.md\nlarge.md'),
  ...lines(
    'plan page.md',
    `
    --max-tokens 0
    --max-tokens 1.5
    --block 1
    --block many
    --block 99999999999
    --scenario dilated
    --scenario attention-sink --window 8 --sinks 9
    --scenario sliding-window --window 0
    --scenario sliding-window --window -3
    --scenario sliding-window --window 200000000
    --scenario average-case --seed 5000000000
    --scenario custom --mask 'k <= '
    --scenario custom --mask 'k < q'
    --scenario custom --mask 'k <= q and z'
    --scenario custom --mask 'min(k) <= q'
    --scenario custom --mask 'k % 0 == 0'
    --scenario custom --mask 'k <= q; process.exit()'
    --mask 'k <= q'
    --cycle causal,full
    --scenario per-layer
    --scenario per-layer --cycle causal,average-case
    --scenario per-layer --cycle causal:5,full
    --scenario per-layer --cycle native,full
    --scenario per-layer --cycle sliding-window:x
    --scenario per-layer --cycle causal,full --construction tight
    --scenario custom --construction tight
    --scenario local-window --construction paper
    --scenario sliding-window --construction tight
    --window 8
    --sinks 2
    --seed 2
    --seeds 3
    --epsilon 0.2
    --scenario average-case --epsilon 2
    --scenario average-case --failure-probability 0
    --scenario average-case --seeds -1
    --construction loose
    --oracle-layers 0
    --oracle-heads x
    --provider tpu
    --executor fast
    --precision float8
    --threads -1
    --threads 1025
    --memory-limit 0
    --verify some
    --model nowhere
    --model page.md
    --model llama-3.1-9b
    --construction tight --oracle-layers 256 --oracle-heads 512`,
  ),
  ...[
    'no-json',
    'unknown-type',
    'no-type',
    'quantised',
    'odd-heads',
    'no-layers',
    'odd-activation',
    'small-vocabulary',
    'no-tokenizer',
    'bad-stand-in',
    '../empty',
  ].map((name) => ({ args: ['plan', 'words.txt', '--model', `models/${name}`] })),
  ...['other-width', 'truncated', 'stand-in'].map((name) => ({
    args: ['simulate', 'words.txt', '--threads', '1', '--model', `models/${name}`],
  })),
  ...lines(
    'simulate page.md --max-tokens 100 --block 40 --threads 1',
    `
    --provider coreml
    --provider cuda
    --precision float16
    --precision float16 --executor tiles
    --executor compiled --construction tight
    --construction tight --oracle-layers 256 --oracle-heads 512 --memory-limit 4000
    --model llama-3.1-8b
    --out nowhere/report.json
    --out out/folder`,
  ),
  ...lines('simulate', 'samples/long-prompt.md --block 4096 --memory-limit 300\npage.md --model models/gpt2 --block 16'),
  ...lines('simulate -', '.', { input: '' }),
  ...lines(
    'compare page.md',
    '--scenarios full,full\n--scenarios banded\n--scenario full\n--construction tight --scenarios causal,sliding-window\n--model gpt2 --max-tokens 50',
  ),
  ...lines(
    'generate page.md --max-tokens 100 --block 32',
    `
    --tokens 0
    --top-k 5
    --top-p 0.5
    --sample-seed 5
    --temperature 0
    --temperature 1 --top-p 1.5
    --scenario average-case
    --scenario custom --mask 'k <= q and k < n - 1 or k == q'
    --construction tight
    --model llama-3.1-8b`,
  ),
  ...lines('generate words.txt --block 16', '--model models/bert\n--model models/gpt2 --tokens 100'),
  ...lines(
    'evaluate texts',
    `
    --scenario banded
    --scenario causal --window 8
    --scenario sliding-window:1:2
    --scenario attention-sink:4:9
    --scenario attention-sink --window 2 --sinks 4
    --window x
    --block 32,1
    --block auto
    --context 1
    --context 64 --stride 65
    --max-windows 0
    --retrieval-depths 0.5
    --retrieval-lengths 64
    --retrieval single --retrieval-depths 2
    --retrieval single --retrieval-lengths 9999999
    --retrieval single --retrieval-lengths 3
    --cycle causal,native
    --cost calls
    --picture out/x.svg --cost money
    --picture nowhere/x.svg
    --results nowhere/x.jsonl
    --save nowhere/x.two-heads.json
    --model nothing
    --model gpt2
    --construction tight --cycle causal,sliding-window:8
    --provider tpu
    --executor fast`,
  ),
  ...lines(
    'evaluate',
    'empty\nnowhere\ntexts empty.md\nwords.txt --model models/bert-plain\nwords.txt --model models/bert --retrieval single --context 32 --block 16',
  ),
  ...lines('sweep texts/b.txt --context 64', '--scenario full --picture out/none.svg --threads 1\n--block 0'),
  ...lines(
    'run',
    'missing.json\nexperiments/bad-block.two-heads.json\nexperiments/bad-key.two-heads.json\nexperiments/bad-scenario.two-heads.json\nexperiments/bad-version.two-heads.json\nexperiments/no-json.two-heads.json\nruns.json',
  ),
  ...lines('check experiments/small.two-heads.json', '.\n--max-kl -1\n--max-calls many\n--max-predicted-ms 0'),
  ...lines(
    'report',
    '.\nnowhere.json\ntexts\npage.md\nno-run.json\nversion-9.json\nplan-only.json\ntext-for-number.json\nlarge.md\nruns.json --format pdf\nruns.json --out nowhere/run.csv\nruns.json --out out/folder',
  ),
  ...lines('report -', '.', { input: 'null' }),
  ...lines('schema', '--json\nextra'),
  ...lines(
    'ledger',
    `
    --block 1
    --tokens 0
    --window 129
    --window 200 --block 129
    --sinks 60
    --scale 0
    --scale abc
    --scale 1001
    --seeds 0
    --heads x
    --layers 0
    --oracle-heads 0
    --seed -1
    --threads x
    --scenario full
    --pictures page.md`,
  ),
  ...lines(
    'pack',
    `
    .
    nowhere.md
    texts empty.md
    binary.md
    empty
    --list nowhere.txt
    --list blank.txt
    - --list -
    texts --scenario sliding-window
    samples/long-prompt.md --max-tokens 1000
    texts --max-tokens many
    texts --provider tpu
    texts --model nowhere
    texts --model gpt2
    words.txt --model models/bert`,
  ),
  ...lines(
    'export out/refused.onnx',
    `
    .
    --tokens 0
    --tokens 10 --block 1
    --tokens 10 --block auto
    --tokens 10 --part half
    --tokens 10 --window 5
    --tokens 10 --construction tight
    --tokens 40000 --block 4
    --tokens 40 --block 16 --model models/modernbert
    --tokens 10 --part model --model llama-3.1-8b`,
    { files: ['out/refused.onnx'] },
  ),
  ...lines('export', 'out/x.txt --tokens 10\nnowhere/x.onnx --tokens 10'),
  ...lines('calibrate', '--provider tpu\n--threads x\n--threads 1025\n--provider coreml\n--model gpt2\nextra'),
];

/** @type {readonly Setting[]} */
export const settings = [
  ...plans,
  ...simulations,
  ...comparisons,
  ...continuations,
  ...experiments,
  ...ledgers,
  ...packs,
  ...reports,
  ...exports,
  ...helps,
  ...refusals,
];
