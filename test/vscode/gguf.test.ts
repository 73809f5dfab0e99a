import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatCount } from '../../src/core/format';
import type { RunReport } from '../../src/core/report/report';
import { loadModel, openModel } from '../../src/engine/read/model/load';
import { cli } from '../support/cli';
import { llamaFolder } from '../support/llama-cpp/compare';
import { Ggml, quantised } from '../support/llama-cpp/ggml';
import { writeGguf } from '../support/llama-cpp/gguf';
import { ggmlRefusal } from '../support/llama-cpp/install';
import { embeddedFolder, modelsFolder, samplePrompt, sampleText } from '../support/paths';
import type { Definition } from '../support/tokenizers/definitions';
import { ggufTokenizer } from '../support/tokenizers/gguf-metadata';
import { useStage } from './harness/stage';

const stage = useStage('gguf', { files: { 'prompt.md': sampleText() } });

const folder = mkdtempSync(join(tmpdir(), 'two-heads-gguf-'));
const file = join(folder, 'Q4_K.gguf');
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(ggmlRefusal !== undefined)('a GGUF file that llama.cpp quantised', () => {
  beforeAll(async () => {
    const ggml = await Ggml.open(llamaFolder);
    const model = await loadModel(await openModel('tiny-docs-5m', modelsFolder));
    const definition = JSON.parse(readFileSync(join(embeddedFolder, 'tokenizer.json'), 'utf8')) as Definition;
    const vocabulary = ggufTokenizer(definition, { pre: 'gpt-2', bos: 0, eos: 1, addBos: true });
    // By llama.cpp's numbers. A row of 704 is no whole number of Q4_K's blocks of 256: its own quantiser takes another type there.
    const [q4k, q8] = [12, 8];
    const of = (width: number): number => (width % 256 === 0 ? q4k : q8);
    await writeGguf(file, model, 2048, (tensor) => quantised(ggml, of(tensor.shape[0]))(tensor), vocabulary);
  });

  it('is chosen, counts its own tokens, runs, and gives the numbers of the command line', async () => {
    const { stdout } = await cli(['simulate', samplePrompt, '--model', file, '--json']);
    const expected = JSON.parse(stdout) as RunReport;
    expect(expected.model.tokenizer.exact).toBe(true);
    await stage.bench.setSettings({ 'twoHeads.model': file });
    await stage.open('prompt.md');
    await stage.lens(`${formatCount(expected.prompt.tokens)} of 2,048 tokens, `);
    await stage.simulate();
    const panel = await stage.lab('prompt.md');
    await panel.text('weights', /MiB as stored, 4\.31 MiB in a run/);
    expect(await panel.figure('fidelity-max-abs-error')).toBeCloseTo(expected.fidelity?.maxAbsError ?? NaN, 7);
    expect(await panel.figure('quality-perplexity')).toBeCloseTo(expected.quality?.perplexity ?? NaN, 4);
    await stage.bench.screenshot('gguf');
  });
});
