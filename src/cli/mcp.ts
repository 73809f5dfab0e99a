import { resolve } from 'node:path';
import { version } from '../../package.json';
import { atlasText } from '../core/atlas/text';
import { InputError } from '../core/errors';
import type { SimulationOptions } from '../core/options/table';
import { readCompareInput, readPromptInput, type ToolRequest } from '../core/options/tool-input';
import { type ToolDefinition, toolDefinitions } from '../core/options/tools';
import { expectedMemory } from '../core/predict/memory';
import type { OnProgress } from '../core/report/phases';
import { comparisonText, planText, reportJson, runText } from '../core/report/result-text';
import { parametersOf, type ScenarioChoice } from '../core/scenario/scenario';
import { EngineClient } from '../engine/process/engine-client';
import { isInside, realPath } from '../engine/read/input/inside';
import { shippedModels } from '../engine/read/model/found/resolve';
import { type Prompt, promptFromText, readPrompt } from '../engine/read/prompt';
import { planDocument, planPrompt } from '../engine/tasks/plan';
import type { Io } from './io';
import { type Command, commonOptions, optionsFrom, scenarioOptions } from './options';

/** `two-heads mcp`: the tools that the editor's language models have, for agents elsewhere. */
export const mcpCommand: Command = {
  usage: 'mcp [folder]',
  description: 'serve the tools for prompts of a folder to an agent, over the Model Context Protocol on standard input and output',
  options: [...scenarioOptions, ...commonOptions],
  run: async ([folder = '.'], given, io) => {
    const chosen = optionsFrom(given);
    const requests = new ToolRequests(resolve(folder), chosen, io);
    const engine = new EngineClient(io.engineEntry, undefined, (line) => io.stderr.write(`${line}\n`));
    const { serve } = await import('./mcp-server');
    const { stdin, stdout, signal } = io;
    try {
      await serve({ version, tools: toolDefinitions, call: callsOf(requests, engine, io), stdin, stdout, signal });
    } finally {
      engine.dispose();
    }
  },
};

type Call = (name: string, input: unknown, signal: AbortSignal, onProgress: OnProgress) => Promise<readonly string[]>;

/** What the tools do: runs have a process of their own, so that the client is heard meanwhile. */
function callsOf(requests: ToolRequests, engine: EngineClient, io: Io): Call {
  const calls: Readonly<Record<ToolDefinition['name'], (...given: [unknown, AbortSignal, OnProgress]) => Promise<[string, object]>>> = {
    plan_prompt: async (input) => {
      const { prompt, options } = await requests.prompt(input);
      const planned = await planPrompt(prompt, options, io);
      const report = planDocument(planned, expectedMemory(planned.plan, options, planned.calibration));
      return [planText(report), report];
    },
    simulate_prompt: async (input, signal, onProgress) => {
      const { prompt, options } = await requests.prompt(input);
      const report = await engine.call('simulate', { ...sourceOf(prompt), options }, { signal, onProgress });
      return [runText(report), report];
    },
    compare_scenarios: async (input, signal, onProgress) => {
      const { prompt, options, wanted } = await requests.comparison(input);
      const report = await engine.call('compare', { ...sourceOf(prompt), options, ...wanted }, { signal, onProgress });
      return [comparisonText(report), report];
    },
    atlas_prompt: async (input, signal, onProgress) => {
      const { prompt, options } = await requests.prompt(input);
      const report = await engine.call('atlas', { ...sourceOf(prompt), options }, { signal, onProgress });
      return [atlasText(report), report];
    },
  };
  return async (name, input, signal, onProgress) => {
    const [text, report] = await calls[name as ToolDefinition['name']](input, signal, onProgress);
    const json = reportJson(report);
    return json === undefined ? [text] : [text, json];
  };
}

function sourceOf({ path, text, source }: Prompt): Pick<Prompt, 'path' | 'text' | 'source'> {
  return { path, text, source };
}

/** Turns the input from an agent into arguments: files and models of one folder only, and what the user chose for what is left out. */
class ToolRequests {
  constructor(
    private readonly folder: string,
    private readonly chosen: SimulationOptions,
    private readonly io: Pick<Io, 'modelsFolder' | 'stdin'>,
  ) {}

  /** For the tools that take one scenario. @throws InputError */
  async prompt(input: unknown): Promise<{ readonly prompt: Prompt; readonly options: SimulationOptions }> {
    const { scenario, ...request } = readPromptInput(input, this.defaults);
    return this.ready(request, scenario);
  }

  /** For `compare_scenarios`. @throws InputError */
  async comparison(
    input: unknown,
  ): Promise<Awaited<ReturnType<ToolRequests['prompt']>> & Pick<ReturnType<typeof readCompareInput>, 'wanted'>> {
    const { wanted, ...request } = readCompareInput(input, this.defaults);
    return { ...(await this.ready(request, wanted.scenarios[0])), wanted };
  }

  private get defaults(): Parameters<typeof readPromptInput>[1] {
    const { scenario, blockSize } = this.chosen;
    return { kind: scenario.kind, parameters: parametersOf(scenario), blockSize };
  }

  private async ready(
    { source, options: given }: ToolRequest,
    scenario: ScenarioChoice,
  ): Promise<{ readonly prompt: Prompt; readonly options: SimulationOptions }> {
    return {
      prompt: 'file' in source ? await this.promptOf(source.file) : promptFromText('the given text', source.text),
      options: { ...this.chosen, ...given, scenario, ...(given.model !== undefined && { model: await this.modelOf(given.model) }) },
    };
  }

  private async promptOf(file: string): Promise<Prompt> {
    const path = resolve(this.folder, file);
    if (!isInside(this.folder, path) || !isInside(await realPath(this.folder), await realPath(path))) {
      throw new InputError(`File ${JSON.stringify(file)} is outside ${this.folder}; give a file inside it, or the text.`);
    }
    return { ...(await readPrompt(path, this.io.stdin)), path: file };
  }

  /** A model that ships, the user's own choice, or one of the folder. */
  private async modelOf(model: string): Promise<string> {
    const shipped = await shippedModels(this.io.modelsFolder);
    if (model === this.chosen.model || shipped.includes(model)) {
      return model;
    }
    const real = await realPath(resolve(this.folder, model));
    if (!isInside(await realPath(this.folder), real)) {
      throw new InputError(
        `Model ${JSON.stringify(model)} neither ships with Two Heads nor lies in ${this.folder}; use ${shipped.join(', ')}, or start two-heads mcp with --model.`,
      );
    }
    return real;
  }
}
