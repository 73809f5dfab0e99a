import { formatDuration } from '../format';
import { layerPhases, timesOf } from '../report/phases';
import type { RunMeasurements } from '../report/report';
import { callPalette, element, escaped, ink, movedTo, page, textAt } from './svg';

/** The runs to draw, by phase. */
interface PhasesPictureRequest {
  /** Prefix of the ids in it. */
  readonly name: string;
  readonly title: string;
  readonly runs: readonly { readonly label: string; readonly run: Pick<RunMeasurements, 'wallMs' | 'phases'> }[];
}

/** The phases of a run's wall time, in order, and the remainder. */
const phases = [...layerPhases, 'other'] as const;

const [labelWidth, barWidth, rowHeight, barHeight] = [230, 430, 24, 16];
const longestLabel = 34;

/** One bar per run, divided into its phases, all at one scale. */
export function phasesPicture({ name, title, runs }: PhasesPictureRequest): string {
  const longest = Math.max(...runs.map(({ run }) => run.wallMs), Number.MIN_VALUE);
  const shown = phases.filter((phase) => runs.some(({ run }) => timeOf(run, phase) > 0));
  const bars = runs.map(({ label, run }, index) => {
    let x = labelWidth;
    const parts = shown.map((phase) => {
      const width = (timeOf(run, phase) / longest) * barWidth;
      const part = element(
        'rect',
        { x, width, height: barHeight, fill: fillOf(phase) },
        element('title', {}, escaped(`${phase}: ${formatDuration(timeOf(run, phase))}`)),
      );
      x += width;
      return part;
    });
    return movedTo(0, index * rowHeight, textAt(0, 12, shortened(label)), ...parts, textAt(x + 6, 12, formatDuration(run.wallMs)));
  });
  const legend = shown.map((phase, index) =>
    movedTo(labelWidth + index * 74, 0, element('rect', { width: 12, height: 12, fill: fillOf(phase) }), textAt(18, 10, phase)),
  );
  const height = runs.length * rowHeight;
  return page({
    name,
    title,
    description: runs.map(({ label, run }) => `${label}: ${formatDuration(run.wallMs)}`).join('; '),
    body: {
      markup: element('g', { 'font-size': 11.5 }, ...bars, movedTo(0, height + 12, ...legend)),
      width: labelWidth + barWidth + 90,
      height: height + 26,
    },
    caption: [
      'From tokens in memory to the last layer’s output: tokenization, verification and quality are not part of it. Other: what no phase measures.',
    ],
  });
}

function timeOf(run: Pick<RunMeasurements, 'wallMs' | 'phases'>, phase: (typeof phases)[number]): number {
  return new Map(timesOf(run).within).get(phase) ?? 0;
}

function fillOf(phase: (typeof phases)[number]): string {
  return phase === 'other' ? ink.frame : callPalette[phases.indexOf(phase)];
}

function shortened(label: string): string {
  return label.length > longestLabel ? `${label.slice(0, longestLabel - 1)}…` : label;
}
