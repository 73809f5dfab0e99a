import { type AdvisedMask, namedMasks } from '../advise/report';
import type { SummedPoint } from '../evaluate/report';
import { pointTitle } from '../evaluate/rows';
import type { Continuation } from '../generate/report';
import { ledgerVerdict } from '../ledger/report';
import type { PositionsQuality, Quality, RunReport } from '../report/report';
import type { VerdictKind } from '../report/verdict';
import { scenarioLabel } from '../scenario/scenario';
import { type Measures, measuresOf } from './measures';
import { dateOf, type LabResult } from './record';

/** What is measured apart in a record, such as a scenario of an evaluation. */
export interface RecordPart {
  /** Tells it from the other parts of the record; parts of two records that have the same name are of the same thing. */
  readonly name: string;
  readonly measures: Measures;
  /** Null where there is none of its own. */
  readonly verdict: VerdictKind | null;
}

/** A record as a row of a table. */
export interface RecordRow {
  /** Path of the prompt, or of the experiment file; null where there is neither. */
  readonly prompt: string | null;
  /** Null for the ledger, whose model is random. */
  readonly model: string | null;
  /** Null where there are several, or none. */
  readonly scenario: string | null;
  /** M; null where there are several. */
  readonly blockSize: number | null;
  /** Of all parts: sums of calls and times, the highest memory and error; quality of the scenario of the row, else null. */
  readonly measures: Measures;
  readonly verdict: VerdictKind;
  /** ISO 8601. */
  readonly date: string;
}

/** The row of a record. */
export function rowOf(record: LabResult): RecordRow {
  const parts = partsOf(record);
  const all = (name: 'calls' | 'timeMs' | 'peakBytes' | 'error'): number[] =>
    parts.map(({ measures }) => measures[name]).filter((value) => value !== null);
  const sum = (values: readonly number[]): number | null => (values.length === 0 ? null : values.reduce((one, other) => one + other, 0));
  const most = (values: readonly number[]): number | null => (values.length === 0 ? null : Math.max(...values));
  const measures = measuresOf({
    calls: sum(all('calls')),
    timeMs: sum(all('timeMs')),
    peakBytes: most(all('peakBytes')),
    error: most(all('error')),
  });
  const date = dateOf(record);
  switch (record.kind) {
    case 'run':
    case 'atlas': {
      const { prompt, model, scenario, oracle, verdict } = record.report;
      const cut = record.kind === 'atlas' ? record.report.atlas.cut : null;
      const masked = record.kind === 'atlas' ? record.report.masked : record.report;
      const quality = qualityMeasures(masked?.quality ?? null);
      return {
        ...{ prompt: prompt.path, model: model.name, scenario: scenarioLabel(cut?.scenario ?? scenario), blockSize: oracle.inputLength },
        ...{ measures: { ...measures, ...quality, cut: cut?.share ?? null }, verdict: verdict.kind, date },
      };
    }
    case 'comparison': {
      const { prompt, model, runs, verdict } = record.report;
      const sizes = new Set(runs.map(({ oracle }) => oracle.inputLength));
      const blockSize = sizes.size === 1 ? runs[0].oracle.inputLength : null;
      return { prompt: prompt.path, model: model.name, scenario: null, blockSize, measures, verdict: verdict.kind, date };
    }
    case 'evaluation': {
      const { prompts, model, points, verdict } = record.report;
      const leading = leadingPoint(points);
      const sizes = new Set(points.map(({ blockSize }) => blockSize));
      return {
        prompt: record.file ?? prompts.at(0)?.path ?? null,
        model: model.name,
        scenario: leading === undefined ? null : scenarioLabel(leading.scenario),
        blockSize: sizes.size === 1 ? points[0].blockSize : null,
        measures: {
          ...measuresOf({
            calls: sum(points.flatMap(({ measured }) => (measured === null ? [] : [measured.calls]))),
            timeMs: sum(points.flatMap(({ measured }) => (measured === null ? [] : [measured.wallMs]))),
          }),
          ...(leading && pointQuality(leading)),
        },
        verdict: verdict.kind,
        date,
      };
    }
    case 'ledger': {
      const { options } = record.report;
      const verdict = ledgerVerdict(record.report).kind;
      return { prompt: null, model: null, scenario: null, blockSize: options.blockSize, measures, verdict, date };
    }
    case 'advice': {
      const { prompt, model, blockSize, answer, verdict } = record.report;
      return {
        ...{ prompt: prompt.path, model: model.name, scenario: answer && scenarioLabel(answer.scenario), blockSize },
        ...{ measures: answer === null ? measuresOf({}) : maskMeasures(answer), verdict: verdict.kind, date },
      };
    }
    case 'continuation': {
      const { prompt, model, oracle, continuation, verdict, run } = record.report;
      return {
        ...{ prompt: prompt.path, model: model.name, scenario: scenarioLabel(continuation.scenario), blockSize: oracle.inputLength },
        ...{ measures: { ...measures, peakBytes: run.peakRssBytes }, verdict: verdict.kind, date },
      };
    }
  }
}

