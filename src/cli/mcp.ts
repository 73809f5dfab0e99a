import { resolve } from 'node:path';
import { version } from '../../package.json';
import { adviceText } from '../core/advise/text';
import { atlasText } from '../core/atlas/text';
import { InputError } from '../core/errors';
import { experimentText } from '../core/evaluate/text';
import { pick } from '../core/options/option';
import type { SimulationOptions } from '../core/options/table';
import { readExperimentInput, type ToolDefaults, type ToolRequest } from '../core/options/tool-input';
import { type ReadyRequest, ToolRequests } from '../core/options/tool-requests';
import { type ToolDefinition, toolDefinitions } from '../core/options/tools';
import { expectedMemory } from '../core/predict/memory';
import type { OnProgress } from '../core/report/phases';
import { comparisonText, planText, reportJson, runText } from '../core/report/result-text';
import { parametersOf, type ScenarioChoice } from '../core/scenario/scenario';
import { EngineClient } from '../engine/process/engine-client';
import { isInside, realPath } from '../engine/read/input/inside';
import { shippedModels } from '../engine/read/model/found/resolve';
import { modelPlaces } from '../engine/read/model/model-places';
import { type Prompt, promptFromText, readPrompt } from '../engine/read/prompt';
import type { OutlookRequest } from '../engine/tasks/evaluate/outlook';
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
    const requests = new FolderRequests(resolve(folder), chosen, io);
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
function callsOf(requests: FolderRequests, engine: EngineClient, io: Io): Call {
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
    advise_prompt: async (input, signal, onProgress) => {
      const { prompt, options } = await requests.advice(input);
      const report = await engine.call('advise', { ...sourceOf(prompt), options }, { signal, onProgress });
      return [adviceText(report), report];
    },
    run_experiment: async (input, signal, onProgress) => {
      const { given, request } = await requests.experiment(input);
      const summary = await engine.call('evaluate', request, { signal, onProgress });
      return [experimentText(given, summary), pick(summary, 'verdict', 'points')];
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
class FolderRequests extends ToolRequests<Prompt> {
  constructor(
    private readonly folder: string,
    private readonly chosen: SimulationOptions,
    private readonly io: Pick<Io, 'modelsFolder' | 'stdin'>,
  ) {
    super();
  }

  /** For `run_experiment`. @returns also the path as it was given @throws InputError */
  async experiment(input: unknown): Promise<{ readonly given: string; readonly request: OutlookRequest }> {
    const given = readExperimentInput(input);
    const { folder, chosen } = this;
    return { given, request: { file: await this.inside(given), within: { folders: [folder], models: [chosen.model] } } };
  }

  protected get defaults(): ToolDefaults {
    const { scenario, blockSize } = this.chosen;
    return { kind: scenario.kind, parameters: parametersOf(scenario), blockSize };
  }

  protected async ready({ source, options: given }: ToolRequest, scenario: ScenarioChoice): Promise<ReadyRequest<Prompt>> {
    return {
      prompt: 'file' in source ? await this.promptOf(source.file) : promptFromText('the given text', source.text),
      options: { ...this.chosen, ...given, scenario, ...(given.model !== undefined && { model: await this.modelOf(given.model) }) },
    };
  }

  private async promptOf(file: string): Promise<Prompt> {
    return { ...(await readPrompt(await this.inside(file), this.io.stdin)), path: file };
  }

  private async inside(file: string): Promise<string> {
    const path = resolve(this.folder, file);
    if (!isInside(this.folder, path) || !isInside(await realPath(this.folder), await realPath(path))) {
      throw new InputError(`File ${JSON.stringify(file)} is outside ${this.folder}; give a file inside it.`);
    }
    return path;
  }

  /** A model that ships, the user's own choice, or one of the folder. */
  private async modelOf(model: string): Promise<string> {
    const shipped = await shippedModels(this.io.modelsFolder);
    if (model === this.chosen.model || shipped.includes(model)) {
      return model;
    }
    const [folder, real] = await Promise.all([this.folder, resolve(this.folder, model)].map(realPath));
    const hold = async (place: string): Promise<void> => {
      if (!isInside(folder, await realPath(place))) {
        throw new InputError(
          `Model ${JSON.stringify(model)} neither ships with Two Heads nor lies in ${this.folder}; use ${shipped.join(', ')}, or start two-heads mcp with --model.`,
        );
      }
    };
    await hold(real);
    for await (const place of modelPlaces(real, [this.chosen.model], this.io.modelsFolder)) {
      await hold(place);
    }
    return real;
  }
}
