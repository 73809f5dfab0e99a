import { formatBytes, formatCount, formatDuration, formatFigure, formatNumberOf, formatShare } from '../core/format';
import { calibrationNotes } from '../core/hints/expected';
import { optionTable } from '../core/options/table';
import type { Calibration, FitQuality } from '../core/predict/calibration';
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
  const {
    provider,
    device,
    threads,
    onnxruntime,
    tookMs,
    scoreBytes,
    tiles,
    tokenwise,
    pass,
    layer,
    dense,
    bandwidth,
    refused,
    peakFlops,
  } = calibration;
  return [
    `${provider}: ${device}, ${formatNumberOf(threads, 'thread')}, ONNX Runtime ${onnxruntime}; measured in ${formatDuration(tookMs)}.`,
    ...calibrationNotes(calibration).map((note) => `note: ${note} Until then intervals are wider.`),
    ...(refused > 0 ? [`note: Refused as faster than this machine's best matrix product: ${formatNumberOf(refused, 'time')}.`] : []),
    '',
    table(
      ['tile', 'head width', 'a run', 'an open tile', 'rate', 'residual'],
      tiles.map(({ rows, headWidth, runMs, openMs, fit }) => [
        `${rows} × ${rows}`,
        String(headWidth),
        formatDuration(runMs),
        formatDuration(openMs),
        `${gflops((4 * rows * rows * headWidth) / (openMs / 1000))} GFLOP/s`,
        residual(fit),
      ]),
    ),
    '',
    pairs([
      ['best product', `${gflops(peakFlops)} GFLOP/s`],
      ['batch of scores', formatBytes(scoreBytes)],
      ...(layer === null ? [['whole passes', residual(pass.fit)] as [string, string]] : []),
      ...(layer === null
        ? []
        : [
            [
              'a compiled layer',
              `${formatDuration(layer.layerMs)} and ${formatFigure(1 / layer.attendNsPerFlop)} GFLOP/s of attention, residual ${residual(layer.fit)}`,
            ] as [string, string],
          ]),
      ['copies on the device', `${formatBytes(bandwidth)} a second`],
      ...tokenwise.map(({ width, project, outputAndMlp }): [string, string] => [
        `token-wise, width ${width}`,
        `${formatFigure(1 / project.nsPerFlop)} GFLOP/s projecting (residual ${residual(project.fit)}), ${formatFigure(1 / outputAndMlp.nsPerFlop)} GFLOP/s in the MLP (${residual(outputAndMlp.fit)})`,
      ]),
      ...dense.map(({ operator, headWidth, nsPerPair, tokens, fit }): [string, string] => [
        `${operator}, heads of ${headWidth}`,
        `${formatFigure(nsPerPair)} ns a pair, measured from ${formatCount(tokens.from)} to ${formatCount(tokens.to)} tokens, residual ${residual(fit)}`,
      ]),
    ]),
  ].join('\n');
}

/** What a fit is off by, and from how many times that is known. */
function residual({ error, samples }: FitQuality): string {
  return `${formatShare(error)} of ${formatNumberOf(samples, 'time')}`;
}

function gflops(flops: number): string {
  return formatFigure(Number((flops / 1e9).toPrecision(3)));
}
