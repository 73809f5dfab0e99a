import type { Atlas } from '../atlas/atlas';
import type { TokenCurves } from '../atlas/by-token';
import type { ChoiceReport } from '../chosen/report';
import type { Construction } from '../construct/construction';
import { formatCount, formatDeviation } from '../format';
import { messageShown, t } from '../l10n';
import type { PredictionFidelity, TokenwiseFidelity, WrongHalo } from './around-attention';
import type { RoundingUse } from '../math/rounding';
import type { Activations, Baseline, Executor, Precision } from '../options/table';
import type { Bound } from '../plan/bound';
import type { CacheReport } from '../plan/cache';
import type { CallCounts } from '../plan/cost';
import type { Plan, PlanSummary } from '../plan/plan';
import type { MemoryEstimate, RunMemory } from '../predict/memory';
import type { PredictionReport } from '../predict/prediction';
import type { Range, Scenario } from '../scenario/scenario';
import type { ModelShape, OracleShape } from '../shapes';
import type { PromptFormat } from '../source/format';
import type { PartTokens } from '../source/prompt-text';
import type { Coverage } from './coverage';
import type { OutsideBox } from './outside-box';
import type { LayerTimes, Phases } from './phases';
import type { SamplingReport } from './sampling';
import type { Verdict } from './verdict';

/** The kinds of text on which an estimate of tokens is measured; `scripts` is a mixture of scripts other than Latin and Chinese. */
export const textKinds = ['english', 'code', 'chinese', 'json', 'scripts'] as const;
export type TextKind = (typeof textKinds)[number];

/** Where token counts come from. */
export interface TokenizerDescription {
  /** `tokenizer.json`, or the name of the encoding that stands in for it. */
  readonly name: string;
  /** Whether these are the model's own tokens; else their number is an estimate, and they cannot be run. */
  readonly exact: boolean;
  /** Why an encoding stands in, in a sentence; null where the model has its own file. */
  readonly reason: string | null;
  /**
   * Measured tokens that an encoding counts too many on each kind of text, as a share of the model's own: 0.1 for 110 in place
   * of 100, -0.1 for 90. Null where the tokens are the model's own, and where it was not measured.
   */
  readonly error: Readonly<Record<TextKind, number>> | null;
}

/** A plan, with a note where its number of tokens is an estimate: by what, why, and how far that is off. */
export function withTokenizerNote(plan: Plan, { name, exact, reason, error }: TokenizerDescription): Plan {
  if (exact) {
    return plan;
  }
  const estimate = t('The {0} tokens are an estimate by {1}.', formatCount(plan.tokens), name);
  return { ...plan, notes: [...plan.notes, [estimate, ...(reason === null ? [] : [messageShown(reason)]), errorText(error)].join(' ')] };
}

function errorText(error: TokenizerDescription['error']): string {
  return error === null
    ? t('How far it is off was not measured.')
    : t(
        'Measured, it is off by {0} in English, {1} in code, {2} in Chinese, {3} in JSON, {4} in other scripts.',
        ...textKinds.map((kind) => formatDeviation(error[kind])),
      );
}

/** Version of the report's JSON. Keys may be added under one version; none may change its meaning. */
export const reportSchemaVersion = 1;

/** The prompt that was read: never its text. */
export interface PromptDigest {
  readonly path: string;
  readonly bytes: number;
  /** Hex digest of the UTF-8 bytes. */
  readonly sha256: string;
  /** N, special tokens included. */
  readonly tokens: number;
  /** How it is kept; absent in reports of earlier versions, as the next two are. */
  readonly format?: PromptFormat | undefined;
  /** Its messages or cells with their tokens, in order. */
  readonly parts?: readonly PartTokens[] | undefined;
  /** How it was read, a sentence each; the plan's notes have them as well. */
  readonly notes?: readonly string[] | undefined;
}

/** The large transformer. */
export interface ModelDescription {
  readonly name: string;
  readonly shape: ModelShape;
  readonly parameters: number;
  /** Bytes of its safetensors files; absent where there are none, and in reports of earlier versions. */
  readonly storedBytes?: number;
  readonly tokenizer: TokenizerDescription;
}

/** A plan's figures as reports print them. */
interface PlanReport extends Omit<PlanSummary, 'tokens' | 'model' | 'scenario' | 'oracle' | 'construction'> {
  readonly bound: Bound;
}

