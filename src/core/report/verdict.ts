import { isBlackBox, type Construction } from '../construct/construction';
import { formatCount, formatError, formatFigure, formatLogCount } from '../format';
import { english, t } from '../l10n';
import { isBeyondRounding, type RoundingUse } from '../math/rounding';
import type { Precision } from '../options/table';
import { isSampled, type Scenario } from '../scenario/scenario';
import { type Coverage, missingOf } from './coverage';
import type { PredictionFidelity, TokenwiseFidelity, WrongHalo } from './around-attention';
import { guaranteedByTheorem, type SamplingReport, squareRatioRange } from './sampling';
import { reasonShown, verdictWords as words } from './verdict-words';

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
    readonly wrongChoices?: readonly { readonly layer: number; readonly reason: string }[] | undefined;
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
    return failed(null, NaN, words.notNumbers);
  }
  const compared = comparedVerdict(evidence);
  if (compared?.kind === 'failed') {
    return compared;
  }
  const overflowed = overflowVerdict(evidence.lostRows ?? fidelity?.lostRows);
  if (fidelity === null) {
    return overflowed ?? compared ?? { kind: 'vacuous', bound: null, measured: null, reason: words.nothingVerified };
  }
  const errors = [fidelity.maxAbsError, fidelity.maxRelError, fidelity.logNormaliserError];
  const lost = errors.find((error) => !Number.isFinite(error));
  if (lost !== undefined) {
    return failed(fidelity.rounding?.bound ?? null, lost, words.notFinite);
  }
  if (fidelity.probe && fidelity.probe.wrongRows.length > 0) {
    const rows = fidelity.probe.wrongRows.map(rowsText).join(', ');
    return failed(fidelity.rounding?.bound ?? null, fidelity.probe.maxRelError, english(words.probeRows, rows));
  }
  if (fidelity.wrongRows && fidelity.wrongRows.length > 0) {
    const [wrong] = fidelity.wrongRows;
    const more = fidelity.wrongRows.length - 1;
    const others = more === 0 ? '' : more === 1 ? words.another : english(words.others, formatCount(more));
    return failed(
      fidelity.rounding?.bound ?? null,
      fidelity.rounding?.error ?? fidelity.maxRelError,
      english(words.rowOff, rowText(wrong), others),
    );
  }
  const halo = fidelity.wrongHalos?.at(0);
  if (halo !== undefined) {
    return failed(null, Infinity, english(words.halo, formatCount(halo.row + 1), halo.layer + 1));
  }
  const choice = fidelity.wrongChoices?.at(0);
  if (choice !== undefined) {
    return failed(null, Infinity, english(words.choice, choice.layer + 1, choice.reason));
  }
  if (fidelity.tokenwise && fidelity.tokenwise.wrongRows.length > 0) {
    const { bound, maxRelError, wrongRows } = fidelity.tokenwise;
    const [{ layer, row }] = wrongRows;
    return failed(bound, maxRelError, english(words.tokenwiseRow, formatCount(row + 1), layer + 1));
  }
  if (fidelity.prediction && isBeyondRounding(fidelity.prediction)) {
    const { position, error, bound } = fidelity.prediction;
    return failed(bound, error, english(words.lossOff, formatCount(position + 1), formatError(error), formatError(bound)));
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
    reason: english(words.activations, String(activations), formatCount(layers), formatError(maxRelError), formatError(bound)),
  };
}

/** Where logits are so large that their rounding leaves nothing of a probability. */
function unpromised({ error, largestBound }: PredictionFidelity): Verdict {
  return {
    kind: 'vacuous',
    bound: largestBound,
    measured: error,
    reason: english(words.lossVacuous, formatError(largestBound)),
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
    reason: kind === 'failed' ? english(words.denseDiffers, found, allowed) : english(words.denseAgrees, found, allowed),
  };
}

