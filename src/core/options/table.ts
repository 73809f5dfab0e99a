import type { constructions } from '../construct/construction';
import { scorePattern } from '../evaluate/score';
import { text } from '../l10n';
import { maximumTokens } from '../plan/partition';
import type { ScenarioChoice } from '../scenario/scenario';
import { documentOptions } from './documents';
import { samplingOptions } from './sampling';
import { type Choice, defaultsOf, type SimulationOption, type ValuesOf } from './option';

const modelDescription = text(
  "The large transformer: `tiny-docs-5m` or `induction-bytes`, which ship with Two Heads and can be run; for planning only `llama-3.1-8b`, `llama-3.1-70b`, `qwen3-8b`, `mistral-7b-v0.1`, `gpt2`, `smollm2-135m` or `modernbert-base`; the path of a folder with `config.json`, safetensors files and `tokenizer.json`, of a LoRA adapter, or of a `.gguf` file; or the name of one that is on the machine already, `org/name` of Hugging Face's cache or LM Studio, or `ollama:name:tag`. `two-heads models` and *Choose a Model...* list what is there and what runs.",
);

/** Every option of a simulation besides its scenario, by its name: the field of `SimulationOptions`, and the setting `twoHeads.<name>`. */
export const optionTable = {
  blockSize: {
    flag: 'block',
    symbol: 'M',
    title: text('Block size M'),
    description: text('Tokens that one call of the small transformer reads.'),
    value: {
      type: 'whole',
      minimum: 2,
      maximum: maximumTokens,
      zero: { word: 'auto', meaning: text('the fastest on a calibrated device') },
    },
    default: 256,
    group: 'scenario',
  },
  ...documentOptions,
  construction: {
    flag: 'construction',
    symbol: 'name',
    title: text('Construction'),
    description: text('How the large transformer is made of calls of the small one.'),
    value: {
      type: 'choice',
      noun: 'Construction',
      choices: [
        {
          value: 'fused',
          description: text('One call per tile: the mask goes in with the call and the log-normaliser comes out. The fast way.'),
        },
        {
          value: 'tight',
          description: text(
            'A black box that takes no mask and shows its final output only: one call per pattern, in which a synthetic token gives the normaliser away, and separation columns hide what the mask hides.',
          ),
        },
        {
          value: 'paper',
          description: text(
            "The same black box with the calls of the paper's proofs: two per pattern, windows as differences of two sums, which can lose precision. It has the masks of the paper: a window must be shorter than the block size, or cover the whole prompt.",
          ),
        },
      ] satisfies readonly Choice<(typeof constructions)[number]>[],
    },
    default: 'fused',
    group: 'smallTransformer',
  },
  oracleLayers: {
    flag: 'oracle-layers',
    symbol: 'n',
    title: text("Layers L'"),
    description: text(
      "Layers of the small transformer. One call carries L' times H' single-head instances of attention, so more layers are fewer calls.",
    ),
    value: { type: 'whole', minimum: 1, maximum: 1024 },
    default: 1,
    group: 'smallTransformer',
  },
  oracleHeads: {
    flag: 'oracle-heads',
    symbol: 'n',
    title: text("Heads H'"),
    description: text('Heads of the small transformer.'),
    value: { type: 'whole', minimum: 1, maximum: 4096, zero: { word: 'model', meaning: text('as many as the model has') } },
    default: 0,
    group: 'smallTransformer',
  },
  model: {
    flag: 'model',
    symbol: 'folder or name',
    title: text('Model'),
    description: modelDescription,
    value: { type: 'text' },
    default: 'tiny-docs-5m',
    group: 'engine',
    machine: true,
  },
  provider: {
    flag: 'provider',
    symbol: 'name',
    title: text('Provider'),
    description: text('Execution provider of ONNX Runtime. A provider that is named is used or refused, never replaced.'),
    value: {
      type: 'choice',
      noun: 'Provider',
      choices: [
        { value: 'auto', description: text('The calibrated device that is predicted to be fastest; the CPU where none is calibrated.') },
        { value: 'cpu', description: text('The CPU: on every machine.') },
        { value: 'webgpu', description: text('A GPU through WebGPU: on Linux x64, Windows and Apple silicon.') },
        {
          value: 'cuda',
          description: text("An NVIDIA GPU: on Linux x64, with CUDA 12, cuDNN 9 and ONNX Runtime's CUDA libraries installed."),
        },
        { value: 'dml', description: text('A GPU through DirectML: on Windows.') },
        { value: 'coreml', description: text('Core ML: on Apple silicon.') },
      ],
    },
    default: 'auto',
    group: 'engine',
    machine: true,
  },
  executor: {
    flag: 'executor',
    symbol: 'name',
    title: text('Executor'),
    description: text('How the calls of construction `fused` are run.'),
    value: {
      type: 'choice',
      noun: 'Executor',
      choices: [
        { value: 'auto', description: text('Tile by tile on the CPU, compiled layers elsewhere.') },
        { value: 'tiles', description: text('Tile by tile in many short runs, which fit the caches of a processor.') },
        { value: 'compiled', description: text('A layer at a time as one graph, so that nothing leaves the device in between.') },
      ],
    },
    default: 'auto',
    group: 'engine',
  },
  precision: {
    flag: 'precision',
    symbol: 'name',
    title: text('Precision'),
    description: text("Of the small transformer's products."),
    value: {
      type: 'choice',
      noun: 'Precision',
      choices: [
        { value: 'float32', description: text('On every device.') },
        { value: 'float16', description: text('For compiled layers, on devices that have it; merges stay in float32.') },
      ],
    },
    default: 'float32',
    group: 'engine',
  },
  activations: {
    flag: 'activations',
    symbol: 'type',
    title: text('Activations'),
    description: text('What is multiplied with weights that stay packed, token by token, on the CPU.'),
    value: {
      type: 'choice',
      noun: 'Activations',
      choices: [
        { value: 'float32', description: text('As they are.') },
        {
          value: 'int8',
          description: text('Rounded to 8 bits in blocks, which is faster, and may change the most likely token; the error is reported.'),
        },
      ],
    },
    default: 'float32',
    group: 'engine',
  },
  threads: {
    flag: 'threads',
    symbol: 'n',
    title: text('Threads'),
    description: text('Threads of ONNX Runtime; `0` takes every core.'),
    value: { type: 'whole', minimum: 0, maximum: 1024 },
    default: 0,
    group: 'engine',
    machine: true,
  },
  verify: {
    flag: 'verify',
    symbol: 'how',
    title: text('Verification'),
    description: text('How much of a run is compared with exact float64 attention under the same mask: the fidelity that is reported.'),
    value: {
      type: 'choice',
      noun: 'Verification',
      choices: [
        {
          value: 'rows',
          description: text('Every row by a probe, and a row at random of every query block, head and layer against float64.'),
        },
        { value: 'dense', description: text('Every query row: exact and slow.') },
        { value: 'none', description: text('No check.') },
      ],
    },
    default: 'rows',
    group: 'engine',
  },
  quality: {
    flag: 'quality',
    title: text('Quality'),
    description: text(
      "Also run the model's own attention, and report perplexity and KL divergence against it. It takes about as long again.",
    ),
    value: { type: 'switch', off: "Leave out the run of the model's own attention, perplexity and KL divergence." },
    default: true,
    group: 'engine',
  },
  baseline: {
    flag: 'baseline',
    symbol: 'how',
    title: text('Baseline'),
    description: text("How the model's own attention is computed, which quality is measured against."),
    value: {
      type: 'choice',
      noun: 'Baseline',
      choices: [
        {
          value: 'own',
          description: text("By the same tiles as the run; where the scenario is the model's own attention, it is that run."),
        },
        {
          value: 'dense',
          description: text('By a dense operator of ONNX Runtime, in a pass of its own that shares no tile with the run.'),
        },
      ],
    },
    default: 'own',
    group: 'engine',
    of: 'quality',
  },
  score: {
    flag: 'score',
    symbol: 'which',
    title: text('Scored positions'),
    description: text(
      "Positions of the prompt, or of each window, at which quality is measured: `all` of them; `last-half`, llama.cpp's layout, which leaves out those with little context; or `from=n`, those after the first n tokens. Figures of different layouts do not compare.",
    ),
    value: { type: 'text', pattern: scorePattern, form: text('all, last-half, or from= with a position such as from=512') },
    default: 'all',
    group: 'engine',
    of: 'quality',
  },
  maxTokens: {
    flag: 'max-tokens',
    symbol: 'n',
    title: text('Maximum tokens'),
    description: text('Read only the first so many tokens of a prompt.'),
    value: { type: 'whole', minimum: 1, maximum: maximumTokens, zero: { word: 'all', meaning: text('all of them') } },
    default: 0,
    group: 'engine',
  },
  memoryLimit: {
    flag: 'memory-limit',
    symbol: 'MiB',
    title: text('Memory limit'),
    description: text('Refuse runs whose estimated peak is above this many MiB.'),
    value: {
      type: 'whole',
      minimum: 1,
      maximum: 1024 ** 3,
      zero: { word: 'auto', meaning: text('80% of the memory that is free when a run starts') },
      scale: 1024 ** 2,
    },
    default: 0,
    group: 'engine',
    machine: true,
    guard: true,
  },
  ...samplingOptions,
} as const satisfies Readonly<Record<string, SimulationOption>>;

