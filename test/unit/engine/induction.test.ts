import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { uniform } from '../../../src/core/math/random';
import { defaultOptions } from '../../../src/core/options/table';
import { makeScenario, type ScenarioChoice } from '../../../src/core/scenario/scenario';
import { openModel } from '../../../src/engine/read/model/load';
import { CheckpointFiles } from '../../../src/engine/read/model/shards';
import { promptFromText } from '../../../src/engine/read/prompt';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { generate } from '../../../src/engine/tasks/generate/generate';
import { modelsFolder, sampleText } from '../../support/paths';

/** What the model that is set by hand, not trained, makes of a text: its right answers need no other run. */
async function continued(text: string, tokens: number, scenario: ScenarioChoice = { kind: 'native' }): Promise<string> {
  const { continuation } = await generate(
    promptFromText('made.txt', text),
    { ...defaultOptions, model: 'induction-bytes', scenario, verify: 'none', maxTokens: 0 },
    { tokens, baseline: false, temperature: 0, topK: 0, topP: 0, seed: 0 },
    {
      modelsFolder,
      calibrations: new CalibrationStore('/nonexistent'),
      signal: new AbortController().signal,
      onProgress: () => undefined,
    },
  );
  return continuation.text;
}

const next = uniform(5);

/** Printable characters, so many that no eight of them come twice. */
function noise(length: number): string {
  return Array.from({ length }, () => String.fromCharCode(32 + Math.floor(95 * next()))).join('');
}

/** A text of statements with others around and between them. */
function scattered(statements: readonly string[], around: number): string {
  return [...statements, ''].map((statement) => `${words(around)}\n${statement}`).join('');
}

/** English without definitions, from a place of the sample that no other call of a test takes. */
function words(length: number): string {
  const text = sampleText().replaceAll(/[^a-z ,.]/g, '');
  const from = Math.floor(next() * (text.length - length));
  return text.slice(from, from + length);
}

describe('the model that is set by hand', () => {
  it('completes a repeated pattern exactly, however far back it was and whatever it is made of', async () => {
    for (const far of [40, 700, 3000]) {
      const pattern = noise(40);
      expect(await continued(`${noise(300)}${pattern}${noise(far)}${pattern.slice(0, 8)}`, 32)).toBe(pattern.slice(8));
    }
  });

  it('loses exactly what a window hides, and finds it with a window that reaches it', async () => {
    const pattern = noise(12);
    const text = `${pattern}${noise(400)}${pattern.slice(0, 8)}`;
    // The last token of the question sees the token that followed the eight before, 411 tokens back, in a window of 412.
    expect(await continued(text, 1, makeScenario('sliding-window', { window: 412 }))).toBe(pattern[8]);
    expect(await continued(text, 1, makeScenario('sliding-window', { window: 411 }))).not.toBe(pattern[8]);
    expect(await continued(text, 1, makeScenario('attention-sink', { window: 64, sinks: 9 }))).toBe(pattern[8]);
    expect(await continued(text, 1, makeScenario('attention-sink', { window: 64, sinks: 8 }))).not.toBe(pattern[8]);
  });

  it('finds one of several needles with the same words around them', async () => {
    const needles = ['4', '8', '1', '6'].map((value, index) => `The code of room ${index} is ${value}.`);
    for (const [index, value] of ['4', '8', '1', '6'].entries()) {
      expect(await continued(`${scattered(needles, 300)}\nThe code of room ${index} is `, 1)).toBe(value);
    }
  });

  it.each([0, 1, 2, 3])('follows a chain of %i definitions, in any order, and loses it where one link is hidden', async (links) => {
    const chain = ['A', 'B', 'C', 'D'].slice(0, links + 1);
    const values = chain.map((name, index) => `var ${name} = ${index === 0 ? '7' : chain[index - 1]}\n`);
    const others = ['var X = 3\n', 'var Y = X\n'];
    const question = `\nvar ${chain[links]} = `;
    expect(await continued(scattered([...values, ...others], 150) + question, 1)).toBe('7');
    expect(await continued(scattered([...others, ...values].reverse(), 150) + question, 1)).toBe('7');
    // The first of the chain is hidden: what is found is the last name before it, or, of a chain of one, nothing.
    const text = scattered([...values, ...others], 150) + question;
    const hidden = text.indexOf('var A = 7');
    const mask = `k <= q and (q - k < 20 or k >= ${hidden + 16})`;
    const found = await continued(text, 1, { kind: 'custom', expression: mask });
    expect(found).not.toBe('7');
    if (links > 0) {
      expect(found).toBe('A');
    }
  });

  it('knows the right answer over a distance of 8,000 tokens, without another run', async () => {
    const pattern = noise(10);
    const text = `${pattern}${noise(8_000)}${pattern.slice(0, 8)}`;
    expect(await continued(text, 1, makeScenario('attention-sink', { window: 256, sinks: 16 }))).toBe(pattern[8]);
  });

  it('ships as its script makes it: every tensor, and codes that are far from each other', async () => {
    const folder = join(modelsFolder, 'induction-bytes');
    const { config } = await openModel('induction-bytes', modelsFolder);
    expect(config).toMatchObject({ lacks: [], shape: { layers: 12, heads: 1, vocabulary: 256, trainedTokens: 131_072 } });
    const files = await CheckpointFiles.open(folder);
    const { data, shape } = files.read('model.embed_tokens.weight');
    const codes = Array.from({ length: 256 }, (_, byte) => data.subarray(byte * shape[1], byte * shape[1] + 16));
    const product = (one: Float32Array, other: Float32Array): number => one.reduce((sum, value, index) => sum + value * other[index], 0);
    for (const [index, one] of codes.entries()) {
      expect(product(one, one)).toBe(1);
      expect(Math.max(...codes.slice(0, index).map((other) => product(one, other)), -1)).toBeLessThanOrEqual(0.25);
    }
  });
});
