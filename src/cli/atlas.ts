import { atlasHtml } from '../core/atlas/html';
import { keptLabel } from '../core/atlas/oracle-curve';
import { atlasOptions, type AtlasReport } from '../core/atlas/report';
import { layerTable, oracleTable } from '../core/atlas/tables';
import { atlasPicture } from '../core/draw/atlas/picture';
import { InputError } from '../core/errors';
import { formatCount, formatError, formatFigure, formatNumberOf, formatShare } from '../core/format';
import type { Option } from '../core/options/option';
import type { TextTable } from '../core/report/html';
import { toJson } from '../core/report/json';
import { failOn } from '../core/report/verdict';
import { scenarioLabel } from '../core/scenario/scenario';
import { readPrompt } from '../engine/read/prompt';
import { atlas } from '../engine/tasks/atlas/atlas';
import { jsonOption, print, progressPrinter, writeWhole } from './io';
import { type Command, optionsFrom, scenarioOptions, textGiven } from './options';
import { checkOutputs } from './outputs';
import { runText } from './simulate-text';
import { sourceFrom, sourceOptions } from './source';
import { pairs, table } from './table';

const outOption: Option = {
  flag: 'out',
  symbol: 'file',
  description: 'Also write it to a file, as its ending says: .svg, .html or .json.',
  value: { type: 'text' },
};

/** What an atlas is written as, by the ending of a file. */
const writers: Readonly<Record<string, (report: AtlasReport) => string>> = {
  '.svg': (report) => atlasPicture(report),
  '.html': atlasHtml,
  '.json': (report) => `${toJson(report)}\n`,
};

/** `two-heads atlas`: where the attention of a prompt goes, and what a mask would cut off. */
export const atlasCommand: Command = {
  usage: 'atlas <file>',
  description: "where a model's attention goes in a prompt, and what a scenario cuts off",
  options: [...scenarioOptions, ...atlasOptions, ...sourceOptions, jsonOption, outOption],
  instead: {
    construction: 'a black box shows no masses; leave it out, atlas runs construction fused',
    executor: 'it runs tile by tile; leave it out',
    precision: 'it runs in float32; leave it out',
  },
  run: async ([file], given, io) => {
    const options = optionsFrom(given);
    const out = textGiven(outOption, given);
    const write = out === undefined ? undefined : writerOf(out);
    await checkOutputs([{ flag: '--out', path: out }], { files: [file], model: options.model }, given, io);
    const prompt = await readPrompt(file, io.stdin, await sourceFrom(given));
    const report = await atlas(prompt, options, { ...io, onProgress: progressPrinter(io, 'atlas') });
    if (out !== undefined && write !== undefined) {
      await writeWhole(out, write(report));
      io.stderr.write(`atlas written to ${out}\n`);
    }
    print(io, given, report, () => atlasText(report));
    failOn(report.verdict);
  },
};

/** @throws InputError for an ending that stands for nothing */
function writerOf(out: string): (report: AtlasReport) => string {
  const ending = Object.keys(writers).find((each) => out.toLowerCase().endsWith(each));
  if (ending === undefined) {
    throw new InputError(`--out ${out} has no ending that says what to write; end it in ${Object.keys(writers).join(', ')}.`);
  }
  return writers[ending];
}

/** An atlas as a person reads it. */
function atlasText(report: AtlasReport): string {
  const { atlas: found, masked, plan } = report;
  const { cells, cut, massError, oracle } = found;
  const [least] = oracle.kept;
  return [
    runText(report),
    '',
    pairs([
      [
        'masses',
        `${formatNumberOf(found.heads.length, 'head')} in cells of ${formatNumberOf(cells.blocks, 'block')}; those of a query block miss 1 by ${formatError(massError)} at most`,
      ],
      ...(cut === null
        ? []
        : [['cut off', `${formatShare(cut.share)} of the mass by ${scenarioLabel(cut.scenario)}${effectText(masked)}`] as const]),
      [
        'lower bound',
        `${formatCount(least.eachBlock)} of ${formatCount(oracle.tiles)} tiles keep ${keptLabel(least.share)} of every query block, in ${formatCount(least.calls)} of ${formatCount(oracle.calls)} attention calls (${plan.bound.theorem} on any input: ${formatCount(plan.bound.calls)})`,
      ],
    ]),
    '',
    ...tableLines(oracleTable(found)),
    '',
    ...tableLines(layerTable(found)),
  ].join('\n');
}

/** What the mask does to the predictions. */
function effectText(masked: AtlasReport['masked']): string {
  return masked?.quality == null
    ? ''
    : `: mean KL ${formatFigure(masked.quality.meanKl)} nats, perplexity ${formatFigure(masked.quality.perplexity)} instead of ${formatFigure(masked.quality.baselinePerplexity)}`;
}

function tableLines({ title, header, rows }: TextTable): string[] {
  return [`${title}:`, table(header, rows)];
}
