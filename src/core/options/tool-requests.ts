import { type AdviseOptions, adviseDefaults } from '../advise/options';
import type { WantedScenarios } from '../compare/sort-scenarios';
import type { ScenarioChoice } from '../scenario/scenario';
import { pick } from './option';
import type { SimulationOptions } from './table';
import { readAdviseInput, readCompareInput, readPromptInput, type ToolDefaults, type ToolRequest } from './tool-input';

/** A request that is ready to plan or run. */
export interface ReadyRequest<Prompt, Options = SimulationOptions> {
  readonly prompt: Prompt;
  readonly options: Options;
}

/** Turns the input of tools into what is planned or run, wherever their prompts and the user's own choice come from. */
export abstract class ToolRequests<Prompt> {
  /** What stands for scenario and block size that are left out. */
  protected abstract readonly defaults: ToolDefaults;

  /** Reads the prompt, and adds the user's options. @throws InputError for files and models that a tool may not have */
  protected abstract ready(request: ToolRequest, scenario: ScenarioChoice): Promise<ReadyRequest<Prompt>>;

  /** For the tools that take one scenario. @throws InputError */
  async prompt(input: unknown): Promise<ReadyRequest<Prompt>> {
    const { scenario, ...request } = readPromptInput(input, this.defaults);
    return this.ready(request, scenario);
  }

  /** For `compare_scenarios`. @throws InputError */
  async comparison(input: unknown): Promise<ReadyRequest<Prompt> & { readonly wanted: WantedScenarios }> {
    const { wanted, ...request } = readCompareInput(input, this.defaults);
    return { ...(await this.ready(request, wanted.scenarios[0])), wanted };
  }

  /** For `advise_prompt`. @throws InputError */
  async advice(input: unknown): Promise<ReadyRequest<Prompt, AdviseOptions>> {
    const { source, options: given } = readAdviseInput(input);
    const { model } = given;
    const { prompt, options } = await this.ready({ source, options: model === undefined ? {} : { model } }, { kind: 'native' });
    const own = pick(options, 'provider', 'threads', 'memoryLimit');
    return { prompt, options: { ...adviseDefaults(given.maxKl), ...own, ...given, model: options.model } };
  }
}
