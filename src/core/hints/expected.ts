import {
  formatBytes,
  formatCount,
  formatDuration,
  formatEstimate,
  formatFigure,
  formatFixed,
  formatNumberOf,
  formatShare,
} from '../format';
import { t } from '../l10n';
import type { Calibration, MachineLoad } from '../predict/calibration';
import { isBusy } from '../predict/load';
import type { Extrapolation } from '../predict/interval';
import type { BreakEven, DevicePrediction, PredictionReport } from '../predict/prediction';
import type { PlanDocument } from '../report/report';

/** Expected time, with its interval, and memory on a calibrated device, appended to a headline. */
export function expectation(prediction: ExpectedTime & Pick<DevicePrediction, 'peakBytes'>): string {
  const { extrapolates = [], load } = prediction;
  return [
    t('about {0} · {1}', expectedDuration(prediction), formatBytes(prediction.peakBytes)),
    ...(extrapolates.length > 0 ? [t('extrapolated')] : []),
    ...(load !== undefined && (load.now ?? 0) > 0 ? [t('machine busy')] : []),
  ].join(' · ');
}

/** What a prediction says of the time of a whole run. */
type ExpectedTime = Pick<DevicePrediction, 'wallMs' | 'interval' | 'extrapolates' | 'load'>;

/** The expected time of a run between its bounds, such as `2.6 s (2.2 to 3.4)`. */
export function expectedDuration({ wallMs, interval }: Pick<DevicePrediction, 'wallMs' | 'interval'>): string {
  switch (interval?.doubtful) {
    case undefined:
      return formatEstimate(wallMs, interval);
    case 'calibration':
      return t('{0} (not reliable: calibrate again)', formatEstimate(wallMs));
    case 'plan':
      return t('{0} (not reliable)', formatEstimate(wallMs));
  }
}

/** What a person should know of a plan and of its expected time, a sentence each. */
export function notesOf({
  plan: { notes },
  prediction,
}: Pick<PlanDocument, 'prediction'> & { readonly plan: Pick<PlanDocument['plan'], 'notes'> }): string[] {
  return [...notes, ...(prediction === null ? [] : predictionNotes(prediction))];
}

/** What keeps an expected time from being as sure as others, a sentence each. */
export function predictionNotes({ extrapolates = [], load }: Pick<DevicePrediction, 'extrapolates' | 'load'>): string[] {
  const notes: string[] = [];
  if (extrapolates.length > 0) {
    notes.push(t('The expected time goes beyond what calibration measured: {0}.', extrapolates.map(extrapolationText).join(', ')));
  }
  if (load === undefined) {
    return notes;
  }
  const { cores, calibration, repeat, now } = load;
  if (now !== null && now > 0) {
    notes.push(
      now < cores
        ? t('Other programs want {0} of {1} cores now: the run takes longer, and its time is less certain.', coresText(now), cores)
        : t('Other programs keep all {0} cores busy now: the run takes longer, and its time is less certain.', cores),
    );
  }
  return repeat || calibration > 0 ? [...notes, calibrationNote({ cores, others: calibration })] : notes;
}

/** Why a finished calibration should be repeated, a sentence each; none where nothing was in its way. */
export function calibrationNotes({ load, leftOut = 0 }: Pick<Calibration, 'load' | 'leftOut'>): string[] {
  return [
    ...(load.busy ? [calibrationNote({ ...load, others: isBusy(load) ? load.others : 0 })] : []),
    ...(leftOut > 0
      ? [
          t(
            'Time was up before all was measured: {0} left out; calibrate again when the machine is quiet.',
            formatNumberOf(leftOut, 'measurement'),
          ),
        ]
      : []),
  ];
}

/** Why a calibration should be repeated. @param load its load; others that count as quiet are 0 */
export function calibrationNote({ cores, others }: MachineLoad): string {
  return others >= cores
    ? t('This machine was calibrated while other programs kept all {0} cores busy: calibrate it again when it is quiet.', cores)
    : others > 0
      ? t(
          'This machine was calibrated while other programs wanted {0} of {1} cores: calibrate it again when it is quiet.',
          coresText(others),
          cores,
        )
      : t('Times varied while this machine was calibrated: calibrate it again when it is quiet.');
}

