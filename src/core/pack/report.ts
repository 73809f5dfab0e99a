import { embeddedModel, type Provider } from '../options/options';
import type { Bound } from '../plan/bound';
import type { Environment, Fidelity, ModelDescription, reportSchemaVersion } from '../report/report';

/** What the one long call may do by itself: nothing, or mask causally. Neither takes a mask. */
export const packScenarios = ['full', 'causal'] as const;
export type PackScenario = (typeof packScenarios)[number];

/** What a user can choose about a pack. */
export interface PackOptions {
  /** Name of the embedded model or path of a folder. */
  readonly model: string;
  readonly scenario: PackScenario;
  readonly provider: Provider;
  /** Threads of ONNX Runtime; 0 leaves it to the runtime. */
  readonly threads: number;
  /** The largest packed length that is run: one call without a mask holds N^2 scores a head. */
  readonly maxTokens: number;
}

/** The options that hold where a user chooses nothing. */
export const defaultPackOptions: PackOptions = { model: embeddedModel, scenario: 'full', provider: 'auto', threads: 0, maxTokens: 8192 };

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
