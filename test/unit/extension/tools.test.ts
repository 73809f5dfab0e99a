import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defaultOptions } from '../../../src/core/options/options';
import { runConfirmation } from '../../../src/extension/api/language-model-tools';
import { comparisonText, planText, reportJson, runText } from '../../../src/extension/api/result-text';
import { compareToolInput, promptToolInput, readCompareInput, readPromptInput } from '../../../src/extension/api/tool-input';

import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { promptFromText } from '../../../src/engine/read/prompt';
import { simulate } from '../../../src/engine/tasks/simulate';
import type { FormChoice } from '../../../src/protocol/panel';
import { modelsFolder, root, sampleText } from '../../support/paths';

const choice: FormChoice = { kind: 'causal', blockSize: 256, parameters: { window: 512, sinks: 4, seed: 1, expression: 'k <= q' } };

/** What the manifest says of a tool. */
interface ManifestTool {
  readonly name: string;
  readonly toolReferenceName: string;
  readonly inputSchema: { readonly properties: Record<string, Record<string, unknown>> };
}

describe('the input of tools', () => {
  it('is in the manifest as it is checked', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      contributes: { languageModelTools: ManifestTool[] };
    };
    const tools = manifest.contributes.languageModelTools;
    expect(tools.map(({ name, toolReferenceName }) => [name, toolReferenceName])).toEqual(
      ['plan_prompt', 'simulate_prompt', 'compare_scenarios'].map((name) => [`twoHeads_${name}`, name]),
    );
    for (const [index, schema] of [promptToolInput, promptToolInput, compareToolInput].entries()) {
      const { properties } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }) as ManifestTool['inputSchema'];
      const declared = tools[index].inputSchema.properties;
      expect(Object.keys(declared).sort()).toEqual(Object.keys(properties).sort());
      for (const [name, { type, enum: words }] of Object.entries(properties)) {
        expect(declared[name]).toMatchObject({ type, ...(words === undefined ? {} : { enum: words }) });
      }
    }
  });

  it('takes what is left out from the user', () => {
    expect(readPromptInput({ file: 'a.md' }, choice)).toEqual({
      source: { file: 'a.md' },
      blockSize: 256,
      model: undefined,
      scenario: { kind: 'causal' },
    });
    expect(readPromptInput({ text: 'a', scenario: 'attention-sink', window: 8, blockSize: 4, model: 'gpt2' }, choice)).toEqual({
      source: { text: 'a' },
      blockSize: 4,
      model: 'gpt2',
      scenario: { kind: 'attention-sink', window: 8, sinks: 4 },
    });
    expect(readCompareInput({ file: 'a.md', scenarios: ['causal', 'sliding-window'], window: 9 }, choice).wanted).toEqual({
      named: true,
      scenarios: [{ kind: 'causal' }, { kind: 'sliding-window', window: 9 }],
    });
    expect(readCompareInput({ file: 'a.md' }, choice).wanted.named).toBe(false);
  });

  it.each<[unknown, string]>([
    [{}, 'input has neither file and text; give one of them.'],
    [{ file: 'a', text: 'b' }, 'input has both file and text; give one of them.'],
    [{ file: 7 }, 'input.file of 7 is not possible; give the path of a prompt file in the workspace.'],
    [{ file: 'a', scenario: 'dense' }, 'input.scenario of "dense" is not possible; use one of native, full'],
    [{ file: 'a', window: 7 }, 'window of 7 does nothing under scenario causal; leave it out.'],
    [{ file: 'a', path: 'b' }, 'input has no "path"; leave it out.'],
    [undefined, 'input of undefined is not possible; give an object.'],
  ])('is refused in one line: %#', (given, message) => {
    expect(() => readPromptInput(given, choice)).toThrow(message);
  });

  it('names a scenario once', () => {
    expect(() => readCompareInput({ file: 'a', scenarios: ['causal', 'causal'] }, choice)).toThrow('name each once');
    expect(() => readCompareInput({ file: 'a', scenarios: [] }, choice)).toThrow(
      'input.scenarios of a list is not possible; name a scenario.',
    );
  });
});

describe('what tools say', async () => {
  const surroundings = {
    modelsFolder,
    calibrations: new CalibrationStore('/nowhere'),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  };
  const report = await simulate(promptFromText('a.md', sampleText().slice(0, 1500)), { ...defaultOptions, blockSize: 64 }, surroundings);

  it('is the numbers of the report', () => {
    expect(planText(report)).toContain(`${report.plan.calls.total} calls of the small transformer`);
    expect(runText(report)).toContain(`max abs error ${report.fidelity?.maxAbsError.toExponential(1) ?? ''}`);
    const { schemaVersion, prompt, model } = report;
    const table = comparisonText({
      schemaVersion,
      prompt,
      model,
      runs: [report, report],
      refused: [{ scenario: { kind: 'custom', expression: 'k <= q' }, reason: 'No.' }],
    });
    expect(table.split('\n').filter((row) => row.startsWith('| causal |'))).toHaveLength(2);
    expect(table).toContain('- left out custom(k <= q): No.');
  });

  it('has the report itself where it is short', () => {
    expect(JSON.parse(reportJson(report) ?? '')).toEqual(report);
    expect(reportJson({ runs: Array(8).fill(report) })).toBeUndefined();
  });

  it('asks before a run with its file, calls and time', () => {
    const prediction = { wallMs: 1200 } as NonNullable<typeof report.prediction>;
    const { title, message } = runConfirmation([
      { ...report, prediction },
      { ...report, prediction },
    ]);
    expect(title).toBe('Compare 2 scenarios on a.md?');
    expect(message).toContain(
      `a.md (${report.prompt.tokens} tokens) on this machine with tiny-docs-5m, M = 64, under causal, causal: ${2 * report.plan.calls.total} calls`,
    );
    expect(message).toContain('expected to take 2.40 s');
    expect(runConfirmation([report]).message).toContain('not calibrated');
  });
});