function coresText(cores: number): string {
  return formatFigure(Number(formatFixed(cores, 1)));
}

/** One thing that was not measured, with what was. */
function extrapolationText({ what, value, sampled }: Extrapolation): string {
  const [from, to] = sampled.map((each) => (typeof each === 'number' ? formatCount(each) : each));
  const own = typeof value === 'number' ? formatCount(value) : value;
  switch (what) {
    case 'tokens':
      return t('N = {0} (measured {1} to {2})', own, from, to);
    case 'rows':
      return t('M = {0} (measured {1} to {2})', own, from, to);
    case 'width':
      return t('width {0} (measured {1} to {2})', own, from, to);
    case 'headWidth':
      return t('heads of {0} (measured {1} to {2})', own, from, to);
    case 'layers':
      return t('{0} layers (measured {1} to {2})', own, from, to);
    case 'executor':
      return t('executor {0} (measured {1})', own, from);
    case 'precision':
      return t('precision {0} (measured {1})', own, from);
    case 'activations':
      return t('activations {0} (measured {1})', own, from);
  }
}

/**
 * Where a prediction comes from and from which N the simulation wins, as Markdown; without a calibration, how to calibrate.
 */
export function predictionArithmetic(prediction: PredictionReport | null): string {
  if (prediction === null) {
    return t('Time unknown: run **Two Heads: Calibrate This Machine** once. Black-box constructions are not predicted.');
  }
  const { provider, device, threads, phases, breakEven } = prediction;
  const parts = (Object.entries(phases) as [keyof typeof phases, number][])
    .filter(([, time]) => time > 0)
    .map(([phase, time]) => phaseText(phase, formatDuration(time)));
  return [
    t('Expected on {0} ({1}, {2} threads): **{3}** = {4}.', provider, device, threads, expectation(prediction), parts.join(' + ')),
    ...predictionNotes(prediction),
    ...(breakEven === null ? [] : [t('Attention: {0}.', breakEvenText(breakEven))]),
  ].join('\n\n');
}

/** The time of the simulation's attention and of the fastest dense operator, and the N from which the simulation is faster. */
export function breakEvenText({ attentionMs, interval, denseMs, denseError, operator, measured, known, fromTokens }: BreakEven): string {
  const dense = formatDuration(denseMs);
  const here = [
    expectedDuration({ wallMs: attentionMs, ...(interval && { interval }) }),
    denseError === undefined ? dense : t('{0} (residual {1})', dense, formatShare(denseError)),
    operator ?? 'MatMul-Softmax-MatMul',
  ];
  if (known === false) {
    return t('{0} against {1} by {2}; which of the two is faster is not known: calibrate again when the machine is quiet', ...here);
  }
  if (fromTokens !== undefined && (measured === undefined || fromTokens <= measured.to)) {
    return t('{0} against {1} by {2}, the fastest dense operator; faster from {3} tokens on', ...here, formatCount(fromTokens));
  }
  if (measured === undefined) {
    return t('{0} against {1} by {2}, the fastest dense operator; no break-even', ...here);
  }
  return fromTokens === undefined
    ? t(
        '{0} against {1} by {2}, the fastest dense operator; no break-even up to {3} tokens, as far as it was measured',
        ...here,
        formatCount(measured.to),
      )
    : t(
        '{0} against {1} by {2}, the fastest dense operator; no break-even up to {3} tokens, as far as it was measured; extrapolated, faster from {4} on',
        ...here,
        formatCount(measured.to),
        formatCount(fromTokens),
      );
}

function phaseText(phase: keyof DevicePrediction['phases'], time: string): string {
  switch (phase) {
    case 'project':
      return t('project {0}', time);
    case 'gather':
      return t('gather {0}', time);
    case 'attend':
      return t('attend {0}', time);
    case 'layer':
      return t('layer {0}', time);
    case 'mlp':
      return t('mlp {0}', time);
  }
}
