import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultExperiment, defaultRetrieval, type Experiment, scenarioOf } from '../../../../src/core/evaluate/experiment';
import type { Outcome, RetrievalRequest } from '../../../../src/core/evaluate/retrieval';
import type { ExperimentPoint } from '../../../../src/core/evaluate/report';
import { taskLabel } from '../../../../src/core/evaluate/rows';
import { maskOf, type Scenario } from '../../../../src/core/scenario/scenario';
import { type ModelFolder, openModel } from '../../../../src/engine/read/model/load';
import { promptFromText } from '../../../../src/engine/read/prompt';
import { PromptTokenizer } from '../../../../src/engine/read/tokenizer/tokenizer';
import { CalibrationStore } from '../../../../src/engine/store/calibrations';
import { DigestStore } from '../../../../src/engine/store/digests';
import { Results } from '../../../../src/engine/tasks/evaluate/results';
import { expectedOutcomes, type PlacedCase, placeCases } from '../../../../src/engine/tasks/evaluate/retrieval';
import { runExperiment } from '../../../../src/engine/tasks/evaluate/run-experiment';
import { type ExperimentText, readTexts } from '../../../../src/engine/tasks/evaluate/texts';
import { modelsFolder, sampleText } from '../../../support/paths';

const all: RetrievalRequest = {
  ...defaultRetrieval(500),
  tasks: ['single', 'several', 'chains', 'repeated'],
  lengths: [300],
  depths: [0, 0.6],
  hops: [1, 3],
  filler: 'generated',
};

function retrieved(
  scenarios: Experiment['scenarios'],
  retrieval: RetrievalRequest,
  text = 'A short text.',
): Promise<readonly ExperimentPoint[]> {
  const experiment: Experiment = {
    ...defaultExperiment,
    prompts: ['made.txt'],
    model: 'induction-bytes',
    scenarios,
    blocks: [64],
    context: 64,
    maximumWindows: 1,
    threads: 1,
    retrieval,
  };
  return runExperiment([promptFromText('made.txt', text)], experiment, {
    modelsFolder,
    calibrations: new CalibrationStore('/nonexistent'),
    digests: new DigestStore(join('/nonexistent', 'digests')),
    results: Results.inMemory(),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  }).then(({ points }) => points);
}

async function placed(request: RetrievalRequest): Promise<{ readonly model: ModelFolder; readonly cases: readonly PlacedCase[] }> {
  const model = await openModel('induction-bytes', modelsFolder);
  const tokenizer = await PromptTokenizer.load(model.folder);
  const sizes = { context: 64, stride: 64 };
  const texts: readonly ExperimentText[] = await readTexts(
    [promptFromText('made.txt', 'x')],
    tokenizer,
    model,
    { maximumWindows: 1, quality: true, score: 'all', separator: '<|endoftext|>' },
    sizes,
  );
  return { model, cases: placeCases(request, texts, tokenizer) };
}

/** Pairs of tokens that the digits of a case's answer need, by what the constructed model is said to do. */
function needs({ tokens, row, answer, asked }: PlacedCase): (readonly [query: number, key: number])[] {
  const text = String.fromCharCode(...tokens);
  const edges: [number, number][] = [];
  answer.forEach((byte, index) => {
    if (byte === 0x20) {
      // Other statements have a space there too.
      return;
    }
    const query = row + index;
    const context = text.slice(query - 7, query + 1);
    const last = index === answer.length - 1;
    // Of several sources of one context, the one with the answer; of a chain, the one that there is.
    let source = -1;
    for (let at = text.indexOf(context); at >= 0 && at + 8 <= query; at = text.indexOf(context, at + 1)) {
      if (asked.task === 'chains' ? source < 0 : tokens[at + 8] === byte && (source < 0 || !last)) {
        source = at + 8;
      }
    }
    for (let back = 1; back <= 8; back += 1) {
      edges.push([source, source - back], ...(back < 8 ? [[query, query - back] as [number, number]] : []));
    }
    edges.push([query, source]);
    for (let name = text.charAt(source); last && /[A-Z]/.test(name);) {
      const at = text.indexOf(`\nvar ${name} = `) + 9;
      edges.push([query, at], [at, at - 2], [at, at - 4]);
      name = text.charAt(at);
    }
  });
  return edges;
}