type Table = typeof optionTable;
export type OptionName = keyof Table;

/** What a user can choose about a simulation, as the table describes it; plain data that crosses processes. Memory is in bytes. */
export type SimulationOptions = { readonly scenario: ScenarioChoice } & ValuesOf<Table>;

/** Execution providers of ONNX Runtime that a user may name. */
export type Provider = SimulationOptions['provider'];
/** How much of a run is checked against float64. */
export type Verification = SimulationOptions['verify'];
/** How the attention is computed that quality is measured against. */
export type Baseline = SimulationOptions['baseline'];
/** Ways of running a plan. */
export type Executor = SimulationOptions['executor'];
/** Of the small transformer's products. */
export type Precision = SimulationOptions['precision'];
/** What is multiplied with packed weights. */
export type Activations = SimulationOptions['activations'];

/** Every option besides the scenario, in order. */
export const optionNames = Object.keys(optionTable) as readonly OptionName[];

/** The options that a language model may set. */
export const toolOptionNames: readonly OptionName[] = optionNames.filter((name) => optionOf(name).guard !== true);

/** An option of the table, without the types of its values. */
export function optionOf(name: OptionName): SimulationOption {
  return optionTable[name];
}

/** The options that hold where a user chooses nothing. */
export const defaultOptions: SimulationOptions = { scenario: { kind: 'native' }, ...defaultsOf(optionTable) };

/** A block size that is left to calibration: the one that is predicted to be fastest, or the default where nothing is known. */
export const automaticBlock = 0;

/** The name of the model that ships with Two Heads. */
export const embeddedModel = optionTable.model.default;

/** Which device is to be measured. */
export type CalibrationOptions = Pick<SimulationOptions, 'provider' | 'threads'>;
