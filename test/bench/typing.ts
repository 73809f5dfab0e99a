import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniform } from '../../src/core/math/random';
import { PlannerClient } from '../../src/engine/process/planner-client';
import { definitions } from '../support/tokenizers/definitions';
import { EditedPrompt } from './editing';
import { HoldMeter } from './hold';
import { type BenchContext, type Figure, median, percentile, type Section } from './section';
import { textsOf } from './texts';

/** Longest time that the editor's thread may be held, in milliseconds. */
export const holdGoalMs = 16;
/** Time in which a new plan should be there, in milliseconds. */
const updateGoalMs = 50;

/** Tokenizers of each kind. */
const kinds = ['Llama 3.1', 'Llama 2', 'Gemma 3', 'BERT', 'T5 (words, Metaspace)'];
const blockSize = 256;

/**
 * What typing in a large prompt costs the editor's thread, which all extensions share, and when the new plan is there.
 * Without the editor's own part.
 */
export async function typing({ quick, log }: BenchContext): Promise<Section> {
  const sizes = quick ? { held: 20_000, updated: 20_000 } : { held: 5_000_000, updated: 1_000_000 };
  const texts = { held: textsOf(sizes.held, uniform(1)), updated: textsOf(sizes.updated, uniform(1)) };
  const rows: Record<string, Figure>[] = [];
  for (const kind of kinds) {
    await withModel(kind, async (model) => {
      for (const text of Object.keys(texts.held)) {
        log(`typing in ${text} by ${kind}`);
        const held = await measure(model, texts.held[text], quick ? 3 : 10);
        const updated = await measure(model, texts.updated[text], quick ? 3 : 40);
        rows.push({
          ...{ kind, text, n: held.tokens, openMs: held.openMs, hold: Math.max(held.holdMs, updated.holdMs) },
          ...{ p50: median(updated.updateMs), p95: percentile(updated.updateMs, 0.95) },
        });
      }
    });
  }
  const over = (column: string, goal: number): string[] =>
    rows.filter((row) => Number(row[column]) > goal).map(({ kind, text }) => `${kind} ${text}`);
  const goal = (title: string, missed: readonly string[]): Section['goals'][number] => ({
    goal: title,
    measured: missed.length === 0 ? 'always' : `not ${missed.join(', ')}`,
    reached: missed.length === 0,
  });
  return {
    name: 'typing',
    title: "The editor's thread while someone types",
    method: `Planned with M = ${blockSize} in the planning thread, when opened and after each edit at a random place: letters, deletions, pastes. First plan and N: a text of ${sizes.held.toLocaleString('en-US')} UTF-16 code units. New plan: of ${sizes.updated.toLocaleString('en-US')}. Held: the longest time that this thread worked without a pause, for either.`,
    columns: {
      kind: 'tokenizer',
      text: 'text',
      n: 'N',
      openMs: 'first plan, ms',
      p50: 'new plan: median, ms',
      p95: '95th percentile, ms',
      hold: 'thread held: longest, ms',
    },
    rows,
    cross: { down: 'text', across: 'kind', figures: ['p95', 'hold'] },
    goals: quick
      ? []
      : [
          goal(`The editor's thread is held at most ${holdGoalMs} ms`, over('hold', holdGoalMs)),
          goal(`A new plan of a megabyte within ${updateGoalMs} ms at the 95th percentile`, over('p95', updateGoalMs)),
        ],
  };
}

/** Does something with a model's folder that has another kind of tokenizer: what planning needs. */
export async function withModel<T>(kind: string, act: (model: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'two-heads-bench-'));
  try {
    const model = join(folder, 'model');
    mkdirSync(model);
    copyFileSync(join(process.cwd(), 'media', 'models', 'tiny-docs-5m', 'config.json'), join(model, 'config.json'));
    writeFileSync(join(model, 'tokenizer.json'), JSON.stringify(definitions[kind]()));
    return await act(model);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What opening a prompt and editing it takes. */
interface Typed {
  readonly tokens: number;
  readonly openMs: number;
  readonly updateMs: readonly number[];
  readonly holdMs: number;
}

/** Opens a prompt with a model, and edits it. @param size M */
export async function measure(model: string, text: string, edits: number, size = blockSize): Promise<Typed> {
  const client = new PlannerClient(join(process.cwd(), 'dist', 'planner.js'), undefined, () => undefined);
  const prompt = new EditedPrompt(text, client, { model, blockSize: size }, uniform(2));
  const meter = new HoldMeter();
  try {
    meter.start();
    const openMs = await prompt.plan();
    const updateMs: number[] = [];
    for (let edit = 0; edit < edits; edit += 1) {
      prompt.edit();
      updateMs.push(await prompt.plan());
    }
    return { tokens: prompt.tokens, openMs, updateMs, holdMs: await meter.stop() };
  } finally {
    client.dispose();
  }
}
