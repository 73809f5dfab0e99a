import calibrations from '../../record/calibrations.json';
import recordedRuns from '../../record/runs.json';
import { costCurves, type CostCurves } from '../../../src/core/compare/cost-curves';
import { comparedRequests, scenarioCosts } from '../../../src/core/compare/scenario-costs';
import type { Construction } from '../../../src/core/construct/construction';
import { defaultOptions } from '../../../src/core/options/table';
import { cacheOf } from '../../../src/core/plan/cache';
import { expectedMemory } from '../../../src/core/predict/memory';
import { makePlan, type Plan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import type { Calibration } from '../../../src/core/predict/calibration';
import { devicePrediction } from '../../../src/core/predict/prediction';
import type { RunReport } from '../../../src/core/report/report';
import { makeChoice, scenarioLabel } from '../../../src/core/scenario/scenario';
import { withMarkedNumbers, withNumbers } from '../../../src/protocol/numbers';
import type { FormChoice, PanelRun, PanelSnapshot } from '../../../src/protocol/panel';
import { smallModel } from '../../support/shapes';

/** A calibration that was written down once: no test depends on the machine that it runs on. */
export const calibration = calibrations[0] as unknown as Calibration;

/** Reports of runs that were made once: a window with everything measured, a sample with its error, and one that measured neither. */
export const [windowRun, sampledRun, tightRun] = recordedRuns as unknown as readonly RunReport[];

/** What a test chooses of a prompt in front; the rest is as the extension starts. */
export interface Front {
  readonly tokens?: number;
  readonly kind?: FormChoice['kind'];
  readonly parameters?: FormChoice['parameters'];
  readonly blockSize?: number;
  readonly construction?: Construction;
  readonly calibrated?: boolean;
}

/** What `make` makes of a front, found once in a file: what costs over a million tokens takes a while. */
function once<T>(make: (front: Front) => T): (front?: Front) => T {
  const known = new Map<string, T>();
  return (front = {}) => {
    const key = JSON.stringify(front);
    const made = known.get(key) ?? make(front);
    known.set(key, made);
    return made;
  };
}

/** A plan of a made-up prompt on a small model. */
export const planOf = once(({ tokens = 1000, kind = 'causal', parameters = {}, blockSize = 64, construction = 'fused' }): Plan =>
  makePlan(planRequest(tokens, smallModel, { ...defaultOptions, scenario: makeChoice(kind, parameters), blockSize, construction })),
);

const costsOf = once((front) => {
  const rates = front.calibrated === false ? undefined : calibration;
  const prediction = devicePrediction(planOf(front), rates, expectedMemory(planOf(front), defaultOptions, rates));
  return { prediction, ...scenarioCosts(planOf(front), prediction, front.parameters ?? {}, rates) };
});

/** What the host sends of a prompt in front: made as `panelSnapshot` makes it, which needs an editor. */
export function snapshotOf(front: Front = {}, more: Partial<PanelSnapshot> = {}): PanelSnapshot {
  const { kind = 'causal', parameters = {}, blockSize = 64 } = front;
  const plan = planOf(front);
  const { prediction, possible, impossible } = costsOf(front);
  const runs = more.runs ?? [];
  const measured = (label: string): number | null =>
    runs.find(({ report }) => scenarioLabel(report.scenario) === label)?.report.run.wallMs ?? null;
  const failed = (label: string): boolean =>
    runs.find(({ report }) => scenarioLabel(report.scenario) === label)?.report.verdict.kind === 'failed';
  return overTheWire({
    document: 'docs/prompt.md',
    form: { kind, parameters, blockSize },
    formError: null,
    plan,
    memory: expectedMemory(plan, defaultOptions, front.calibrated === false ? undefined : calibration),
    prediction,
    cache: cacheOf(plan),
    storedBytes: 4096,
    scenarioCosts: possible.map((cost) => ({ ...cost, measuredMs: measured(cost.label), measuredFailed: failed(cost.label) })),
    impossibleScenarios: impossible,
    activity: { state: 'idle' },
    place: { cursor: null, visible: null },
    runs,
    keptRuns: runs.length,
    ledger: null,
    ...more,
  });
}

/** What the host sends where no prompt is open. */
export function emptySnapshot(more: Partial<PanelSnapshot> = {}): PanelSnapshot {
  return snapshotOf(
    {},
    {
      document: null,
      plan: null,
      memory: null,
      prediction: null,
      cache: null,
      storedBytes: null,
      scenarioCosts: [],
      impossibleScenarios: [],
      place: { cursor: null, visible: null },
      ...more,
    },
  );
}

/** The curves that the host sends beside a snapshot. */
export const curvesOf = once((front): CostCurves => {
  const rates = front.calibrated === false ? undefined : calibration;
  return overTheWire(costCurves(comparedRequests(planOf(front), front.parameters ?? {}).possible, planOf(front), rates));
});

/** A run of the prompt in front. */
export function current(report: RunReport, id = 'run-1'): PanelRun {
  return { id, current: true, report };
}

/** A run of another prompt, or under other options. */
export function other(report: RunReport, id = 'run-2'): PanelRun {
  return { id, current: false, report };
}

/**
 * A message as the page gets it: as JSON, without what is undefined, and with numbers that are not finite marked on the way; but
 * VS Code hands over typed arrays as they are.
 */
export function overTheWire<T>(value: T): T {
  const arrays: unknown[] = [];
  const text = JSON.stringify(withMarkedNumbers(value), (_key, inner: unknown) =>
    ArrayBuffer.isView(inner) ? { typedArray: arrays.push(structuredClone(inner)) - 1 } : inner,
  );
  const read: unknown = JSON.parse(text, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && 'typedArray' in inner ? arrays[Number(inner.typedArray)] : inner,
  );
  return withNumbers(read) as T;
}
