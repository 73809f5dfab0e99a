import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { optionsFrom } from '../../../src/cli/options';
import { separatorOf } from '../../../src/core/options/documents';
import { greedy } from '../../../src/core/generate/choose';
import { defaultOptions, type SimulationOptions } from '../../../src/core/options/table';
import type { RunReport } from '../../../src/core/report/report';
import { toJson } from '../../../src/core/report/json';
import type { CustomScenario } from '../../../src/core/scenario/custom';
import { makeScenario, partNames, perHead, type Scenario, startsInWindow, withStarts } from '../../../src/core/scenario/scenario';
import { type Row, rowsOf, sameJob } from '../../../src/core/evaluate/units';
import { modelPosition, modelPositions, numbersIn } from '../../../src/core/shards/cut';
import type { PromptText } from '../../../src/core/source/prompt-text';
import { partStarts } from '../../../src/engine/read/part-starts';
import { promptFromText } from '../../../src/engine/read/prompt';
import { reportsFrom } from '../../../src/engine/read/report/reports';
import { readSource } from '../../../src/engine/read/source/read-source';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { TokenPlaces } from '../../../src/engine/read/tokenizer/token-places';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { evaluate } from '../../../src/engine/tasks/evaluate/run-experiment';
import { defaultExperiment } from '../../../src/core/evaluate/experiment';
import { generate } from '../../../src/engine/tasks/generate/generate';
import { planPrompt } from '../../../src/engine/tasks/plan';
import { simulate } from '../../../src/engine/tasks/simulate';
import { DigestStore } from '../../../src/engine/store/digests';
import { rowWorkData, work } from '../../../src/fleet/work';
import { causalWork } from '../../torture/readers/fleet-work';
import { float64Perplexity } from '../../support/float64-llama';
import { embeddedFolder, modelsFolder } from '../../support/paths';

const quiet = { signal: new AbortController().signal, onProgress: () => undefined };
const context = { modelsFolder, calibrations: new CalibrationStore('/nonexistent'), ...quiet };

/** The parts of a document, with a token for every `size` characters, and one before the text. */
function startsOf(path: string, text: string, separator = '<|endoftext|>', size = 1): Readonly<Record<string, readonly number[]>> {
  const read: PromptText = readSource(promptFromText(path, text), { name: 'test', template: () => undefined });
  const starts = Int32Array.from({ length: Math.ceil(read.text.length / size) }, (_, index) => size * index);
  const places = new TokenPlaces([{ starts, units: read.text.length }], 1, 0);
  return partStarts(partNames, { text: read, places: () => places, tokens: places.tokens, separator });
}