describe('the retrieval suite on the model that is set by hand', () => {
  it('finds everything under its own attention, and under a mask exactly what it says by definition', async () => {
    const points = await retrieved(
      [
        'native',
        'sliding-window:140',
        'attention-sink:40:64',
        'sliding-window:5',
        'custom:k <= q and (k // 100 == q // 100 or k % 3 == 0)',
        ['sliding-window:90', 'causal'],
      ],
      all,
    );
    const reports = points.map(({ retrieval }) => retrieval);
    expect(reports.map((report) => [report?.cases.length, report?.differing])).toEqual(points.map(() => [10, 0]));
    expect(reports[0]).toMatchObject({ found: 10, expected: 10 });
    // Each mask loses something, most find something, and next to nothing is too near to call.
    expect(reports.slice(1).map((report) => report?.found)).not.toContain(10);
    expect(reports.filter((report) => (report?.found ?? 0) > 0).length).toBeGreaterThanOrEqual(4);
    const unknown = reports.flatMap((report) => report?.cases ?? []).filter(({ expected }) => expected === null);
    expect(unknown.length).toBeLessThan(4);
  });

  it('has answers in a text of the user’s too, and says where that text answers by itself', async () => {
    const request: RetrievalRequest = { ...all, filler: 'prompt', tasks: ['single', 'several'], lengths: [300], depths: [0.5] };
    const [point] = await retrieved(['native'], request, sampleText());
    expect(point.retrieval).toMatchObject({ found: 2, expected: 2, differing: 0 });
    const answering = `The access code of the archive is kept. ${sampleText()}`;
    await expect(retrieved(['native'], { ...request, tasks: ['single'] }, answering)).rejects.toThrow(
      /^The haystack itself has what is asked for \("The access code of the archive is"\) at token \d+, /,
    );
  });

  it('is expected to lose a case exactly if the mask cuts an edge that its look-ups need', async () => {
    const { model, cases } = await placed({ ...all, lengths: [700], depths: [0, 0.3, 0.9], hops: [1, 2, 3, 4], seed: 3 });
    const masks: readonly Scenario[] = ['sliding-window:64', 'sliding-window:400', 'attention-sink:100:80', 'attention-sink:300:12'].map(
      (text) => scenarioOf(text) as Scenario,
    );
    const written: readonly Scenario[] = [40, 61, 97].map((period) => ({
      kind: 'custom',
      expression: `k <= q and (q - k < 16 or k // ${period} % 2 == 0)`,
    }));
    const jobs = [...masks, ...written].map((scenario) => ({ scenario, blockSize: 64 }));
    const outcomes = await expectedOutcomes(cases, jobs, model, modelsFolder);
    const seen: Record<Outcome, number> = { found: 0, lost: 0 };
    jobs.forEach(({ scenario }, job) =>
      cases.forEach((each, index) => {
        const mask = maskOf(scenario, each.tokens.length);
        const cut = needs(each).some(([query, key]) => !mask.allows(query, key));
        const outcome: Outcome = cut ? 'lost' : 'found';
        expect([taskLabel(each.asked), each.asked.depth, scenario, outcomes[job][index]]).toEqual([
          taskLabel(each.asked),
          each.asked.depth,
          scenario,
          outcome,
        ]);
        seen[outcome] += 1;
      }),
    );
    expect(Math.min(seen.found, seen.lost)).toBeGreaterThan(20);
  });

  it('knows nothing of other models and sampled masks', async () => {
    const { cases } = await placed({ ...all, tasks: ['single'], depths: [0] });
    const jobs = [{ scenario: scenarioOf('causal') as Scenario, blockSize: 64 }];
    expect(await expectedOutcomes(cases, jobs, await openModel('tiny-docs-5m', modelsFolder), modelsFolder)).toEqual([[null]]);
    const sampled = [{ scenario: scenarioOf('average-case') as Scenario, blockSize: 64 }];
    expect(await expectedOutcomes(cases, sampled, await openModel('induction-bytes', modelsFolder), modelsFolder)).toEqual([[null]]);
  });
});