/** What is measured apart in a record, in its order, each under a name of its own. */
export function partsOf(record: LabResult): RecordPart[] {
  const parts = partsAsTheyAre(record);
  return parts.map((part, index) => {
    const before = parts.slice(0, index).filter(({ name }) => name === part.name).length;
    return before === 0 ? part : { ...part, name: `${part.name} (${before + 1})` };
  });
}

function partsAsTheyAre(record: LabResult): RecordPart[] {
  switch (record.kind) {
    case 'run':
      return [runPart(record.report)];
    case 'comparison':
      return record.report.runs.map(runPart);
    case 'evaluation': {
      const { points, experiment } = record.report;
      return points.map((point) => {
        const { cost, measured, verdict } = point;
        // As in tables of sweeps: of one window.
        const timeMs = measured === null ? null : measured.wallMs / measured.windows;
        return {
          name: pointTitle(point, experiment),
          measures: measuresOf({ calls: cost.calls.total, timeMs, peakBytes: cost.peakBytes, ...pointQuality(point) }),
          verdict: point.quality === null && point.retrieval === null ? null : verdict.kind,
        };
      });
    }
    case 'ledger':
      return record.report.rows.map(({ statement, construction, scenario, countedCalls, wallMs, outputError, verdict }) => ({
        name: `${statement}, ${construction}, ${scenarioLabel(scenario)}`,
        measures: measuresOf({ calls: countedCalls, timeMs: wallMs, error: outputError }),
        verdict,
      }));
    case 'atlas': {
      const { atlas, masked } = record.report;
      const own = runPart(record.report);
      return [
        { ...own, measures: { ...own.measures, cut: atlas.cut?.share ?? null } },
        ...(masked === null ? [] : [{ ...runPart(masked), name: `${scenarioLabel(masked.scenario)}, run` }]),
      ];
    }
    case 'advice':
      return namedMasks(record.report).map(({ name, mask }) => ({ name, measures: maskMeasures(mask), verdict: mask.verdict.kind }));
    case 'continuation': {
      const { continuation, baseline } = record.report;
      return [continuationPart(continuation), ...(baseline === null ? [] : [continuationPart(baseline)])];
    }
  }
}

/**
 * The point that stands for an evaluation: the first whose quality says something. In that of a prompt, the scenario in force comes first,
 * before those that it is held against.
 */
export function leadingPoint<P extends Pick<SummedPoint, 'quality' | 'ownBaseline'>>(points: readonly P[]): P | undefined {
  return points.find(({ quality, ownBaseline }) => quality !== null && !ownBaseline) ?? points.at(0);
}

function runPart({ scenario, run, fidelity, quality, verdict }: RunReport): RecordPart {
  return {
    name: scenarioLabel(scenario),
    measures: measuresOf({
      calls: run.calls.total,
      timeMs: run.wallMs,
      peakBytes: run.peakRssBytes,
      error: fidelity?.maxAbsError ?? null,
      ...qualityMeasures(quality),
    }),
    verdict: verdict.kind,
  };
}

function continuationPart({ scenario, prefillMs, decodeMs, prefillCalls, decodeCalls, fidelity }: Continuation): RecordPart {
  const calls = [prefillCalls, decodeCalls].reduce((sum, { attention, tokenwise }) => sum + attention + tokenwise, 0);
  return {
    name: scenarioLabel(scenario),
    measures: measuresOf({ calls, timeMs: prefillMs + decodeMs, error: fidelity?.maxAbsError ?? null }),
    verdict: null,
  };
}

function maskMeasures({ calls, measuredMs, kl }: AdvisedMask): Measures {
  return measuresOf({ calls, timeMs: measuredMs, kl: kl.value });
}

/** A run that is its own baseline has no divergence worth a word. */
function qualityMeasures(
  quality: (Pick<PositionsQuality, 'perplexity' | 'meanKl'> & Pick<Quality, 'ownBaseline'>) | null,
): Pick<Measures, 'kl' | 'perplexity'> {
  return { kl: quality === null || quality.ownBaseline === true ? null : quality.meanKl, perplexity: quality?.perplexity ?? null };
}

function pointQuality({ quality, ownBaseline }: Pick<SummedPoint, 'quality' | 'ownBaseline'>): Pick<Measures, 'kl' | 'perplexity'> {
  return {
    kl: quality === null || ownBaseline ? null : quality.divergence.mean.value,
    perplexity: quality?.targets?.perplexity.value ?? null,
  };
}
