import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { uniform } from '../../src/core/math/random';
import { plainSource } from '../../src/core/source/options';
import { defaultOptions } from '../../src/core/options/table';
import { PlannerClient } from '../../src/engine/process/planner-client';
import type { PromptRequest } from '../../src/engine/process/planner-methods';
import { type ChunkPlaces, TokenPlaces } from '../../src/engine/read/tokenizer/token-places';
import { definitions } from '../support/tokenizers/definitions';
import { type BenchContext, type Figure, median, percentile, type Section } from './section';
import { textsOf } from './texts';

/** Longest time that the editor's thread may be held, in milliseconds. */
const holdGoalMs = 16;

/** Tokenizers of each kind. */
const kinds = ['Llama 3.1', 'Llama 2', 'Gemma 3', 'BERT', 'T5 (words, Metaspace)'];

/**
 * What typing in a large prompt costs the editor's thread, which all extensions share: how long it is held while the
 * planning thread tokenizes and plans, and when the new plan is there. Without the editor's own part.
 */
export async function typing({ quick, log }: BenchContext): Promise<Section> {
  const units = quick ? 20_000 : 5_000_000;
  const texts = textsOf(units, uniform(1));
  const folder = mkdtempSync(join(tmpdir(), 'two-heads-bench-'));
  const rows: Record<string, Figure>[] = [];
  try {
    for (const kind of kinds) {
      const model = modelWith(join(folder, kind.replaceAll(/\W/g, '-')), definitions[kind]());
      for (const [text, content] of Object.entries(texts)) {
        log(`typing in ${text} by ${kind}`);
        rows.push({ kind, text, ...(await measure(model, content, quick ? 3 : 10)) });
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const held = rows.filter(({ hold }) => Number(hold) > holdGoalMs).map(({ kind, text }) => `${kind} ${text}`);
  return {
    name: 'typing',
    title: "The editor's thread while someone types",
    method: `Texts of ${units.toLocaleString('en-US')} UTF-16 code units, planned with M = 256 in the planning thread: when opened, and after each letter typed or removed at a random place. Held: the longest turn of this thread meanwhile.`,
    columns: {
      kind: 'tokenizer',
      text: 'text',
      n: 'N',
      openMs: 'first plan, ms',
      p50: 'new plan: median, ms',
      worst: 'longest, ms',
      hold: 'thread held: longest, ms',
    },
    rows,
    goals: quick
      ? []
      : [
          {
            goal: `The editor's thread is held at most ${holdGoalMs} ms`,
            measured: held.length === 0 ? 'always' : `not ${held.join(', ')}`,
            reached: held.length === 0,
          },
        ],
  };
}

/** A model's folder with another tokenizer: what planning needs. */
function modelWith(folder: string, tokenizer: object): string {
  mkdirSync(folder);
  copyFileSync(join(process.cwd(), 'media', 'models', 'tiny-docs-5m', 'config.json'), join(folder, 'config.json'));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  return folder;
}

async function measure(model: string, content: string, edits: number): Promise<Record<string, Figure>> {
  const client = new PlannerClient(join(process.cwd(), 'dist', 'planner.js'), undefined, () => undefined);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let places: TokenPlaces = new TokenPlaces<ChunkPlaces>([], 0, 0);
  const plan = async (version: number, change: PromptRequest['change']): Promise<number> => {
    const start = performance.now();
    const options = { ...defaultOptions, model };
    const planned = await client.call('plan', {
      document: 'bench',
      version,
      change,
      source: { ...plainSource, as: 'markdown' },
      options,
      candidates: [],
    });
    if (planned === 'unknown') {
      throw new Error('The planning thread lost the text.');
    }
    places = new TokenPlaces(places.chunksAfter(planned.places), planned.before, planned.after);
    return performance.now() - start;
  };
  try {
    delay.enable();
    const openMs = await plan(1, { text: content });
    const next = uniform(2);
    const times: number[] = [];
    for (let edit = 0; edit < edits; edit += 1) {
      const typed = edit % 2 === 0;
      const offset = Math.floor(next() * (content.length - 1));
      const change = { offset, removed: typed ? 0 : 1, inserted: typed ? 'e' : '' };
      times.push(await plan(edit + 2, { since: edit + 1, changes: [change] }));
    }
    delay.disable();
    return { n: places.tokens, openMs, p50: median(times), worst: percentile(times, 1), hold: delay.max / 1e6 };
  } finally {
    client.dispose();
  }
}
