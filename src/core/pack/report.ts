import { defaultsOf, type OptionTable, type ValuesOf, wordsOf } from '../options/option';
import { optionTable } from '../options/table';
import type { Bound } from '../plan/bound';
import { maximumTokens } from '../plan/partition';
import type { Environment, Fidelity, ModelDescription, reportSchemaVersion } from '../report/report';

/** Every option of a pack. */
export const packTable = {
  model: optionTable.model,
  scenario: {
    flag: 'scenario',
    symbol: 'kind',
    description: 'What the one long call does by itself; it takes no mask.',
    value: {
      type: 'choice',
      noun: 'Scenario',
      choices: [
        { value: 'full', description: 'Nothing: every token sees every token of its prompt.' },
        { value: 'causal', description: 'It masks causally, which goes beyond the theorem.' },
      ],
    },
    default: 'full',
  },
  provider: optionTable.provider,
  threads: optionTable.threads,
  maxTokens: {
    flag: 'max-tokens',
    symbol: 'n',
    description: 'Refuse prompts that have more tokens together: one call without a mask holds N^2 scores a head.',
    value: { type: 'whole', minimum: 1, maximum: maximumTokens },
    default: 8192,
  },
} as const satisfies OptionTable;

/** What a user can choose about a pack. */
export type PackOptions = ValuesOf<typeof packTable>;
export type PackScenario = PackOptions['scenario'];

/** What the one long call may do by itself: nothing, or mask causally. Neither takes a mask. */
export const packScenarios = wordsOf(packTable.scenario);

/** The options that hold where a user chooses nothing. */
export const defaultPackOptions: PackOptions = defaultsOf(packTable);

/** The largest difference between two runs of the same tokens. */
export interface Difference {
  /** Largest absolute difference of a component. */
  readonly maxAbsError: number;
  /** Largest difference of a row, relative to the largest component of the row it is held against. */
  readonly maxRelError: number;
}

/** One prompt of a pack: its last residual stream, packed, held against that of the prompt alone. */
export interface PackedPrompt extends Difference {
  /** The file, with `:line` for a prompt of a list. */
  readonly path: string;
  /** N_i, special tokens included. */
  readonly tokens: number;
  /** How it was read, a sentence each. */
  readonly notes: readonly string[];
  /** Mean next-token loss in nats; null where it means nothing: without a causal flag, or without a next token. */
  readonly loss: { readonly packed: number; readonly separate: number } | null;
}

/** What one way of running the prompts took. */
export interface PackMeasurements {
  /** Attention calls, all heads in each, counted where they are made. */
  readonly calls: number;
  /** Scores that those calls computed, over all heads and layers. */
  readonly scores: number;
  /** Milliseconds from tokens in memory to the last layer's output, verification left out. */
  readonly wallMs: number;
  /** The part of it spent on attention: copying operands, and the calls. */
  readonly attendMs: number;
}

/** The measurements of the packed run. */
interface PackedMeasurements extends PackMeasurements {
  /** N, all prompts together. */
  readonly tokens: number;
  /** w: columns that the separation vectors add to a head's m. */
  readonly separationWidth: number;
}

/** Packed attention of every layer against float64 attention of each prompt alone. */
export interface PackFidelity extends Omit<Fidelity, 'logNormaliserError'> {
  /**
   * The largest weight that any query of any head and layer gave to other prompts' keys, as one separation column of the
   * call's own output shows it: the values carry the separation vectors too, and a query reads there what it was not to
   * see. Expected is 0, which is what float32 makes of `e^(-B^2)`.
   */
  readonly leak: number;
}

/** What `pack --json` prints: theorem 4.2, run. */
export interface PackReport {
  readonly schemaVersion: typeof reportSchemaVersion;
  readonly model: ModelDescription;
  readonly scenario: { readonly kind: PackScenario };
  /** What of this is not the paper's, in a sentence; null for the theorem as it stands. */
  readonly extension: string | null;
  readonly prompts: readonly PackedPrompt[];
  readonly packed: PackedMeasurements;
  readonly separate: PackMeasurements;
  readonly bound: Bound;
  readonly fidelity: PackFidelity;
  /** Packed against separate, over all prompts: the worst of `prompts`. */
  readonly difference: Difference;
  readonly run: { readonly provider: string; readonly device: string; readonly threads: number; readonly peakRssBytes: number };
  readonly environment: Environment;
}