describe('where the parts of a prompt begin', () => {
  it('finds documents behind their separator, which belongs to the one that it ends', () => {
    expect(startsOf('a.txt', 'one<|endoftext|>two<|endoftext|>').doc).toEqual([0, 17]);
    expect(startsOf('a.txt', 'one\n---\ntwo\n---\nthree', '\\n---\\n').doc).toEqual([0, 9, 17]);
    expect(startsOf('a.txt', 'no end').doc).toEqual([0]);
    expect(() => startsOf('a.txt', 'x', '\\d')).toThrow('Separator "\\d" has \\d, which stands for nothing; use \\n, \\r, \\t or \\\\.');
  });

  it('gives a token that holds an end and a beginning to the first', () => {
    // Tokens begin at 0, 4, 8, ...; the documents at 0, 2 and 5.
    expect(startsOf('a.txt', 'a|bc|defghijkl', '|', 4).doc).toEqual([0, 2, 3]);
    // Two that begin in one token are one part there.
    expect(startsOf('a.txt', 'a|b|cdefghijkl', '|', 8).doc).toEqual([0, 2]);
  });

  it('finds sections of Markdown, and none elsewhere', () => {
    const text = '\n# One\n\ntext\n\n## Two\n\n```\n# no heading\n```\n\nThree\n=====\n';
    expect(startsOf('a.md', text).sec).toEqual([0, 1 + text.indexOf('## Two'), 1 + text.indexOf('Three')]);
    expect(startsOf('a.md', `before ${text}`).sec).toHaveLength(4);
    expect(startsOf('a.txt', text).sec).toEqual([0]);
  });

  it('finds the messages of a chat', () => {
    const messages = ['system', 'user', 'assistant'].map((role) => ({ role, content: `I am ${role}` }));
    // Read as "system: I am system\n\nuser: ...".
    expect(startsOf('a.json', JSON.stringify({ messages })).msg).toEqual([0, 20, 37]);
    expect(startsOf('a.md', 'text').msg).toEqual([0]);
  });

  it('refuses a separator that is no text, or has an escape of no meaning', () => {
    expect(() => separatorOf('')).toThrow('Separator "" is empty and ends no document; give the text that does, such as <|endoftext|>.');
    expect(() => separatorOf('a\\q')).toThrow('Separator "a\\q" has \\q, which stands for nothing; use \\n, \\r, \\t or \\\\.');
    expect(separatorOf('\\n--\\t\\\\')).toBe('\n--\t\\');
  });

  it('refuses a separator where nothing counts documents', () => {
    const given = { separator: '|', scenario: 'custom', mask: 'k <= q and msg(q) == msg(k)' };
    expect(() => optionsFrom(given)).toThrow(/^--separator \| does nothing where no mask counts documents/);
    expect(optionsFrom({ ...given, mask: 'k <= q and doc(q) == doc(k)' }).separator).toBe('|');
    expect(optionsFrom({ ...given, 'reset-positions': true }).resetPositions).toBe(true);
    expect(() => optionsFrom({ scenario: 'per-head' })).toThrow(/needs the scenarios of its heads; give them with --cycle/);
  });

  it('counts those of a window from its own first', () => {
    const starts = { doc: [0, 5, 9, 12] };
    expect(startsInWindow(starts, 5, 12, 0)).toEqual({ doc: [0, 4] });
    expect(startsInWindow(starts, 6, 13, 1)).toEqual({ doc: [0, 4, 7] });
  });
});

/** Three documents of the same text: under a mask by document, each is a prompt of its own. */
const document = 'Sinks stay where they are. ';
const packed = `${document}|${document}|${document}`;
const scenario = makeScenario('custom', { expression: 'k <= q and doc(q) == doc(k)' });
const options: SimulationOptions = { ...defaultOptions, scenario, separator: '|', blockSize: 6, quality: false };

describe('a run under a mask by document', () => {
  it.each(['fused', 'tight'] as const)('says where they begin, and is exact, under %s', async (construction) => {
    const report = await simulate(promptFromText('a.txt', packed), { ...options, construction }, context);
    const { starts } = report.scenario as CustomScenario;
    expect(starts?.doc).toHaveLength(3);
    const lengths = starts?.doc?.map((start, index, all) => (all.at(index + 1) ?? report.prompt.tokens) - start) ?? [];
    expect(report.plan.visiblePairs).toBe(lengths.reduce((sum, length) => sum + (length * (length + 1)) / 2, 0));
    expect(report.run.calls.attention).toBe(report.plan.calls.attention);
    expect(report.fidelity).toMatchObject({ wrongRows: [], probe: { rows: report.prompt.tokens, wrongRows: [] } });
    expect(report.plan.notes).toContain('The prompt has 3 documents, which doc counts.');
    expect(reportsFrom(toJson(report), 'report.json')).toEqual([report]);
  });

  it('says where there is nothing to count', async () => {
    const { plan } = await planPrompt(promptFromText('a.txt', document), options, context);
    expect(plan.scenario).toMatchObject({ starts: { doc: [0] } });
    expect(plan.notes).toContain('The separator ends no document before the end of this prompt: doc is 0 everywhere.');
  });

  it('goes on in the last document', async () => {
    const report = await generate(
      promptFromText('a.txt', packed),
      { ...options, quality: true },
      { ...greedy, tokens: 3, baseline: false },
      context,
    );
    expect(report.verdict.kind).toBe('exact');
  });

  it('reaches other machines with the places of its parts', () => {
    const [own] = causalWork('0123456789abcdef'.repeat(2)).rows;
    const placed = perHead([withStarts(scenario, { doc: [0, 2] }), { kind: 'causal' }]) as Scenario;
    const units = [{ ...own.units[0], job: { scenario: placed, blockSize: 4, restarts: [0, 2] } }];
    const sent = { ...causalWork('0123456789abcdef'.repeat(2)), rows: [{ ...own, units }] };
    const read = work.parse(JSON.parse(JSON.stringify(rowWorkData(sent))));
    expect(read).toMatchObject({ rows: [{ units }] });
  });

  it('is evaluated window by window, each with documents of its own', async () => {
    const experiment = {
      ...defaultExperiment,
      maximumWindows: 1,
      prompts: [],
      scenarios: ['custom:k <= q and doc(q) == doc(k)'],
      separator: '|',
      context: 12,
    };
    const texts = [{ path: 'a.txt', text: packed }];
    const digests = new DigestStore(undefined);
    const summary = await evaluate({ experiment, texts }, { ...context, digests });
    const [point] = summary.points;
    expect(point.verdict.kind).toBe('exact');
    const retrieval = { ...experiment, retrieval: { lengths: [12] } } as unknown as typeof experiment;
    await expect(evaluate({ experiment: retrieval, texts }, { ...context, digests })).rejects.toThrow(/so doc\(q\) means nothing there/);
  });
});

