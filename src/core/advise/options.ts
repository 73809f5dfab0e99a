import { experimentTable } from '../evaluate/experiment';
import { defaultsOf, type OptionTable, type ValuesOf } from '../options/option';
import { automaticBlock, optionTable } from '../options/table';

/** What a user can choose about an advice. */
export const adviseTable = {
  maxKl: {
    flag: 'max-kl',
    symbol: 'x',
    description: "Mean KL divergence from the model's own attention, in nats, that the mask may cause.",
    value: { type: 'number', maximum: Number.MAX_SAFE_INTEGER },
    required: true,
  },
  by: {
    flag: 'by',
    symbol: 'what',
    description: 'What has a mask of its own.',
    value: {
      type: 'choice',
      noun: 'Part',
      choices: [
        { value: 'layer', description: 'Each layer, in all its heads.' },
        { value: 'head', description: 'Each head, in all layers.' },
      ],
    },
    default: 'layer',
  },
  blockSize: {
    ...optionTable.blockSize,
    value: {
      ...optionTable.blockSize.value,
      zero: { ...optionTable.blockSize.value.zero, meaning: 'at most a sixteenth of the tokens of a window' },
    },
    default: automaticBlock,
  },
  model: optionTable.model,
  context: experimentTable.context,
  maximumWindows: { ...experimentTable.maximumWindows, default: 1 },
  provider: optionTable.provider,
  threads: optionTable.threads,
  memoryLimit: optionTable.memoryLimit,
} as const satisfies OptionTable;

/** The options of an advice; plain data. */
export type AdviseOptions = ValuesOf<typeof adviseTable>;

/** The options that a language model may set: the memory limit is a safeguard of the user's. */
export const adviseToolNames = Object.keys(adviseTable).filter((name) => name !== 'memoryLimit') as readonly Exclude<
  keyof AdviseOptions,
  'memoryLimit'
>[];

/** Those that hold where a user only says how far predictions may be off. */
export function adviseDefaults(maxKl: number): AdviseOptions {
  return { ...defaultsOf(adviseTable), maxKl };
}

/** Runs of a window that an advice takes, about: one for its masses, some that measure what cuts do, and those that confirm masks. */
export const advisedRuns = 20;
