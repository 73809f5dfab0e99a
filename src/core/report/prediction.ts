import { breakEven, type BreakEven } from '../predict/prediction';
import type { Calibration } from '../predict/calibration';
import { predict, type Prediction } from '../predict/predict';
import type { Plan } from '../plan/plan';

/** What a calibrated device is expected to make of a plan, as reports print it. */
export interface PredictionReport extends Prediction {
  readonly provider: Calibration['provider'];
  readonly device: string;
  readonly threads: number;
  /** When the device was calibrated, ISO 8601. */
  readonly calibrated: string;
  readonly breakEven: BreakEven | null;
}

/** A prediction and the device that it is for: what can be said at every keystroke. */
export type DevicePrediction = Omit<PredictionReport, 'breakEven'>;

/** The prediction of a plan, or null where its device is not calibrated or its construction is not predicted. */
export function devicePrediction(plan: Plan, calibration: Calibration | undefined): DevicePrediction | null {
  const prediction = calibration && predict(plan, calibration);
  return calibration === undefined || prediction === undefined
    ? null
    : {
        provider: calibration.provider,
        device: calibration.device,
        threads: calibration.threads,
        calibrated: calibration.date,
        ...prediction,
      };
}

/** Attention's part of a prediction in milliseconds; a compiled layer is not taken apart. */
export function attentionMs({ phases: { gather, attend, layer } }: DevicePrediction): number {
  return gather + attend + layer;
}

/** The same with the break-even, which plans a dozen other lengths. */
export function predictionReport(plan: Plan, calibration: Calibration | undefined): PredictionReport | null {
  const prediction = devicePrediction(plan, calibration);
  return calibration === undefined || prediction === null ? null : { ...prediction, breakEven: breakEven(plan, calibration) ?? null };
}
