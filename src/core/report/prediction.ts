import { breakEven, type BreakEven } from '../device/break-even';
import type { Calibration } from '../device/calibration';
import { predict, type Prediction } from '../device/predict';
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

/** The prediction of a plan, or null where its device is not calibrated or its construction is not predicted. */
export function predictionReport(plan: Plan, calibration: Calibration | undefined): PredictionReport | null {
  if (calibration === undefined) {
    return null;
  }
  const prediction = predict(plan, calibration);
  const { provider, device, threads, date } = calibration;
  return prediction === undefined ? null : { provider, device, threads, calibrated: date, ...prediction, breakEven: breakEven(plan, calibration) ?? null };
}
