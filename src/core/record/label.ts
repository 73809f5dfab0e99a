import { fileName, formatCount, formatFigure, formatNumberOf, formatShare, recentTime } from '../format';
import { t } from '../l10n';
import { verdictName } from '../report/verdict';
import { scenarioLabel } from '../scenario/scenario';
import { differenceText, type MeasureName, measureNames, measureTable, measureText } from './measures';
import type { LabRecord, LabResult, RecordKind } from './record';
import { leadingPoint, rowOf } from './row';

/** The kinds of records as people read them. */
export function kindName(kind: RecordKind): string {
  const names: Readonly<Record<RecordKind, string>> = {
    run: t('Run'),
    comparison: t('Comparison'),
    evaluation: t('Evaluation'),
    ledger: t('Ledger of theorems'),
    atlas: t('Atlas'),
    continuation: t('Continuation'),
    advice: t('Advice'),
  };
  return names[kind];
}

/** A record in a list: what it is of, and when it was made. */
export function recordLabel(record: LabResult, now = new Date()): string {
  return `${subjectOf(record)}, ${recentTime(rowOf(record).date, now)}`;
}

/** What a record is of, below its prompt: its scenario or its kind. */
export function subjectOf(record: LabResult): string {
  switch (record.kind) {
    case 'run':
      return scenarioLabel(record.report.scenario);
    case 'comparison':
      return t('Comparison of {0}', formatNumberOf(record.report.runs.length, 'scenario'));
    case 'evaluation': {
      const points = formatNumberOf(record.report.points.length, 'point');
      return record.file === null ? t('Evaluation of {0}', points) : t('Experiment of {0}', points);
    }
    case 'ledger':
      return t('Ledger of theorems');
    case 'atlas': {
      const { cut } = record.report.atlas;
      return cut === null ? t('Where attention goes') : t('Where attention goes, {0}', scenarioLabel(cut.scenario));
    }
    case 'continuation':
      return t('Continuation, {0}', scenarioLabel(record.report.continuation.scenario));
    case 'advice':
      return t('Masks within a mean KL of {0}', formatFigure(record.report.options.maxKl));
  }
}

/** The measures that a row of each kind shows in a list; the others are in its tooltip. */
const shownMeasures: Readonly<Record<RecordKind, readonly MeasureName[]>> = {
  run: ['calls', 'timeMs', 'error', 'kl'],
  comparison: ['calls', 'timeMs'],
  evaluation: ['kl', 'perplexity', 'timeMs'],
  ledger: ['calls', 'timeMs', 'error'],
  atlas: ['cut', 'kl', 'timeMs'],
  continuation: ['calls', 'timeMs'],
  advice: ['calls', 'kl', 'timeMs'],
};

/**
 * The facts of a record in a list that matter.
 *
 * @param baseline a record of the same kind that was pinned, from which the differences are shown; undefined where none was
 */
export function recordDescription(record: LabRecord, baseline?: LabRecord): string {
  const { verdict, measures } = rowOf(record);
  const shown = shownMeasures[record.kind];
  const isBaseline = baseline?.id === record.id;
  const differences =
    baseline === undefined || isBaseline
      ? []
      : measureNames.flatMap((name) => {
          const text = differenceText(name, measures, rowOf(baseline).measures);
          return text === undefined || name === 'error' ? [] : [`${t(measureTable[name].title)} ${text}`];
        });
  return [
    ...(verdict === 'failed' ? [verdictName(verdict)] : []),
    ...(isBaseline ? [t('pinned baseline')] : []),
    ...(differences.length > 0
      ? [differences.join(', ')]
      : [
          ...ownFacts(record),
          ...shown.flatMap((name) => {
            const text = measureText(name, measures);
            return text === undefined ? [] : [withUnit(name, text, measures[name])];
          }),
        ]),
  ].join(' · ');
}

/** A measure where nothing else says which it is. */
function withUnit(name: MeasureName, text: string, value: number | null): string {
  switch (name) {
    case 'calls':
      return formatNumberOf(value ?? 0, 'call');
    case 'timeMs':
    case 'peakBytes':
      return text;
    default:
      return `${t(measureTable[name].title)} ${text}`;
  }
}

/** What no measure says. */
function ownFacts(record: LabRecord): string[] {
  switch (record.kind) {
    case 'evaluation': {
      const leading = leadingPoint(record.report.points);
      return leading === undefined ? [] : [scenarioLabel(leading.scenario)];
    }
    case 'ledger':
      return [formatNumberOf(record.report.rows.length, 'row')];
    case 'continuation': {
      const { continuation, sameTokens } = record.report;
      return [
        formatNumberOf(continuation.tokens.length, 'token'),
        ...(sameTokens === null
          ? []
          : sameTokens === continuation.tokens.length && sameTokens === record.report.baseline?.tokens.length
            ? [t('as under its own attention')]
            : [t('differs from token {0} on', formatCount(sameTokens + 1))]),
      ];
    }
    case 'advice': {
      const { answer } = record.report;
      return [answer === null ? t('no mask within it') : t('{0} of causal calls', formatShare(answer.share))];
    }
    default:
      return [];
  }
}

/** The same for a screen reader, with the prompt, which others see in the row above. */
export function recordSpoken(record: LabRecord, baseline?: LabRecord, now = new Date()): string {
  const { prompt } = rowOf(record);
  const [label, description] = [recordLabel(record, now), recordDescription(record, baseline).replaceAll(' · ', ', ')];
  return prompt === null ? `${label}, ${description}` : t('{0}, {1}, of {2}', label, description, fileName(prompt));
}

/** Everything that a table says of a record, as rows of a name and a value. */
export function recordFacts(record: LabRecord): (readonly [name: string, value: string])[] {
  const { prompt, model, scenario, blockSize, measures, verdict, date } = rowOf(record);
  return [
    [t('Kind'), kindName(record.kind)],
    ...(prompt === null ? [] : [[t('Prompt'), prompt] as const]),
    ...(model === null ? [] : [[t('Model'), model] as const]),
    ...(scenario === null ? [] : [[t('Scenario'), scenario] as const]),
    ...(blockSize === null ? [] : [['M', formatCount(blockSize)] as const]),
    ...measureNames.flatMap((name) => {
      const text = measureText(name, measures);
      return text === undefined ? [] : [[t(measureTable[name].title), text] as const];
    }),
    [t('Verdict'), verdictName(verdict)],
    [t('Date'), date],
    ...(record.kind === 'evaluation' && record.report.experiment.results !== null
      ? [[t('Results'), record.report.experiment.results] as const]
      : []),
  ];
}

/** Records of one prompt or experiment file; a path of null for those of none. */
export interface PromptRecords<Each> {
  readonly path: string | null;
  /** In the order in which they were given. */
  readonly records: readonly Each[];
}

/** Records by their prompt. @param records newest first: so are the prompts then, by their newest record */
export function byPrompt(records: readonly LabRecord[]): PromptRecords<LabRecord>[] {
  const paths = new Map<string | null, LabRecord[]>();
  for (const record of records) {
    const { prompt } = rowOf(record);
    paths.set(prompt, [...(paths.get(prompt) ?? []), record]);
  }
  return [...paths].map(([path, own]) => ({ path, records: own }));
}