/** What `plan --json` prints, and what every run report starts with. */
export interface PlanDocument {
  readonly schemaVersion: typeof reportSchemaVersion;
  readonly prompt: PromptDigest;
  readonly model: ModelDescription;
  readonly scenario: Scenario;
  readonly oracle: OracleShape;
  readonly construction: Construction;
  readonly plan: PlanReport;
  /** What is computed outside the black box; absent under `fused`, which has none, and in reports of earlier versions. */
  readonly outsideBox?: OutsideBox | undefined;
  /** Resident memory that a run is expected to take, by parts; absent in reports of earlier versions. */
  readonly memory?: MemoryEstimate | undefined;
  /** What the calibrated device is expected to take; null where it is not calibrated. */
  readonly prediction: PredictionReport | null;
  /** What the model keeps of the prompt to continue it; null where nothing is kept, absent in reports of earlier versions. */
  readonly cache?: CacheReport | null;
}

/** Calls that were made, counted where they are made. */
export interface MeasuredCalls extends CallCounts {
  /** Those of the attention calls that repeat others whose synthetic token underflowed; the plan does not foresee them. */
  readonly retries: number;
  /** Native `run()` calls that carried them. */
  readonly dispatches: number;
}

/** What a run took. */
export interface RunMeasurements {
  /** The provider that really ran. */
  readonly provider: string;
  readonly device: string;
  readonly threads: number;
  /** Whether tiles were run one dispatch after another, or a layer at a time as one graph. */
  readonly executor: Exclude<Executor, 'auto'>;
  /** Of the small transformer's products. */
  readonly precision: Precision;
  /** What packed weights were multiplied with, in the run and in its baseline; absent where in float32. */
  readonly activations?: Activations | undefined;
  /** Segments of the prompt that went through all layers, one after another; absent where the prompt went whole. */
  readonly segments?: number | undefined;
  /** From tokens in memory to the last layer's output: verification and quality are not part of it. */
  readonly wallMs: number;
  readonly phases: Phases;
  /** By layer; absent in reports of versions that did not measure them. */
  readonly layers?: readonly LayerTimes[] | undefined;
  readonly calls: MeasuredCalls;
  /** Highest resident set of the process during this run, in bytes; in reports of earlier versions, so far. */
  readonly peakRssBytes: number;
  /** The same beside what was expected, by parts; absent in reports of earlier versions. */
  readonly memory?: RunMemory | undefined;
}

/** Simulated attention against exact float64 attention under the same mask, over all layers and heads. */
export interface Fidelity {
  readonly reference: string;
  /** Query rows compared, per head and layer. */
  readonly rows: number;
  /** Largest absolute difference of an output component. */
  readonly maxAbsError: number;
  /** Largest difference of a row, relative to the largest component of the exact row. */
  readonly maxRelError: number;
  /** Largest absolute difference of a log-normaliser (natural logarithm). */
  readonly logNormaliserError: number;
  /** The row that uses most of what rounding allows it, of those compared and of the probe; absent in reports of versions without verdicts. */
  readonly rounding?: RoundingUse | undefined;
  /** Of the rows that were drawn, and of the probe; of the first shard, where there are several. Null in reports of earlier versions. */
  readonly seed: number | null;
  /**
   * Rows among those compared that are off by more than rounding explains (`roundingBound`), at most 16 of them; of the sampled keys'
   * attention, where the run samples. Null in reports of earlier versions.
   */
  readonly wrongRows: readonly WrongRow[] | null;
  /** Every row, by a probe; null where none was run, as in reports of earlier versions. */
  readonly probe: ProbeFidelity | null;
  /** Rows whose last residual stream is beyond what float32 can norm; absent in reports of versions that did not look. */
  readonly lostRows?: number | undefined;
  /** Of shards, rows on which theirs depend and that they do not read, or that see other keys in them, at most 16; absent in whole runs. */
  readonly wrongHalos?: readonly WrongHalo[] | undefined;
  /** Layers whose chosen tiles are not what a choice may be, with what is wrong, at most 16; absent where there are none. */
  readonly wrongChoices?: readonly { readonly layer: number; readonly reason: string }[] | undefined;
  /** Work token by token; absent where it was not looked at, as in reports of earlier versions. */
  readonly tokenwise?: TokenwiseFidelity | undefined;
  /** What quality is summed up from; absent where there is none, as in reports of earlier versions. */
  readonly prediction?: PredictionFidelity | undefined;
  /** What the checks were to look at, and what they did; absent in reports of versions that did not count it. */
  readonly coverage?: Coverage | undefined;
}

/** A row of a head, all counted from 0. */
export interface WrongRow {
  readonly layer: number;
  readonly head: number;
  readonly row: number;
}

/**
 * One more head for each kind of layer, whose exact state of every row is known whatever the mask, against what the same calls made
 * of it.
 */
