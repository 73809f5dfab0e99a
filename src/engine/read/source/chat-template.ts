import { join } from 'node:path';
import { Environment, Interpreter, Template } from '@huggingface/jinja';
import { CancelledError, InputError, messageOf } from '../../../core/errors';
import { formatCount } from '../../../core/format';
import { said, text } from '../../../core/l10n';
import { shown } from '../../../core/text/printable';
import { parsePythonJson } from '../input/json';
import { inputLimits } from '../input/limits';
import { exists } from '../input/regular-file';
import { checkSize, readRegularText } from '../input/text';
import { ProcessorTime, readingMs } from '../input/time-limit';
import { kindAt } from '../model/found/folders';
import { readGgufHeader } from '../model/gguf/header';

/** A message as a template reads it. */
export type TemplateMessage = Readonly<Record<string, unknown>>;

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
  private parsed: Template | undefined;

  private constructor(
    /** The model's name. */
    readonly model: string,
    /** Its source. */
    readonly source: string,
    /** `bos_token`, `eos_token`, ... by name. */
    readonly specials: Readonly<Record<string, string>>,
    /** Milliseconds of processor time that it may take for a document of so many characters: one from elsewhere may loop without end. */
    readonly limitMs: (characters: number) => number,
  ) {}

  /**
   * Reads the template of a model: of a folder, `chat_template.jinja`, or else that of `tokenizer_config.json`; of a GGUF file, that
   * of its metadata. It is parsed when the first chat is read.
   *
   * @param folder the model's folder, or its GGUF file
   * @param limitMs milliseconds that it may take for a document of so many characters
   * @returns undefined where there is none
   * @throws InputError for one that is too large, or in a file that is malformed
   */
  static async load(folder: string, model: string, limitMs = readingMs): Promise<ChatTemplate | undefined> {
    const { source, specials } = (await kindAt(folder)) === 'file' ? await inGguf(folder) : await inFolder(folder);
    if (source === undefined) {
      return undefined;
    }
    checkSize(said`The chat template of ${model}`, Buffer.byteLength(source), inputLimits.chatTemplate, fix);
    return new ChatTemplate(model, source, Object.fromEntries(specials), limitMs);
  }

  /** The template for one document, whose renderings have its limit of time together. */
  forDocument(characters = 0): DocumentTemplate {
    return new DocumentTemplate(this, Math.ceil(this.limitMs(characters)));
  }

  /** The template as the library has it, parsed once. Parsing can take long, so that it belongs within a limit of time. */
  parse(): Template {
    try {
      return (this.parsed ??= new Template(this.source));
    } catch (error) {
      throw new InputError(`The chat template of ${this.model} cannot be read (${reasonOf(error)}); ${fix}.`);
    }
  }
}

/** What the library says in words of its own program, and the same in words of templates. */
const ownWords: readonly (readonly [RegExp, string])[] = [
  [/^Cannot call something that is not a function: got .*/s, text('it calls a function that is not there')],
  [/^'.*' object is not iterable$/s, text('it goes through the items of what has none')],
  [/^Cannot convert to (JSON|runtime value).*/s, text('it uses a value of a kind that cannot be written')],
  // Its classes of values, such as `UndefinedValue`.
  [/\b(\w+)Value\b/g, '$1'],
];

/** Why the library fails. What it runs into where a template is another program than it expects tells nobody what is wrong. */
function reasonOf(error: unknown): string {
  if (error instanceof TypeError || error instanceof RangeError) {
    return text('it uses what is not there, or is nested too deeply');
  }
  return shown(
    ownWords.reduce((message, [own, plain]) => message.replace(own, plain), messageOf(error)),
    160,
  );
}

/** A template's source, if there is one, and what it knows of special tokens by their names. */
interface StoredTemplate {
  readonly source: string | undefined;
  readonly specials: readonly (readonly [name: string, token: string])[];
}

