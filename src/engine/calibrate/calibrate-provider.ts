import type { Calibration } from '../../core/predict/calibration';
import type { CalibrationOptions } from '../../core/options/options';
import type { OnProgress } from '../../core/report/progress';
import { openDevice } from '../attend/runtime/provider';
import { calibrate } from '../tasks/calibrate/calibrate';
import type { CalibrationStore } from '../store/calibrations';

/** What surrounds a calibration. */
export interface CalibrationContext {
  readonly calibrations: CalibrationStore;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/**
 * Measures a provider's device and keeps the calibration. `auto` is the CPU, the one that is everywhere.
 *
 * @throws InputError where the provider does not run here; CancelledError
 */
export async function calibrateProvider(
  { provider, threads }: CalibrationOptions,
  { calibrations, signal, onProgress }: CalibrationContext,
): Promise<Calibration> {
  const device = await openDevice(provider, threads);
  const calibration = await calibrate(device, signal, onProgress);
  await calibrations.write(calibration);
  return calibration;
}