describe('positions that begin again in every document', () => {
  const run = (more: Partial<SimulationOptions>): Promise<RunReport> =>
    simulate(
      promptFromText('a.txt', packed),
      { ...options, scenario: { kind: 'causal' }, quality: true, resetPositions: true, ...more },
      context,
    );

  /** The perplexity at these positions, computed once: it takes a second. */
  let exact: number | undefined;

  it.each(['tiles', 'compiled'] as const)('are those of an independent float64 model, by %s', async (executor) => {
    const report = await run({ executor });
    const restarts = report.plan.restarts ?? [];
    expect(restarts).toHaveLength(3);
    const ids = [...(await PromptTokenizer.load(embeddedFolder)).encode(packed)];
    const positionOf = (row: number): number => row - Math.max(...restarts.filter((start) => start <= row));
    exact ??= float64Perplexity(embeddedFolder, ids, (query, key) => key <= query, positionOf);
    expect(Math.abs((report.quality?.perplexity ?? NaN) / exact - 1)).toBeLessThan(5e-5);
    // The model's own attention keeps its own.
    expect(report.quality?.meanKl).toBeGreaterThan(1e-3);
    expect(report.quality?.ownBaseline).toBe(false);
    expect(report.run.calls).toMatchObject({ total: report.plan.calls.total });
    expect(report.verdict.kind).toBe('exact');
    expect(reportsFrom(toJson(report), 'report.json')).toEqual([report]);
  });

  it('are counted from the latest restart, in any rows', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 8 }),
        fc.integer({ min: 0, max: 60 }),
        fc.nat(20),
        (later, from, count) => {
          const restarts = [0, ...later.sort((one, other) => one - other)];
          const expected = Array.from(
            { length: count },
            (_, row) => from + row - Math.max(...restarts.filter((start) => start <= from + row)),
          );
          expect(numbersIn(modelPositions({ restarts }, { from, to: from + count }))).toEqual(expected);
          const ranges = [{ from, to: from + count }];
          expect(expected.map((_, row) => modelPosition({ ranges, restarts }, row))).toEqual(expected);
        },
      ),
    );
  });

  it('are those of each window in an experiment, whose units are others then', () => {
    const sequence = {
      tokens: new Int32Array(9),
      starts: { doc: [0, 4] },
      scoring: { kind: 'retrieval', row: 1, answer: [1] } as const,
      about: { kind: 'window' },
    };
    const jobs = [{ scenario: { kind: 'causal' } as const, blockSize: 4 }];
    const rows = (reset: boolean): Row[] => rowsOf([sequence], jobs, (about) => JSON.stringify(about), reset);
    const [[through], [again]] = [rows(false), rows(true)];
    expect(through.units[0].job).toEqual(jobs[0]);
    expect(again.units[0].job).toEqual({ ...jobs[0], restarts: [0, 4] });
    expect(again.id).toBe(through.id);
    expect(again.units[0].id).not.toBe(through.units[0].id);
    expect(sameJob(again.units[0].job, jobs[0])).toBe(false);
  });

  it('are refused where tokens are added one by one', async () => {
    const generation = { ...greedy, tokens: 2, baseline: false };
    await expect(generate(promptFromText('a.txt', packed), { ...options, resetPositions: true }, generation, context)).rejects.toThrow(
      /^--reset-positions is for whole prompts/,
    );
  });
});