/** The verdict on rows that were compared with float64 attention, by the one nearest to what rounding allows it. */
export function roundedVerdict(
  rounding: RoundingUse | undefined,
  { construction, precision }: Pick<Evidence, 'construction' | 'precision'>,
): Verdict {
  if (rounding === undefined) {
    return { kind: 'vacuous', bound: null, measured: null, reason: words.noBound };
  }
  const { error, bound, largestBound } = rounding;
  const literal = construction === 'paper';
  const kind = judge(error, bound, literal ? 'within' : 'exact', largestBound);
  const what = literal
    ? english(words.literalLoss, precision)
    : isBlackBox(construction)
      ? english(words.boxRounding, precision)
      : english(words.rounding, precision);
  const [found, allowed] = [formatError(error), formatError(kind === 'vacuous' ? largestBound : bound)];
  return {
    kind,
    bound: kind === 'vacuous' ? largestBound : bound,
    measured: error,
    reason:
      kind === 'failed'
        ? english(words.rowBeyond, found, what, allowed)
        : kind === 'vacuous'
          ? english(words.rowVacuous, allowed, what)
          : english(words.rowsWithin, what, found, allowed),
  };
}

/**
 * The verdict on sampled attention: by theorem 4.1, or by the statistics of its sample where those promise more, with the rounding
 * of the same rows beside it; of a trial whose errors are known to be independent, by their mean square as well.
 */
export function sampledVerdict(sampling: SamplingReport | null): Verdict {
  if (sampling === null) {
    return {
      kind: 'vacuous',
      bound: null,
      measured: null,
      reason: words.noSamples,
    };
  }
  const odd = oddSquares(sampling);
  if (odd !== undefined) {
    return odd;
  }
  const logTheorem = guaranteedByTheorem(sampling);
  const statistical = sampling.statisticalError ?? Infinity;
  const byTheorem = logTheorem <= Math.log(statistical);
  const bound = (byTheorem ? Math.exp(logTheorem) : statistical) + (sampling.roundingError ?? 0);
  const measured = sampling.errors.maximum;
  const kind = judge(measured, bound, 'within');
  const of = byTheorem ? words.byTheorem : words.byStatistics;
  return {
    kind,
    bound,
    measured,
    reason:
      kind === 'vacuous'
        ? english(
            words.sampledVacuous,
            formatLogCount(logTheorem),
            Number.isFinite(statistical) ? english(words.upTo, formatError(statistical)) : words.any,
          )
        : kind === 'failed'
          ? english(words.sampledBeyond, formatError(measured), formatError(bound), of)
          : english(words.sampledWithin, formatError(measured), formatError(bound), of),
  };
}

/** The verdict on a trial whose errors are larger, or smaller, than those of samples of its size; undefined where they are neither. */
function oddSquares({ squareRatios, sample }: SamplingReport): Verdict | undefined {
  if (squareRatios === undefined) {
    return undefined;
  }
  const { from, to } = squareRatioRange(squareRatios.independent);
  const found = (['normaliser', 'output'] as const).find((of) => !(squareRatios[of] >= from && squareRatios[of] <= to));
  return (
    found &&
    failed(
      to,
      squareRatios[found],
      english(words.squares, found, formatFigure(squareRatios[found]), formatCount(sample), formatFigure(from), formatFigure(to)),
    )
  );
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
  return `${verdictName(kind)}: ${reasonShown(reason)}`;
}

/** Rows as a person reads them, counted from 1, such as `65 to 128`. */
export function rowsText({ from, to }: { readonly from: number; readonly to: number }): string {
  return to === from + 1 ? formatCount(to) : `${formatCount(from + 1)} to ${formatCount(to)}`;
}

/** A row of a head as a person reads it, all counted from 1. */
export function rowText({ layer, head, row }: { readonly layer: number; readonly head: number; readonly row: number }): string {
  return english(words.row, formatCount(row + 1), head + 1, layer + 1);
}

/** The verdict on rows whose residual stream overflowed; undefined where none did. */
export function overflowVerdict(lostRows = 0): Verdict | undefined {
  return lostRows > 0 ? failed(null, Infinity, english(words.overflowed, formatCount(lostRows))) : undefined;
}

/** A verdict that failed. */
export function failed(bound: number | null, measured: number, reason: string): Verdict {
  return { kind: 'failed', bound, measured, reason };
}
