import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectation } from '../../src/core/hints/expected';
import { blockCost, blockLabel, planHeadline, planStatus } from '../../src/core/hints/hints';
import { rangeCost, sectionLabel } from '../../src/core/hints/sections';
import { uniform } from '../../src/core/math/random';
import { defaultOptions } from '../../src/core/options/table';
import { makePlan } from '../../src/core/plan/plan';
import { planRequest } from '../../src/core/plan/request';
import type { Calibration } from '../../src/core/predict/calibration';
import { expectedMemory } from '../../src/core/predict/memory';
import { devicePrediction } from '../../src/core/predict/prediction';
import { type Outline, outlineOf, sectionsOf } from '../../src/core/text/headings';
import { type ModelFolder, openModel } from '../../src/engine/read/model/load';
import { PromptTokenizer } from '../../src/engine/read/tokenizer/tokenizer';
import { type BenchContext, type Figure, median, percentile, type Section } from './section';

/** Characters of the part of a prompt of which hints are drawn: some 50 lines that an editor shows, and 60 on either side. */
const visibleCharacters = 14_000;

/** What is typed: letters above all, line breaks, deletions, a paragraph that is pasted. */
const edits = ['a', 'e', ' ', 't', '\n', '', '', 'A paragraph that is pasted.\nIt has two lines, and more words than one would type.\n'];

/**
 * From a keystroke to new hints: what the extension does once it turns to the change, which is 5 ms after the key where the
 * last update took less than 30 ms. Without the editor's own part.
 */
export async function hints({ quick, log }: BenchContext, calibration: Calibration): Promise<Section> {
  const models = join(process.cwd(), 'media', 'models');
  const model = await openModel('tiny-docs-5m', models);
  const tokenizer = await PromptTokenizer.load(model.folder);
  const rows: Record<string, Figure>[] = [];
  for (const bytes of quick ? [10_000] : [10_000, 100_000, 1_000_000]) {
    for (const blockSize of [256, 64]) {
      log(`hints of ${bytes} bytes, M = ${blockSize}`);
      rows.push(measure(promptOf(bytes), blockSize, model, tokenizer, calibration, quick ? 20 : 200));
    }
  }
  const largest = rows[rows.length - 2];
  return {
    name: 'hints',
    title: 'From a keystroke to new lens, status and hints of the visible range',
    method:
      'Keystrokes at random places of a prompt of distinct lines: tokens, plan, prediction, sections and labels anew. First look: the prompt was never seen.',
    columns: {
      bytes: 'prompt, bytes',
      tokens: 'N',
      blockSize: 'M',
      firstMs: 'first look, ms',
      p50: 'median, ms',
      p95: '95th percentile, ms',
      worst: 'longest, ms',
    },
    rows,
    goals: quick
      ? []
      : [
          {
            goal: 'Hints of a 1 MB prompt within 50 ms of a keystroke at the 95th percentile',
            measured: `${(Number(largest.p95) + 5).toFixed(1)} ms, the pause of 5 ms included (M = 256)`,
            reached: Number(largest.p95) + 5 <= 50,
          },
        ],
  };
}

function measure(
  prompt: string,
  blockSize: number,
  model: ModelFolder,
  tokenizer: PromptTokenizer,
  calibration: Calibration,
  keystrokes: number,
): Record<string, Figure> {
  let index = tokenizer.emptyIndex;
  let tokens = 0;
  let outline: Outline | undefined;
  const update = (text: string, at: number): void => {
    index = index.edited(text);
    tokens = index.tokens;
    const plan = makePlan({
      ...planRequest(index.tokens, model.config.shape, { ...defaultOptions, blockSize }),
      scoreBytes: calibration.scoreBytes,
    });
    const prediction = devicePrediction(plan, calibration, expectedMemory(plan, defaultOptions, calibration));
    const shown = [planHeadline(plan), planStatus(plan), prediction === null ? '' : expectation(prediction)];
    const first = Math.floor(index.tokenAt(at) / plan.blockSize);
    const last = Math.min(plan.blocks - 1, Math.floor(index.tokenAt(at + visibleCharacters) / plan.blockSize));
    for (let block = first; block <= last; block += 1) {
      shown.push(`${index.offsetOf(block * plan.blockSize)} ${blockLabel(blockCost(plan, block), prediction)}`);
    }
    outline = outlineOf(text, outline);
    for (const { from, end } of sectionsOf(outline).filter(({ from }) => from >= at && from <= at + visibleCharacters)) {
      shown.push(sectionLabel(rangeCost(plan, index.firstTokenFrom(from), index.firstTokenFrom(end)), prediction));
    }
  };
  let text = prompt;
  const timed = (at: number): number => {
    const start = performance.now();
    update(text, at);
    return performance.now() - start;
  };
  const firstMs = timed(0);
  const next = uniform(1);
  const times: number[] = [];
  for (let index = 0; index < keystrokes; index += 1) {
    const at = Math.floor(next() * text.length);
    const edit = edits[Math.floor(next() * edits.length)];
    text = flat(text.slice(0, at) + edit + text.slice(at + (edit === '' ? 1 : 0)));
    times.push(timed(at));
  }
  return { bytes: prompt.length, tokens, blockSize, firstMs, p50: median(times), p95: percentile(times, 0.95), worst: Math.max(...times) };
}

/** A string in one piece, as an editor gives it: not a tree of the pieces it was made of. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}

/** A prompt of about so many bytes: the sample again and again, each line made distinct. */
function promptOf(bytes: number): string {
  const lines = readFileSync(join(process.cwd(), 'media', 'samples', 'long-prompt.md'), 'utf8').split('\n');
  let text = '';
  for (let index = 0; text.length < bytes; index += 1) {
    const line = lines[index % lines.length];
    text += line === '' ? '\n' : `${line} (${index})\n`;
  }
  return flat(text.slice(0, bytes));
}
