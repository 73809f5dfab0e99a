import { isBlackBox, type Construction } from '../construct/construction';
import { formatCount, formatError, formatLogCount } from '../format';
import { t } from '../l10n';
import { isBeyondRounding, type RoundingUse } from '../math/rounding';
import type { Precision } from '../options/table';
import { isSampled, type Scenario } from '../scenario/scenario';
import { type Coverage, missingOf } from './coverage';
import type { PredictionFidelity, TokenwiseFidelity, WrongHalo } from './around-attention';
import { guaranteedByTheorem, type SamplingReport } from './sampling';

/**
 * How a result came out.
 *
 * `exact`: its error is within rounding. `within`: within the error that the method is stated to have. `failed`: beyond that,
 * or not finite. `vacuous`: nothing was promised, since nothing was verified or the stated error is 1 or more, as large as the
 * result itself.
 */
export type VerdictKind = 'exact' | 'within' | 'failed' | 'vacuous';

/** A result's verdict with what it rests on. */
export interface Verdict {
  readonly kind: VerdictKind;
  /** What the error may be; null where nothing states it. */
  readonly bound: number | null;
  /** The error that was measured, in the unit of `bound`; null where none was. */
  readonly measured: number | null;
  /** Which bound it is, and what follows, in a sentence that counts rows, heads and layers from 1. */
  readonly reason: string;
}

/**
 * The kind of a verdict, of which there is one notion for runs, evaluations, continuations and the ledger.
 *
 * @param kept what the result is where the error keeps the bound
 * @param largestBound where what is judged has several bounds: one that promises nothing makes the whole vacuous
 */
export function judge<Kept extends VerdictKind>(
  measured: number,
  bound: number,
  kept: Kept,
  largestBound = bound,
): Kept | 'failed' | 'vacuous' {
  if (!Number.isFinite(measured) || !(measured <= bound)) {
    return 'failed';
  }
  return largestBound < 1 ? kept : 'vacuous';
}

/** What a verdict is made of: the numbers of a report. */
export interface Evidence {
  readonly fidelity: {
    readonly maxAbsError: number;
    readonly maxRelError: number;
    readonly logNormaliserError: number;
    /** Absent in reports of versions without verdicts. */
    readonly rounding?: RoundingUse | undefined;
    readonly wrongRows?: readonly { readonly layer: number; readonly head: number; readonly row: number }[] | null;
    readonly coverage?: Coverage | undefined;
    readonly lostRows?: number | undefined;
    readonly wrongHalos?: readonly WrongHalo[] | undefined;
    readonly tokenwise?: TokenwiseFidelity | undefined;
    readonly prediction?: PredictionFidelity | undefined;
    readonly probe?: { readonly maxRelError: number; readonly wrongRows: readonly { readonly from: number; readonly to: number }[] } | null;
  } | null;
  /** Rows whose last residual stream overflowed, of a run that was not checked, or of more than was; absent in reports of earlier versions. */
  readonly lostRows?: number | undefined;
  readonly sampling: SamplingReport | null;
  /** T: where all keys are in one block, a sample is all of them. Absent in reports of versions without verdicts. */
  readonly blocks?: number | undefined;
  readonly quality: { readonly perplexity: number; readonly meanKl?: number | undefined; readonly baselineBy?: string | undefined } | null;
  readonly scenario: Scenario;
  readonly construction: Construction;
  /** Whether the scenario is the model's own attention. */
  readonly native: boolean;
  readonly precision: Precision;
}

/**
 * Mean KL, in nats, up to which two computations of the same attention agree in float32: chosen, not derived. On 600 tokens of the
 * sample, tiles of `tiny-docs-5m` differ from dense attention by 8.2e-13 (fused) and 7.1e-13 (tight).
 */
export const agreeingKl = 1e-5;

