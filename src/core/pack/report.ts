import { formatError } from '../format';
import { defaultsOf, type OptionTable, type ValuesOf, wordsOf } from '../options/option';
import { optionTable } from '../options/table';
import type { Bound } from '../plan/bound';
import { maximumTokens } from '../plan/partition';
import { missingOf } from '../report/coverage';
import type { Environment, Fidelity, ModelDescription, reportSchemaVersion } from '../report/report';
import { failed, overflowVerdict, roundedVerdict, type Verdict } from '../report/verdict';

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
export interface PackFidelity extends Omit<Fidelity, 'logNormaliserError' | 'seed' | 'wrongRows' | 'probe'> {
  /**
   * The largest weight that any query of any head and layer gave to other prompts' keys, as one separation column of the
   * call's own output shows it: the values carry the separation vectors too, and a query reads there what it was not to
   * see. Expected is 0, which is what float32 makes of `e^(-B^2)`.
   */
  readonly leak: number;
  /**
   * By how much the weights that a query of any head and layer gave to its own prompt's keys miss 1, at most, as the other
   * separation columns show it; 0 for a prompt alone, which has none.
   */
  readonly missing: number;
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
  readonly verdict: Verdict;
  readonly run: { readonly provider: string; readonly device: string; readonly threads: number; readonly peakRssBytes: number };
  readonly environment: Environment;
}

/**
 * Largest difference of a row of the last residual stream, relative to its largest component, up to which packed and separate
 * prompts agree: chosen, not derived. Prompts of the sample differ by less than 2e-5; a position that is off by one by more than this.
 */
const agreeingDifference = 1e-2;

/**
 * The verdict on a pack: its attention against float64, and every row of its result against the same prompt alone.
 *
 * @param routed whether the model has a router, which sends two roundings of a token to different experts: their results then differ
 */
export function packVerdict(
  { fidelity, difference, prompts }: Pick<PackReport, 'fidelity' | 'difference' | 'prompts'>,
  routed: boolean,
): Verdict {
  const { leak, rounding } = fidelity;
  const overflowed = overflowVerdict(fidelity.lostRows);
  if (overflowed !== undefined) {
    return overflowed;
  }
  if (prompts.some(({ loss }) => loss !== null && !(Number.isFinite(loss.packed) && Number.isFinite(loss.separate)))) {
    return failed(null, NaN, 'A loss is not a number: something in the run overflowed.');
  }
  if (!(leak <= 0)) {
    return failed(0, leak, `Keys of other prompts have a weight of up to ${formatError(leak)} in a row, and may have none.`);
  }
  const missing = fidelity.coverage && missingOf(fidelity.coverage);
  if (missing !== undefined) {
    return failed(rounding?.bound ?? null, fidelity.maxRelError, missing);
  }
  const ofRows = roundedVerdict(rounding, { construction: 'fused', precision: 'float32' });
  const isApart = !(difference.maxRelError <= (routed ? Number.MAX_VALUE : agreeingDifference));
  if (ofRows.kind === 'failed' || !isApart) {
    return ofRows;
  }
  const [found, allowed] = [formatError(difference.maxRelError), formatError(agreeingDifference)];
  return failed(
    agreeingDifference,
    difference.maxRelError,
    `A row of the result differs from that of its prompt alone by ${found} of its largest component, beyond ${allowed}.`,
  );
}
