import { join } from 'node:path';
import { createContext, Script } from 'node:vm';
import { Environment, Interpreter, Template } from '@huggingface/jinja';
import { CancelledError, InputError, messageOf } from '../../../core/errors';
import { formatCount } from '../../../core/format';
import { shown } from '../../../core/text/printable';
import { parsePythonJson } from '../input/json';
import { inputLimits } from '../input/limits';
import { exists } from '../input/regular-file';
import { readRegularText } from '../input/text';

/** A message as a template reads it. */
export type TemplateMessage = Readonly<Record<string, unknown>>;

/** Longest time that a template may take, in milliseconds: one from elsewhere may loop without end. */
const longestMs = 10_000;
/** Most numbers in a `range` of a template: the library makes them all, and a process without memory ends. */
const longestRange = 100_000;

const configFile = 'tokenizer_config.json';
const templateFile = 'chat_template.jinja';
const fix = 'restore it, or give another model';

/**
 * A model's own chat template (Jinja), rendered by @huggingface/jinja (MIT) with the variables of transformers'
 * `apply_chat_template`.
 */
export class ChatTemplate {
  private constructor(
    /** The model's name. */
    readonly model: string,
    /** Its source. */
    readonly source: string,
    private readonly template: Template,
    /** `bos_token`, `eos_token`, ... by name. */
    private readonly specials: Readonly<Record<string, string>>,
    private readonly longestMs: number,
  ) {}

  /**
   * Reads the template of a model's folder: `chat_template.jinja`, or else that of `tokenizer_config.json`.
   *
   * @param limitMs longest time that it may take
   * @returns undefined where there is none
   * @throws InputError for one that is malformed
   */
  static async load(folder: string, model: string, limitMs = longestMs): Promise<ChatTemplate | undefined> {
    const path = join(folder, configFile);
    const config = (await exists(path)) ? await readRegularText(path, inputLimits.config, fix, fix) : '{}';
    const fields = parsePythonJson(config, path, fix) as Readonly<Record<string, unknown>> | null;
    const own = join(folder, templateFile);
    const source = (await exists(own)) ? await readRegularText(own, inputLimits.config, fix, fix) : templateOf(fields?.chat_template);
    if (source === undefined) {
      return undefined;
    }
    const specials = Object.entries(fields ?? {}).flatMap(([name, value]): [string, string][] => {
      const content = typeof value === 'object' && value !== null ? (value as { readonly content?: unknown }).content : value;
      return name.endsWith('_token') && typeof content === 'string' ? [[name, content]] : [];
    });
    try {
      return new ChatTemplate(model, source, new Template(source), Object.fromEntries(specials), limitMs);
    } catch (error) {
      throw new InputError(`The chat template of ${model} cannot be read (${shown(messageOf(error), 160)}); ${fix}.`);
    }
  }

  /**
   * The text of a chat.
   *
   * @param asksAnswer whether it ends with the beginning of the assistant's next message
   * @throws InputError where the template refuses the chat, fails, or takes too long
   */
  render(messages: readonly TemplateMessage[], tools: unknown, asksAnswer: boolean): string {
    const environment = new Environment();
    const refuse = (reason: unknown): never => {
      throw new InputError(
        `The chat template of ${this.model} refuses this chat: ${shown(String(reason), 160)}; correct the chat, or give another model.`,
      );
    };
    const given = { messages, tools: tools ?? null, documents: null, add_generation_prompt: asksAnswer };
    for (const [name, value] of Object.entries({
      ...constants,
      ...this.specials,
      ...given,
      range,
      strftime_now: date,
      raise_exception: refuse,
    })) {
      environment.set(name, value);
    }
    try {
      job.render = () => new Interpreter(environment).run(this.template.parsed).value;
      return limited.runInContext(context, { timeout: this.longestMs }) as string;
    } catch (error) {
      if (error instanceof InputError || error instanceof CancelledError) {
        throw error;
      }
      const isLate = (error as { readonly code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
      throw new InputError(
        isLate
          ? `The chat template of ${this.model} took more than ${formatCount(this.longestMs)} ms and was ended; ${fix}.`
          : `The chat template of ${this.model} cannot be applied to this chat (${shown(messageOf(error), 160)}); correct the chat, or give another model.`,
      );
    }
  }
}

/** A script in a context of its own, for nothing but its limit of time, which ends synchronous code wherever it is. */
const job: { render: () => unknown } = { render: () => '' };
const context = createContext(job);
const limited = new Script('render()');

/** Jinja's constants. The library's own globals cannot be used with others: its `range` takes all memory that a template asks for. */
const constants = { true: true, false: false, none: null, True: true, False: false, None: null };

const dateTemplate = new Template('{{ strftime_now(format) }}');

/** The date of today in a format of `strftime`, as the library has it. */
function date(format: string): string {
  return dateTemplate.render({ format });
}

/** A template of `tokenizer_config.json`: a text, or the one named `default` of several. */
function templateOf(value: unknown): string | undefined {
  const templates = Array.isArray(value) ? (value as readonly { readonly name?: unknown; readonly template?: unknown }[]) : [];
  const found = typeof value === 'string' ? value : templates.find(({ name }) => name === 'default')?.template;
  return typeof found === 'string' ? found : undefined;
}

/** Python's `range`, up to a length. */
function range(...limits: readonly number[]): number[] {
  const [start, stop, step = 1] = limits.length > 1 ? limits : [0, ...limits];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= longestRange)) {
    throw new InputError(`A chat template counts to ${length}; the limit is ${formatCount(longestRange)}: give another model.`);
  }
  return Array.from({ length }, (_, index) => start + index * step);
}