/** The verdict on a run. */
export function runVerdict(evidence: Evidence): Verdict {
  const { fidelity, quality } = evidence;
  if (quality !== null && [quality.perplexity, quality.meanKl ?? 0].some(Number.isNaN)) {
    return failed(null, NaN, 'The predictions are not numbers: something in the run overflowed.');
  }
  const compared = comparedVerdict(evidence);
  if (compared?.kind === 'failed') {
    return compared;
  }
  const overflowed = overflowVerdict(evidence.lostRows ?? fidelity?.lostRows);
  if (fidelity === null) {
    return (
      overflowed ?? compared ?? { kind: 'vacuous', bound: null, measured: null, reason: 'Nothing was verified, so nothing is promised.' }
    );
  }
  const errors = [fidelity.maxAbsError, fidelity.maxRelError, fidelity.logNormaliserError];
  const lost = errors.find((error) => !Number.isFinite(error));
  if (lost !== undefined) {
    return failed(
      fidelity.rounding?.bound ?? null,
      lost,
      'An error is not finite: something in the run overflowed, or a row lost all its keys.',
    );
  }
  if (fidelity.probe && fidelity.probe.wrongRows.length > 0) {
    const rows = fidelity.probe.wrongRows.map(rowsText).join(', ');
    return failed(fidelity.rounding?.bound ?? null, fidelity.probe.maxRelError, `The probe finds these rows wrong: ${rows}.`);
  }
  if (fidelity.wrongRows && fidelity.wrongRows.length > 0) {
    const [wrong] = fidelity.wrongRows;
    const more = fidelity.wrongRows.length - 1;
    const others = more === 0 ? '' : more === 1 ? ', and another row' : `, and ${formatCount(more)} other rows at least`;
    return failed(
      fidelity.rounding?.bound ?? null,
      fidelity.rounding?.error ?? fidelity.maxRelError,
      `Row ${rowText(wrong)} is off by more than rounding explains${others}.`,
    );
  }
  const halo = fidelity.wrongHalos?.at(0);
  if (halo !== undefined) {
    return failed(
      null,
      Infinity,
      `A shard lacks row ${formatCount(halo.row + 1)} of layer ${halo.layer + 1}, on which its own rows depend, or shows it other keys than the prompt does.`,
    );
  }
  if (fidelity.tokenwise && fidelity.tokenwise.wrongRows.length > 0) {
    const { bound, maxRelError, wrongRows } = fidelity.tokenwise;
    const [{ layer, row }] = wrongRows;
    return failed(
      bound,
      maxRelError,
      `Row ${formatCount(row + 1)} of layer ${layer + 1}, its projections or what the layer makes of its attention, is not what the weights give.`,
    );
  }
  if (fidelity.prediction && isBeyondRounding(fidelity.prediction)) {
    const { position, error, bound } = fidelity.prediction;
    return failed(
      bound,
      error,
      `A loss or divergence at position ${formatCount(position + 1)} is off by ${formatError(error)} nats, beyond float32 rounding, ${formatError(bound)}.`,
    );
  }
  if (overflowed !== undefined) {
    return overflowed;
  }
  const missing = fidelity.coverage && missingOf(fidelity.coverage);
  if (missing !== undefined) {
    return failed(fidelity.rounding?.bound ?? null, fidelity.maxRelError, missing);
  }
  const estimated = isSampled(evidence.scenario) && evidence.blocks !== 1;
  const verdict = estimated ? sampledVerdict(evidence.sampling) : roundedVerdict(fidelity.rounding, evidence);
  const { prediction, tokenwise } = fidelity;
  return worstVerdict([
    ...(tokenwise?.activations === undefined ? [] : [roundedActivations(tokenwise)]),
    verdict,
    ...(prediction === undefined || prediction.largestBound < 1 ? [] : [unpromised(prediction)]),
  ]);
}

/** Where activations are rounded, no result is exact. */
function roundedActivations({ maxRelError, bound, layers, activations }: TokenwiseFidelity): Verdict {
  return {
    kind: 'within',
    bound,
    measured: maxRelError,
    reason: `Activations are rounded to ${activations}: of the rows compared, one in each of ${formatCount(layers)} layers, the worst is off by ${formatError(maxRelError)} of its largest number, and may be by ${formatError(bound)}; attention is within its own bound.`,
  };
}

/** Where logits are so large that their rounding leaves nothing of a probability. */
function unpromised({ error, largestBound }: PredictionFidelity): Verdict {
  return {
    kind: 'vacuous',
    bound: largestBound,
    measured: error,
    reason: `A loss or divergence may be off by ${formatError(largestBound)} nats by float32 rounding of its logits, which promises nothing.`,
  };
}

/** Where the model's own attention was computed twice, by tiles and by a dense operator, the verdict on their difference. */
function comparedVerdict({ quality, native, precision, construction }: Evidence): Verdict | undefined {
  if (!native || construction === 'paper' || quality?.baselineBy !== 'dense' || quality.meanKl === undefined || precision !== 'float32') {
    return undefined;
  }
  const kind = judge(quality.meanKl, agreeingKl, 'within');
  const [found, allowed] = [formatError(quality.meanKl), formatError(agreeingKl)];
  return {
    kind,
    bound: agreeingKl,
    measured: quality.meanKl,
    reason:
      kind === 'failed'
        ? `Its predictions differ from those of dense attention by a mean KL of ${found} nats, beyond ${allowed}.`
        : `Its predictions are those of dense attention up to a mean KL of ${found} nats, within ${allowed}; the attention itself was not verified.`,
  };
}

