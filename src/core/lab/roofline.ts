import type { Calibration } from '../predict/calibration';
import type { LabPoint } from './frontier';

/** What a calibrated device can do at most. */
export interface DeviceRoof extends Pick<Calibration, 'provider' | 'threads'> {
  /** Floating-point operations a second of its best large matrix product. */
  readonly peakFlops: number;
  /** What starting a native run takes at least, in milliseconds: the least of all rates; 0 where every fit found none. */
  readonly runMs: number;
}

/** The roof of a device. */
export function deviceRoof({ provider, threads, peakFlops, tiles, tokenwise }: Calibration): DeviceRoof {
  const starts = [
    ...tiles.map(({ runMs }) => runMs),
    ...tokenwise.flatMap(({ project, outputAndMlp }) => [project.runMs, outputAndMlp.runMs]),
  ];
  return { provider, threads, peakFlops, runMs: Math.max(0, Math.min(...starts)) };
}

/** What a run made of its device. */
export interface RooflinePoint extends LabPoint {
  /** Floating-point operations of a native run, on average. */
  readonly flopsPerRun: number;
  /** Floating-point operations a second of wall time. */
  readonly flopsPerSecond: number;
  /** `flopsPerSecond` over what the roof allows there. */
  readonly share: number;
}

/** Most floating-point operations a second of native runs of this size: each starts, then computes at no more than the peak. */
export function roofAt({ peakFlops, runMs }: DeviceRoof, flopsPerRun: number): number {
  return runMs === 0 ? peakFlops : Math.min(peakFlops, flopsPerRun / (runMs / 1000));
}

/** The runs that were made on the device of a roof, the smallest native runs first. */
export function rooflinePoints(points: readonly LabPoint[], roof: DeviceRoof): readonly RooflinePoint[] {
  return points
    .flatMap((point): RooflinePoint[] => {
      const { made, costs } = point;
      const { measured } = costs;
      if (made === null || made.provider !== roof.provider || made.threads !== roof.threads || measured === null || made.nativeRuns === 0) {
        return [];
      }
      const flopsPerRun = made.flops / made.nativeRuns;
      const flopsPerSecond = made.flops / (measured / 1000);
      return [{ ...point, flopsPerRun, flopsPerSecond, share: flopsPerSecond / roofAt(roof, flopsPerRun) }];
    })
    .sort((one, other) => one.flopsPerRun - other.flopsPerRun);
}

/** Corners of the roof between two sizes of native runs. */
export function roofLine(roof: DeviceRoof, from: number, to: number): readonly { readonly x: number; readonly y: number }[] {
  const ridge = roof.peakFlops * (roof.runMs / 1000);
  return [from, ...(from < ridge && ridge < to ? [ridge] : []), to].map((x) => ({ x, y: roofAt(roof, x) }));
}
