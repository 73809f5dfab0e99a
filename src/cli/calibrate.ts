import { formatBytes, formatDuration, formatFigure, formatNumberOf } from '../core/format';
import { optionTable } from '../core/options/table';
import type { Calibration } from '../core/predict/calibration';
import { calibrateProvider } from '../engine/tasks/calibrate/calibrate';
import { jsonOption, print, progressPrinter } from './io';
import { type Command, valuesOf } from './options';
import { pairs, table } from './table';

const calibrationTable = {
  provider: { ...optionTable.provider, description: 'Execution provider of ONNX Runtime that is measured; auto is the CPU.' },
  threads: optionTable.threads,
} as const;

/** `two-heads calibrate`: measures a device and keeps what was found. */
export const calibrateCommand: Command = {
  usage: 'calibrate',
  description: 'measure this device, so that plans show time and memory',
  options: [...Object.values(calibrationTable), jsonOption],
  run: async (_args, given, io) => {
    const options = valuesOf(calibrationTable, given);
    const calibration = await calibrateProvider(options, { ...io, onProgress: progressPrinter(io, 'calibrate') });
    print(io, given, calibration, () => calibrationText(calibration));
  },
};

/** A calibration as a person reads it. */
function calibrationText(calibration: Calibration): string {
  const { provider, device, threads, onnxruntime, tookMs, scoreBytes, tiles, tokenwise, layer, bandwidth } = calibration;
  return [
    `${provider}: ${device}, ${formatNumberOf(threads, 'thread')}, ONNX Runtime ${onnxruntime}; measured in ${formatDuration(tookMs)}.`,
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
