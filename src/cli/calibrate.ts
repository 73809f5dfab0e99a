import type { Command } from 'commander';
import type { Calibration } from '../core/predict/calibration';
import { formatBytes, formatDuration, formatFigure } from '../core/format';
import { defaultOptions, oneOf, providers, wholeNumber } from '../core/options/options';
import { calibrateProvider } from '../engine/tasks/calibrate/calibrate';
import type { Surroundings } from './commands';
import { print } from './print';
import { progressPrinter } from './progress';
import { pairs, table } from './text';

/** Flags of `two-heads calibrate` as text. */
export interface CalibrateFlags {
  readonly provider: string;
  readonly threads: string;
  readonly json?: boolean;
}

/** Adds the flags of `two-heads calibrate`. */
export function addCalibrateFlags(command: Command): Command {
  return command
    .option('--provider <name>', `execution provider: ${providers.join(', ')}; auto is the CPU`, defaultOptions.provider)
    .option('--threads <n>', 'threads of ONNX Runtime; 0 takes every core', String(defaultOptions.threads))
    .option('--json', 'print one JSON document on stdout');
}

/** `two-heads calibrate`: measures a device and keeps what was found. */
export async function calibrateCommand(flags: CalibrateFlags, surroundings: Surroundings): Promise<void> {
  const options = { provider: oneOf('Provider', flags.provider, providers), threads: wholeNumber('--threads', flags.threads, 0, 1024) };
  const calibration = await calibrateProvider(options, { ...surroundings, onProgress: progressPrinter(process.stderr, 'calibrate') });
  print(flags, calibration, () => calibrationText(calibration));
}

/** A calibration as a person reads it. */
function calibrationText(calibration: Calibration): string {
  const { provider, device, threads, onnxruntime, tookMs, scoreBytes, tiles, tokenwise, layer, bandwidth } = calibration;
  return [
    `${provider}: ${device}, ${threads} threads, ONNX Runtime ${onnxruntime}; measured in ${formatDuration(tookMs)}.`,
    '',
    table(
      ['tile', 'head width', 'a run', 'an open tile', 'rate'],
      tiles.map(({ rows, headWidth, runMs, openMs }) => [
        `${rows} × ${rows}`,
        String(headWidth),
        formatDuration(runMs),
        formatDuration(openMs),
        openMs > 0 ? `${formatFigure((4 * rows * rows * headWidth) / openMs / 1e6)} GFLOP/s` : '-',
      ]),
    ),
    '',
    pairs([
      ['batch of scores', formatBytes(scoreBytes)],
      ...(layer === null
        ? []
        : [
            [
              'a compiled layer',
              `${formatDuration(layer.layerMs)} and ${formatFigure(1 / layer.attendNsPerFlop)} GFLOP/s of attention`,
            ] as [string, string],
          ]),
      ['copies on the device', `${formatBytes(bandwidth)} a second`],
      ...tokenwise.map(({ width, project, outputAndMlp }): [string, string] => [
        `token-wise, width ${width}`,
        `${formatFigure(1 / project.nsPerFlop)} GFLOP/s projecting, ${formatFigure(1 / outputAndMlp.nsPerFlop)} GFLOP/s in the MLP`,
      ]),
    ]),
  ].join('\n');
}
