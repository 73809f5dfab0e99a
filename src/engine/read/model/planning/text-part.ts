import { said, text } from '../../../../core/l10n';
import { quoted, shown } from '../../../../core/text/printable';
import { refuse } from '../architectures/fields';
import { checkOwnCode, classOf, type ConfigJson, judgeKeys, quantisationKeys } from '../keys';
import { classEndings, deepseekCode, type ModelType } from './model-type';

/** The part of a configuration that describes text, and what was found around it. */
interface TextPart {
  readonly json: ConfigJson;
  readonly modelType: string;
  readonly notes: readonly string[];
  readonly lacks: readonly string[];
}

/** What is known of a model with other inputs than text: the type of its text part if that does not say, and its classes. */
interface Wrapper extends Pick<ModelType, 'ownCode'> {
  readonly text: string;
  readonly class: string;
  /** Whether a prompt without other inputs runs as the text part alone would run it. */
  readonly textRuns?: true;
}

/** By `model_type`. */
const wrappers: Readonly<Record<string, Wrapper>> = {
  gemma3: { text: 'gemma3_text', class: 'Gemma3', textRuns: true },
  gemma4: { text: 'gemma4_text', class: 'Gemma4' },
  llama4: { text: 'llama4_text', class: 'Llama4' },
  qwen3_vl: { text: 'qwen3_vl_text', class: 'Qwen3VL' },
  qwen3_vl_moe: { text: 'qwen3_vl_moe_text', class: 'Qwen3VLMoe' },
  qwen3_5: { text: 'qwen3_5_text', class: 'Qwen3_5' },
  qwen3_5_moe: { text: 'qwen3_5_moe_text', class: 'Qwen3_5Moe' },
  kimi_k25: { text: 'kimi_k2', class: 'KimiK25', ownCode: ['configuration_kimi_k25', 'modeling_kimi_k25', ...deepseekCode] },
  mistral3: { text: 'mistral', class: 'Mistral3' },
  llava: { text: 'llama', class: 'Llava' },
};

/** Names under which models with other inputs keep the part that describes text. */
const partNames = ['text_config', 'llm_config', 'language_config'] as const;

/** Keys that describe other inputs than text, their tokens, or the way from them into the text model. */
const otherInputs =
  /(^|_)(image|images|img|vision|visual|video|audio|speech|media|multimodal|mm|projector|vlm|patch|pixel)(_|$)|^(bo|eo)[iav]_token/;

/**
 * The part of a configuration that describes text: the whole of it, unless the model has other inputs as well.
 *
 * @throws InputError for a key around that part which is not known, or a model that reads with an encoder
 */
export function textPart(config: ConfigJson, type: string, path: string): TextPart {
  if (config.is_encoder_decoder === true) {
    refuse(path, 'is_encoder_decoder true', text('a model that is a decoder or an encoder'));
  }
  const name = partNames.find((part) => typeof config[part] === 'object' && config[part] !== null && !Array.isArray(config[part]));
  const inputs = Object.keys(config).filter((key) => otherInputs.test(key));
  const described = inputs.filter((key) => typeof config[key] === 'object' && config[key] !== null);
  if (name === undefined) {
    // Earlier models describe text beside their other inputs.
    return described.length === 0
      ? { json: config, modelType: type, notes: [], lacks: [] }
      : {
          json: Object.fromEntries(Object.entries(config).filter(([key]) => !inputs.includes(key))),
          modelType: type,
          notes: [onlyText('config.json', described)],
          lacks: [otherInputsLack(type)],
        };
  }
  const wrapper = Object.hasOwn(wrappers, type) ? wrappers[type] : undefined;
  const inner = config[name] as ConfigJson;
  const modelType = typeof inner.model_type === 'string' ? inner.model_type : wrapper?.text;
  if (modelType === undefined) {
    refuse(path, `${name} without a model_type in model_type ${quoted(type)}`, text('a config.json that states it'));
  }
  if (wrapper !== undefined) {
    classOf(
      config,
      classEndings.map((ending) => `${wrapper.class}${ending}`),
      path,
    );
  }
  checkOwnCode(config, path, wrapper?.ownCode);
  const { tie_word_embeddings: tied } = config;
  const found = judgeKeys(config, { reads: [name, 'tie_word_embeddings', ...inputs] }, path);
  return {
    // What the whole says of these counts for its text part, unless that says it again.
    json: {
      ...(tied !== undefined && { tie_word_embeddings: tied }),
      ...Object.fromEntries(quantisationKeys.filter((key) => config[key] !== undefined).map((key) => [key, config[key]])),
      ...inner,
      // A part may leave it to the whole, and its reader asks for it.
      model_type: modelType,
    },
    modelType,
    notes: [onlyText(name, described), ...found.notes],
    lacks: [...(wrapper?.textRuns === true ? [] : [otherInputsLack(type)]), ...found.planOnly, ...found.unknown],
  };
}

function onlyText(part: string, described: readonly string[]): string {
  return described.length === 0
    ? said`Only text is planned (${part}): other inputs are not.`
    : said`Only text is planned (${part}): ${described.join(', ')} is not.`;
}

function otherInputsLack(type: string): string {
  return said`${shown(type)} reads other inputs than text`;
}