export interface ProbeFidelity {
  /** Rows compared of each kind of layer: all of them, unless the mask has to be asked about every pair of a long prompt. */
  readonly rows: number;
  /** Largest absolute difference of an output component; the values are from -1 to 1. */
  readonly maxAbsError: number;
  /** Largest difference of a row, relative to the largest component of the exact row. */
  readonly maxRelError: number;
  /** Largest absolute difference of a log-normaliser (natural logarithm). */
  readonly logNormaliserError: number;
  /** Rows that are off by more than rounding explains (`roundingBound`): at most 16 ranges. */
  readonly wrongRows: readonly Range[];
}

/** What a mask does to the predictions at some positions. */
export interface PositionsQuality {
  /** e to the mean negative log-likelihood of the next token, under the scenario. */
  readonly perplexity: number;
  /** The same under the model's own attention. */
  readonly baselinePerplexity: number;
  /** Mean over positions of KL(baseline || scenario) in nats. */
  readonly meanKl: number;
  /** Share of positions at which both have the same most likely token. */
  readonly topAgreement: number;
  /** Next-token predictions that were scored. */
  readonly positions: number;
}

/** What the mask does to the model, over the predictions that are scored: against the model under its own attention, full causal for a Llama. */
export interface Quality extends PositionsQuality {
  /** The model's own attention. */
  readonly baseline: Scenario;
  /** How the baseline was computed: by the same tiles, or by a dense operator; absent in reports of versions that had the first only. */
  readonly baselineBy?: Baseline | undefined;
  /** Whether the scenario is the model's own attention, and its run the baseline too: a divergence of 0 then says nothing. */
  readonly ownBaseline?: boolean | undefined;
  /** The same apart, where predictions are made both within and past the length that the model was trained on; else absent. */
  readonly byTraining?: QualityByTraining | undefined;
  /** Which positions were scored, as `--score` has it; absent, like all that follows, in reports of earlier versions: all. */
  readonly score?: string | undefined;
  /** The same at the positions alone where the mask hides a key that the model's own attention shows; null where `touchedNote` says why. */
  readonly touched?: PositionsQuality | null | undefined;
  readonly touchedNote?: string | null | undefined;
  /** Loss in bits for each byte of UTF-8 text that the scored tokens cover; null, like the next three, where `sizeNote` says why. */
  readonly bitsPerByte?: number | null | undefined;
  readonly baselineBitsPerByte?: number | null | undefined;
  /** e to the loss for each word, between white space, as in lm-evaluation-harness. */
  readonly wordPerplexity?: number | null | undefined;
  readonly baselineWordPerplexity?: number | null | undefined;
  readonly sizeNote?: string | null | undefined;
}

/** Quality on the two sides of the trained length. */
export interface QualityByTraining {
  readonly trainedTokens: number;
  /** Predictions made after at most `trainedTokens` tokens. */
  readonly within: PositionsQuality;
  /** Predictions made after more. */
  readonly past: PositionsQuality;
}

/** Where a run happened. */
export interface Environment {
  readonly twoHeads: string;
  readonly node: string;
  readonly onnxruntime: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** ISO 8601. */
  readonly date: string;
}

/** Everything a run says about itself. */
export interface RunReport extends PlanDocument {
  readonly run: RunMeasurements;
  readonly fidelity: Fidelity | null;
  /** Under average-case: theorem 4.1's assumption as measured, and the error over seeds; else null. */
  readonly sampling: SamplingReport | null;
  readonly quality: Quality | null;
  /** Why `quality` is null, in a sentence; null where it is not. */
  readonly qualityNote: string | null;
  readonly verdict: Verdict;
  readonly environment: Environment;
  /** The tiles that the run chose, and how far that is from reading all; absent where it chose none, or nothing was verified. */
  readonly choice?: ChoiceReport | undefined;
  /** Where its attention went, and its losses token by token; absent where nobody asked, as in reports of earlier versions. */
  readonly atlas?: Atlas | undefined;
  readonly byToken?: TokenCurves | null | undefined;
}

/** What `compare --json` prints: one run of the same prompt per scenario. */
export interface ComparisonReport {
  readonly schemaVersion: typeof reportSchemaVersion;
  readonly prompt: PromptDigest;
  readonly model: ModelDescription;
  readonly runs: readonly RunReport[];
  /** The worst of the runs'. */
  readonly verdict: Verdict;
  /** Scenarios that this prompt cannot have under these options, each with why. */
  readonly refused: readonly { readonly scenario: Scenario; readonly reason: string }[];
}