/** The verdict on rows that were compared with float64 attention, by the one nearest to what rounding allows it. */
export function roundedVerdict(
  rounding: RoundingUse | undefined,
  { construction, precision }: Pick<Evidence, 'construction' | 'precision'>,
): Verdict {
  if (rounding === undefined) {
    return { kind: 'vacuous', bound: null, measured: null, reason: 'No bound was kept with these errors, so they prove nothing.' };
  }
  const { error, bound, largestBound } = rounding;
  const literal = construction === 'paper';
  const kind = judge(error, bound, literal ? 'within' : 'exact', largestBound);
  const what = literal
    ? `what the literal formulas of construction paper lose in ${precision}`
    : isBlackBox(construction)
      ? `${precision} rounding of scores, read through a synthetic token`
      : `${precision} rounding`;
  const [found, allowed] = [formatError(error), formatError(kind === 'vacuous' ? largestBound : bound)];
  return {
    kind,
    bound: kind === 'vacuous' ? largestBound : bound,
    measured: error,
    reason:
      kind === 'failed'
        ? `A row is off by ${found} of the largest value, beyond ${what}, ${allowed}.`
        : kind === 'vacuous'
          ? `A row may be off by ${allowed} of the largest value by ${what}, which promises nothing.`
          : `Every row compared is within ${what}: the one nearest to its bound is off by ${found} of the largest value, and may be by ${allowed}.`,
  };
}

/**
 * The verdict on sampled attention: by theorem 4.1, or by the statistics of its sample where those promise more, with the rounding
 * of the same rows beside it.
 */
export function sampledVerdict(sampling: SamplingReport | null): Verdict {
  if (sampling === null) {
    return {
      kind: 'vacuous',
      bound: null,
      measured: null,
      reason: 'No samples were tried, so nothing is stated of the error of this one.',
    };
  }
  const logTheorem = guaranteedByTheorem(sampling);
  const statistical = sampling.statisticalError ?? Infinity;
  const byTheorem = logTheorem <= Math.log(statistical);
  const bound = (byTheorem ? Math.exp(logTheorem) : statistical) + (sampling.roundingError ?? 0);
  const measured = sampling.errors.maximum;
  const kind = judge(measured, bound, 'within');
  const of = byTheorem ? 'theorem 4.1 guarantees' : 'statistics expect of the sample';
  return {
    kind,
    bound,
    measured,
    reason:
      kind === 'vacuous'
        ? `Theorem 4.1 guarantees an error of ${formatLogCount(logTheorem)} here and statistics expect ${Number.isFinite(statistical) ? `up to ${formatError(statistical)}` : 'any'}, which promises nothing.`
        : kind === 'failed'
          ? `An error of ${formatError(measured)} is beyond the ${formatError(bound)} that ${of}.`
          : `Errors of up to ${formatError(measured)} are within the ${formatError(bound)} that ${of}.`,
  };
}

/** The verdict on several results: the worst of them, a failure before what is vacuous. @param verdicts at least one */
export function worstVerdict(verdicts: readonly Verdict[]): Verdict {
  const order: readonly VerdictKind[] = ['failed', 'vacuous', 'within', 'exact'];
  return verdicts.reduce((worst, each) => (order.indexOf(each.kind) < order.indexOf(worst.kind) ? each : worst));
}

/**
 * Ends a command whose result failed, once the result is out.
 *
 * @param what failed, where it is one of several
 * @throws Error that names the reason
 */
export function failOn({ kind, reason }: Verdict, what = 'The run'): void {
  if (kind === 'failed') {
    throw new Error(`${what} failed: ${reason}`);
  }
}

/** A verdict's word; a failure is written large, for where there is no colour. */
export function verdictName(kind: VerdictKind): string {
  const names: Readonly<Record<VerdictKind, string>> = {
    exact: t('exact'),
    within: t('within'),
    failed: t('FAILED'),
    vacuous: t('vacuous'),
  };
  return names[kind];
}

/** A verdict in a line: its kind, and why. */
export function verdictText({ kind, reason }: Pick<Verdict, 'kind' | 'reason'>): string {
  return `${verdictName(kind)}: ${reason}`;
}

/** Rows as a person reads them, counted from 1, such as `65 to 128`. */
export function rowsText({ from, to }: { readonly from: number; readonly to: number }): string {
  return to === from + 1 ? formatCount(to) : `${formatCount(from + 1)} to ${formatCount(to)}`;
}

/** A row of a head as a person reads it, all counted from 1. */
export function rowText({ layer, head, row }: { readonly layer: number; readonly head: number; readonly row: number }): string {
  return `${formatCount(row + 1)} of head ${head + 1} in layer ${layer + 1}`;
}

/** The verdict on rows whose residual stream overflowed; undefined where none did. */
export function overflowVerdict(lostRows = 0): Verdict | undefined {
  return lostRows > 0
    ? failed(null, Infinity, `The residual stream of ${formatCount(lostRows)} rows overflowed: no norm of it is right.`)
    : undefined;
}

/** A verdict that failed. */
export function failed(bound: number | null, measured: number, reason: string): Verdict {
  return { kind: 'failed', bound, measured, reason };
}
