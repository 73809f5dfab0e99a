import { describe, expect, it } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import { promptFromText } from '../../../src/engine/read/prompt';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { simulate } from '../../../src/engine/tasks/simulate';
import { runConfirmation } from '../../../src/extension/api/language-model-tools';
import { comparisonText, planText, reportJson, runText } from '../../../src/core/report/result-text';
import { readCompareInput, readPromptInput } from '../../../src/core/options/tool-input';
import type { FormChoice } from '../../../src/protocol/panel';
import { modelsFolder, sampleText } from '../../support/paths';

const choice: FormChoice = { kind: 'causal', blockSize: 256, parameters: { window: 512, sinks: 4, seed: 1, expression: 'k <= q' } };

describe('the input of tools', () => {
  it('takes what is left out from the user', () => {
    expect(readPromptInput({ file: 'a.md' }, choice)).toEqual({
      source: { file: 'a.md' },
      options: { blockSize: 256 },
      scenario: { kind: 'causal' },
    });
    expect(readPromptInput({ text: 'a', scenario: 'attention-sink', window: 8, blockSize: 4, model: 'gpt2' }, choice)).toEqual({
      source: { text: 'a' },
      options: { blockSize: 4, model: 'gpt2' },
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
    [{ file: 7 }, 'input.file of 7 is not possible; give the path of a file in the workspace.'],
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
      verdict: report.verdict,
      refused: [{ scenario: { kind: 'custom', expression: 'k <= q' }, reason: 'No.' }],
    });
    expect(table.split('\n').filter((row) => row.startsWith('| causal |'))).toHaveLength(2);
    expect(table).toContain('- left out custom(k <= q): No.');
  });

  it('has the report itself where it is short', () => {
    expect(JSON.parse(reportJson(report) ?? '')).toEqual(report);
    expect(reportJson({ runs: Array(8).fill(report) })).toBeUndefined();
  });

  it('asks before a run with its file, model, M and scenarios', () => {
    const prompt = { path: 'a.md', text: 'Some words.' };
    const { title, message } = runConfirmation(prompt, { ...defaultOptions, blockSize: 64 }, [{ kind: 'causal' }, { kind: 'full' }]);
    expect(title).toBe('Compare 2 scenarios on a.md?');
    expect(message).toBe(
      'Two Heads runs a.md (11 characters) on this machine with tiny-docs-5m, M = 64, under causal, full. The chat gets the numbers, not the text.',
    );
    expect(runConfirmation(prompt, { ...defaultOptions, blockSize: 0 }, [{ kind: 'native' }]).message).toContain('M = auto');
  });
});