async function inFolder(folder: string): Promise<StoredTemplate> {
  const path = join(folder, configFile);
  const config = (await exists(path)) ? await readRegularText(path, inputLimits.config, fix, fix) : '{}';
  const fields = parsePythonJson(config, path, fix) as Readonly<Record<string, unknown>> | null;
  const own = join(folder, templateFile);
  const source = (await exists(own)) ? await readRegularText(own, inputLimits.chatTemplate, fix, fix) : templateOf(fields?.chat_template);
  const specials = Object.entries(fields ?? {}).flatMap(([name, value]): [string, string][] => {
    const content = typeof value === 'object' && value !== null ? (value as { readonly content?: unknown }).content : value;
    return name.endsWith('_token') && typeof content === 'string' ? [[name, content]] : [];
  });
  return { source, specials };
}

/** Keys of GGUF under `tokenizer.ggml.` that name special tokens by their ids, and transformers' names for the tokens. */
const specialKeys = {
  bos_token_id: 'bos_token',
  eos_token_id: 'eos_token',
  unknown_token_id: 'unk_token',
  padding_token_id: 'pad_token',
  seperator_token_id: 'sep_token',
  cls_token_id: 'cls_token',
  mask_token_id: 'mask_token',
} as const;

const ggufTemplate = 'tokenizer.chat_template';
const ggufTokens = 'tokenizer.ggml.tokens';

async function inGguf(path: string): Promise<StoredTemplate> {
  const { metadata } = await readGgufHeader(path, path, (key) => key.startsWith(ggufTemplate) || key === ggufTokens);
  const source = metadata.get(ggufTemplate) ?? metadata.get(`${ggufTemplate}.default`);
  const tokens = metadata.get(ggufTokens);
  const texts = typeof tokens === 'object' ? tokens.texts : undefined;
  const specials = Object.entries(specialKeys).flatMap(([key, name]): [string, string][] => {
    const id = metadata.get(`tokenizer.ggml.${key}`);
    const token = typeof id === 'number' ? texts?.at(id) : undefined;
    return token === undefined ? [] : [[name, token]];
  });
  return { source: typeof source === 'string' ? source : undefined, specials };
}

/** A chat template with the time that it has left for one document. */
export class DocumentTemplate {
  private readonly time: ProcessorTime;

  constructor(
    private readonly template: ChatTemplate,
    private readonly limitMs: number,
  ) {
    this.time = new ProcessorTime(limitMs);
  }

  get source(): string {
    return this.template.source;
  }

  /**
   * The text of a chat.
   *
   * @param asksAnswer whether it ends with the beginning of the assistant's next message
   * @throws InputError where the template is malformed, refuses the chat, fails, or takes too long
   */
  render(messages: readonly TemplateMessage[], tools: unknown, asksAnswer: boolean): string {
    const { model, specials } = this.template;
    const refuse = (reason: unknown): never => {
      throw new InputError(
        `The chat template of ${model} refuses this chat: ${shown(String(reason), 160)}; correct the chat, or give another model.`,
      );
    };
    const given = { messages, tools: tools ?? null, documents: null, add_generation_prompt: asksAnswer };
    const known = { ...constants, ...specials, ...given, range, strftime_now: date, raise_exception: refuse };
    try {
      return this.time.spend(
        () => {
          const environment = new Environment();
          Object.entries(known).forEach(([name, value]) => environment.set(name, value));
          return new Interpreter(environment).run(this.template.parse().parsed).value as string;
        },
        () => new InputError(`The chat template of ${model} took more than ${formatCount(this.limitMs)} ms and was ended; ${fix}.`),
      );
    } catch (error) {
      if (error instanceof InputError || error instanceof CancelledError) {
        throw error;
      }
      throw new InputError(
        `The chat template of ${model} cannot be applied to this chat (${reasonOf(error)}); correct the chat, or give another model.`,
      );
    }
  }
}

/** Jinja's constants. The library's own globals cannot be used with others: its `range` takes all memory that a template asks for. */
const constants = { true: true, false: false, none: null, True: true, False: false, None: null };

const dateTemplate = new Template('{{ strftime_now(format) }}');

/** The date of today in a format of `strftime`, as the library has it. */
function date(format: string): string {
  return dateTemplate.render({ format });
}

/** A template of `tokenizer_config.json`: a text, or the one named `default` of several. */
function templateOf(value: unknown): string | undefined {
  const templates = Array.isArray(value) ? (value as readonly ({ readonly name?: unknown; readonly template?: unknown } | null)[]) : [];
  const found = typeof value === 'string' ? value : templates.find((each) => each?.name === 'default')?.template;
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
