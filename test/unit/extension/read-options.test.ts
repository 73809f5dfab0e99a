import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors';
import { defaultOptions } from '../../../src/core/options/table';
import { inContext } from '../../../src/extension/api/create-api';
import { readCompareOptions, readLabOptions } from '../../../src/extension/api/read-options';

describe('options of another extension', () => {
  it('are the defaults where they are left out or undefined', () => {
    expect(readLabOptions(undefined, defaultOptions)).toEqual({ path: 'text', options: defaultOptions });
    expect(readLabOptions({ path: undefined, blockSize: undefined }, defaultOptions)).toEqual({ path: 'text', options: defaultOptions });
  });

  it('are read', () => {
    const given = {
      path: 'a.md',
      scenario: { kind: 'attention-sink', window: 64 },
      blockSize: 32,
      model: 'gpt2',
      verify: 'none',
      quality: false,
      maxTokens: 100,
      threads: 2,
    };
    const { path, options } = readLabOptions(given, defaultOptions);
    expect(path).toBe('a.md');
    expect(options).toEqual({
      ...defaultOptions,
      blockSize: 32,
      model: 'gpt2',
      verify: 'none',
      quality: false,
      maxTokens: 100,
      threads: 2,
      scenario: { kind: 'attention-sink', window: 64, sinks: 4 },
    });
  });

  it('take the scenario of a report back', () => {
    const cycle = [{ kind: 'causal' }, { kind: 'sliding-window', window: 8 }];
    for (const scenario of [{ kind: 'native' }, { kind: 'per-layer', cycle }, { kind: 'custom', expression: 'k <= q' }]) {
      expect(readLabOptions({ scenario }, defaultOptions).options.scenario).toEqual(scenario);
    }
    expect(readCompareOptions({ scenarios: cycle }, defaultOptions).scenarios).toEqual(cycle);
    expect(readCompareOptions({}, defaultOptions).scenarios).toBeUndefined();
  });

  it.each<[unknown, string]>([
    [
      { blockSize: 1 },
      'options.blockSize of 1 is not possible; use a whole number from 2 to 16777216, or 0 for the fastest on a calibrated device.',
    ],
    [
      { blockSize: 'many' },
      'options.blockSize of "many" is not possible; use a whole number from 2 to 16777216, or 0 for the fastest on a calibrated device.',
    ],
    [{ provider: 'tpu' }, 'options.provider of "tpu" is not possible; use one of auto, cpu, webgpu, cuda, dml, coreml.'],
    [
      { provider: 'x'.repeat(1000) },
      `options.provider of "${'x'.repeat(60)}…" is not possible; use one of auto, cpu, webgpu, cuda, dml, coreml.`,
    ],
    [{ quality: 'yes' }, 'options.quality of "yes" is not possible; use true or false.'],
    [{ model: '' }, 'options.model of "" is not possible; give a text.'],
    [{ block: 8 }, 'options has no "block"; leave it out.'],
    ['causal', 'options of "causal" is not possible; give an object.'],
    [
      { scenario: { kind: 'dense' } },
      'options.scenario.kind of "dense" is not possible; use one of native, full, causal, sliding-window, attention-sink, local-window, average-case, top-k, adaptive, custom, per-layer, per-head.',
    ],
    [{ scenario: { kind: 'causal', window: 5 } }, 'window of 5 does nothing under scenario causal; leave it out.'],
    [
      { scenario: { kind: 'sliding-window', window: -5 } },
      'options.scenario.window of -5 is not possible; use a whole number from 1 to 100000000.',
    ],
    [{ scenario: { kind: 'sliding-window', windows: 5 } }, 'options.scenario has no "windows"; leave it out.'],
    [{ scenario: { kind: 'per-layer', cycle: [] } }, 'A cycle of 0 layers is not possible; give from 1 to 1024 scenarios.'],
    [
      { scenario: { kind: 'per-layer', cycle: [{ kind: 'native' }] } },
      'A cycle of layers names native, which is a scenario of all layers; name one for each layer.',
    ],
  ])('are refused in one line: %#', (given, message) => {
    const read = (): unknown => readLabOptions(given, defaultOptions);
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
  });

  it('are refused with no scenarios, and with too many', () => {
    expect(() => readCompareOptions({ scenarios: [] }, defaultOptions)).toThrow('give from 1 to 16 scenarios');
    expect(() => readCompareOptions({ scenarios: Array(17).fill({ kind: 'causal' }) }, defaultOptions)).toThrow(
      'give from 1 to 16 scenarios',
    );
    expect(() => readCompareOptions({ scenario: { kind: 'causal' } }, defaultOptions)).toThrow('options has no "scenario"');
  });
});

describe('the context of a call', () => {
  it('cancels by a signal, and hears of progress even where a listener fails', async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const failing = (): void => {
      throw new Error('no');
    };
    await inContext(
      { signal: controller.signal, onProgress: failing },
      (line) => log.push(line),
      (step) => {
        step.onProgress({ message: 'm', phase: 'attend', fraction: 0.5 });
        expect(step.signal.aborted).toBe(false);
        controller.abort();
        expect(step.signal.aborted).toBe(true);
        return Promise.resolve();
      },
    );
    expect(log).toEqual(['A listener to progress failed: no']);
  });

  it('is refused where it is none', async () => {
    const call = (context: unknown): Promise<unknown> =>
      inContext(
        context as object,
        () => undefined,
        () => Promise.resolve(),
      );
    await expect(call('now')).rejects.toThrow('A context of now is not possible');
    await expect(call({ signal: 1 })).rejects.toThrow('context.signal is no AbortSignal');
    await expect(call({ token: true })).rejects.toThrow('context.token is no CancellationToken');
    await expect(call({ onProgress: 'log' })).rejects.toThrow('context.onProgress is no function');
  });
});
