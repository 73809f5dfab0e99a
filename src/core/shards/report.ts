import { worseRounding } from '../math/rounding';
import {
  type LossSums,
  type OwnQuality,
  ownQualityOf,
  qualityOf,
  type QualityScope,
  type SplitSums,
  addSplitSums,
  addSums,
} from '../report/quality';
import { joinCoverage } from '../report/coverage';
import {
  type Environment,
  type Fidelity,
  type MeasuredCalls,
  type PlanDocument,
  type ProbeFidelity,
  type Quality,
  type RunMeasurements,
} from '../report/report';
import type { TokenwiseFidelity } from '../report/around-attention';
import type { Verdict } from '../report/verdict';
import { nativeScenario } from '../shapes';
import { lengthOf, type PromptShard } from './cut';

/** What the run of a shard gives; plain data. */
export interface ShardResult extends Pick<
  RunMeasurements,
  'provider' | 'device' | 'threads' | 'executor' | 'precision' | 'activations' | 'wallMs' | 'calls' | 'peakRssBytes'
> {
  /** Of its own rows; null where it was not checked. */
  readonly fidelity: Fidelity | null;
  /** Of its own rows, those whose last residual stream overflowed; absent where they were checked, whose fidelity has it. */
  readonly lostRows?: number | undefined;
  /** Over the predictions of its own rows; null where they are not scored. */
  readonly quality: ShardQuality | null;
}

/** Sums of predictions that were compared with those of the model's own attention, or of predictions alone. */
export type ShardQuality =
  { readonly kind: 'compared'; readonly sums: SplitSums } | { readonly kind: 'own'; readonly sums: SplitSums<LossSums> };

/** A shard and what its run gave. */
export interface MeasuredShard extends PromptShard {
  readonly result: ShardResult;
}

/** What `simulate --shards --json` prints: a prompt that was run in shards. Its plan is the whole prompt's. */
export interface ShardedReport extends PlanDocument, ShardedRun {
  /** In the order of their rows. */
  readonly shards: readonly MeasuredShard[];
  /** Tokens around its own rows that a shard reads at most, over all layers, sinks not counted. */
  readonly halo: number;
  /** Estimated peak of the tensors of the largest shard, in bytes; the whole prompt's is the plan's. */
  readonly shardBytes: number;
  /** Why `quality` or its baseline is null, in a sentence; null where neither is. */
  readonly qualityNote: string | null;
  readonly verdict: Verdict;
  readonly environment: Environment;
}

/** What the shards of a prompt give together. */
export interface ShardedRun {
  readonly run: {
    /** Tokens that the shards read: those of halos and sinks count as often as they are read. */
    readonly tokens: number;
    /** Milliseconds of all shards, as if they ran one after another. */
    readonly wallMs: number;
    /** Milliseconds of the slowest, as if each ran on a machine of its own. */
    readonly longestMs: number;
    readonly calls: MeasuredCalls;
    /** Highest resident set of a process that ran one, in bytes. */
    readonly peakRssBytes: number;
  };
  /** Its rows are those of all shards, per head and layer. */
  readonly fidelity: Fidelity | null;
  readonly quality: Quality | OwnQuality | null;
}

/**
 * Puts the results of all shards together. They were run with the same options.
 *
 * @param scored which positions were, and what text they cover
 */
export function combineShards(
  shards: readonly MeasuredShard[],
  { shape }: Pick<PlanDocument['model'], 'shape'>,
  scored: Pick<QualityScope, 'score' | 'size'>,
): ShardedRun {
  const results = shards.map(({ result }) => result);
  return {
    run: {
      tokens: shards.reduce((sum, { reads }) => sum + lengthOf(reads), 0),
      wallMs: results.reduce((sum, { wallMs }) => sum + wallMs, 0),
      longestMs: Math.max(...results.map(({ wallMs }) => wallMs)),
      calls: results.map(({ calls }) => calls).reduce(addSums),
      peakRssBytes: Math.max(...results.map(({ peakRssBytes }) => peakRssBytes)),
    },
    fidelity: results.map(({ fidelity }) => fidelity).reduce(joinFidelity),
    quality: combineQuality(
      results.map(({ quality }) => quality),
      { ...scored, baseline: nativeScenario(shape), trainedTokens: shape.trainedTokens },
    ),
  };
}

/** The fidelity of runs together; null where one was not checked. */
export function joinFidelity(one: Fidelity | null, other: Fidelity | null): Fidelity | null {
  return (
    one &&
    other && {
      reference: one.reference,
      rows: one.rows + other.rows,
      maxAbsError: Math.max(one.maxAbsError, other.maxAbsError),
      maxRelError: Math.max(one.maxRelError, other.maxRelError),
      logNormaliserError: Math.max(one.logNormaliserError, other.logNormaliserError),
      ...(one.rounding && other.rounding && { rounding: worseRounding(one.rounding, other.rounding) }),
      seed: one.seed,
      wrongRows: one.wrongRows && other.wrongRows && [...one.wrongRows, ...other.wrongRows].slice(0, mostWrong),
      probe: joinProbes(one.probe, other.probe),
      ...(one.lostRows !== undefined && other.lostRows !== undefined && { lostRows: one.lostRows + other.lostRows }),
      ...joinPredictions(one.prediction, other.prediction),
      ...(one.wrongHalos && other.wrongHalos && { wrongHalos: [...one.wrongHalos, ...other.wrongHalos].slice(0, mostWrong) }),
      ...(one.tokenwise && other.tokenwise && { tokenwise: joinTokenwise(one.tokenwise, other.tokenwise) }),
      ...(one.coverage && other.coverage && { coverage: joinCoverage(one.coverage, other.coverage) }),
    }
  );
}

/** Wrong rows, or ranges of them, that a report names at most. */
const mostWrong = 16;

function joinTokenwise(one: TokenwiseFidelity, other: TokenwiseFidelity): TokenwiseFidelity {
  return {
    layers: one.layers + other.layers,
    maxRelError: Math.max(one.maxRelError, other.maxRelError),
    bound: one.bound,
    wrongRows: [...one.wrongRows, ...other.wrongRows].slice(0, mostWrong),
  };
}

function joinPredictions(one: Fidelity['prediction'], other: Fidelity['prediction']): Pick<Fidelity, 'prediction'> {
  if (one === undefined || other === undefined) {
    return one === other ? {} : { prediction: one ?? other };
  }
  return { prediction: { position: other.position, ...worseRounding(one, other) } };
}

function joinProbes(one: ProbeFidelity | null, other: ProbeFidelity | null): ProbeFidelity | null {
  return (
    one &&
    other && {
      rows: one.rows + other.rows,
      maxAbsError: Math.max(one.maxAbsError, other.maxAbsError),
      maxRelError: Math.max(one.maxRelError, other.maxRelError),
      logNormaliserError: Math.max(one.logNormaliserError, other.logNormaliserError),
      wrongRows: [...one.wrongRows, ...other.wrongRows].slice(0, mostWrong),
    }
  );
}

function combineQuality(parts: readonly (ShardQuality | null)[], scope: QualityScope): ShardedRun['quality'] {
  const scored = parts.filter((part) => part !== null);
  const compared = scored.flatMap((part) => (part.kind === 'compared' ? part.sums : []));
  if (scored.length < parts.length) {
    return null;
  }
  return compared.length === parts.length
    ? qualityOf(compared.reduce(addSplitSums), scope)
    : ownQualityOf(scored.map(({ sums }): SplitSums<LossSums> => sums).reduce(addSplitSums), scope);
}
