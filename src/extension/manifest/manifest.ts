import { inEnglish, setTranslations, t } from '../../core/l10n';
import { type EditorSetting, editorSettings } from '../../core/options/editor';
import { settingGroups } from '../../core/options/option';
import { describe, schemaOf, under } from '../../core/options/schema';
import { defaultOptions, optionNames, optionOf } from '../../core/options/table';
import { toolDefinition } from '../../core/options/tools';
import { type ChoiceDefinition, choiceDefinitions, numberParameters, textParameters } from '../../core/scenario/scenario';
import { type CommandDefinition, Commands } from '../commands';
import { RunCommands } from '../runs/run-commands';

/**
 * The parts of package.json and of its texts that are derived from the table of options, the scenarios and the commands.
 *
 * `npm run manifest` writes them; a test compares the committed files with them.
 */
export interface Manifest {
  readonly contributes: {
    readonly commands: readonly unknown[];
    readonly menus: Readonly<Record<string, unknown>>;
    readonly configuration: unknown;
    readonly languageModelTools: readonly { readonly name: string; readonly modelDescription: string; readonly inputSchema: unknown }[];
  };
  readonly capabilities: { readonly untrustedWorkspaces: object };
}

type Group = keyof typeof settingGroups;

/** A setting under `twoHeads`, with its texts in the current language. */
interface Setting {
  readonly name: string;
  readonly group: Group;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly machine: boolean;
  /** Whether no workspace may set it at all. */
  readonly machineOnly?: boolean;
  /** Whether a workspace that is not trusted may not set it though it is not the machine's: it decides what is planned. */
  readonly restricted?: boolean;
  readonly description: () => string;
  /** For a choice, its words with their meaning. */
  readonly words: readonly Pick<ChoiceDefinition, 'description'>[];
  /** The words as they appear in the keys of their texts. */
  readonly wordKeys: readonly string[];
}

/** Tags for VS Code's settings search. */
const tags: Readonly<Record<Group, readonly string[]>> = {
  scenario: ['attention'],
  smallTransformer: ['performance'],
  engine: ['onnx', 'performance'],
  fleet: ['experiments'],
  editor: ['hints'],
};

/** package.json with the derived parts: commands, settings, settings ignored in Restricted Mode, and input schemas of tools. */
export function manifestOf<M extends Manifest>(current: M): M {
  const settings = allSettings();
  const configuration = (Object.keys(settingGroups) as Group[]).map((group, index) => ({
    title: `%settings.${group}.title%`,
    order: index + 1,
    properties: Object.fromEntries(
      settings
        .filter((setting) => setting.group === group)
        .map((setting, order) => [`twoHeads.${setting.name}`, propertyOf(setting, order + 1)]),
    ),
  }));
  const restrictedConfigurations = settings
    .filter(({ machine, restricted }) => machine || restricted === true)
    .map(({ name }) => `twoHeads.${name}`);
  return {
    ...current,
    capabilities: {
      ...current.capabilities,
      untrustedWorkspaces: { ...current.capabilities.untrustedWorkspaces, restrictedConfigurations },
    },
    contributes: {
      ...current.contributes,
      commands: commands.map(([name, { icon, enablement }]) => ({
        command: `twoHeads.${name}`,
        title: `%command.${name}.title%`,
        category: '%command.category%',
        ...(icon === undefined ? {} : { icon: `$(${icon})` }),
        ...(enablement === undefined ? {} : { enablement }),
      })),
      menus: {
        ...current.contributes.menus,
        commandPalette: commands.flatMap(([name, { when }]) => (when === undefined ? [] : [{ command: `twoHeads.${name}`, when }])),
      },
      configuration,
      languageModelTools: current.contributes.languageModelTools.map((tool) => {
        const { description, inputSchema } = toolDefinition(tool.name);
        return { ...tool, modelDescription: description, inputSchema: inputSchema() };
      }),
    },
  };
}

/**
 * The manifest's texts in one language: the derived ones of commands and settings, and all others unchanged.
 *
 * @param bundle translations by their English text; undefined for English itself
 */
export function manifestTexts(
  current: Readonly<Record<string, string>>,
  bundle?: Readonly<Record<string, string>>,
): Record<string, string> {
  const others = Object.entries(current).filter(([key]) => !/^(settings?|command)\.\w+\./.test(key));
  return inEnglish(() => {
    setTranslations(bundle ?? {});
    return Object.fromEntries([...others, ...commandTexts(), ...settingTexts()]);
  });
}

/** The commands in the order of package.json. */
const commands = Object.entries<CommandDefinition<unknown>>({ ...Commands.definitions, ...RunCommands.definitions });

function commandTexts(): [string, string][] {
  return commands.map(([name, { title }]) => [`command.${name}.title`, t(title)]);
}

function settingTexts(): [string, string][] {
  const settings = allSettings();
  return (Object.keys(settingGroups) as Group[]).flatMap((group) => [
    [`settings.${group}.title`, t(settingGroups[group])] as [string, string],
    ...settings
      .filter((setting) => setting.group === group)
      .flatMap(({ name, description, words, wordKeys }) => [
        [`setting.${name}.description`, description()] as [string, string],
        ...words.map((word, index): [string, string] => [`setting.${name}.${wordKeys[index]}.description`, t(word.description)]),
      ]),
  ]);
}

function propertyOf({ name, schema, machine, machineOnly = false, group, wordKeys }: Setting, order: number): object {
  return {
    order,
    ...(machineOnly ? { scope: 'machine' } : machine ? { scope: 'machine-overridable' } : {}),
    ...schema,
    markdownDescription: `%setting.${name}.description%`,
    ...(wordKeys.length === 0 ? {} : { markdownEnumDescriptions: wordKeys.map((key) => `%setting.${name}.${key}.description%`) }),
    tags: tags[group],
  };
}

/** Every setting, in the order of the settings editor. */
function allSettings(): readonly Setting[] {
  const plain = { machine: false, words: [], wordKeys: [] };
  const scenario = {
    ...plain,
    name: 'scenario',
    restricted: true,
    group: 'scenario' as const,
    schema: { type: 'string', enum: choiceDefinitions.map(({ kind }) => kind), default: defaultOptions.scenario.kind },
    description: () => `${t('Masking scenario that a workspace starts with.')} ${chosenElsewhere()}`,
    words: choiceDefinitions,
    wordKeys: choiceDefinitions.map(({ kind }) => camelCased(kind)),
  };
  const numbers = numberParameters.map((parameter) => ({
    ...plain,
    name: parameter.name,
    group: 'scenario' as const,
    schema: { type: 'integer', minimum: parameter.minimum, maximum: parameter.maximum, default: parameter.default },
    description: () => `${t(parameter.description)} ${under(parameter.name)}`,
  }));
  const texts = textParameters.map((parameter) => ({
    ...plain,
    name: parameter.flag,
    restricted: true,
    group: 'scenario' as const,
    schema: { type: 'string', default: parameter.default },
    description: () => `${t(parameter.description)} ${under(parameter.name)}`,
  }));
  const options = optionNames.map((name): Setting => {
    const option = optionOf(name);
    const choices = option.value.type === 'choice' ? option.value.choices : [];
    return {
      name,
      group: option.group,
      schema: { ...schemaOf(option.value), default: option.default },
      machine: option.machine === true,
      description: () => `${describe(option)}${name === 'blockSize' ? ` ${chosenElsewhere()}` : ''}`,
      words: choices,
      wordKeys: choices.map(({ value }) => value),
    };
  });
  const editor = Object.entries<EditorSetting>(editorSettings).map(([name, setting]): Setting => {
    const choices = setting.value?.type === 'choice' ? setting.value.choices : [];
    return {
      name,
      machine: false,
      machineOnly: setting.machine === true,
      restricted: setting.restricted === true,
      group: setting.group ?? 'editor',
      schema: { ...editorSchemaOf(setting), default: setting.default },
      description: () => t(setting.description),
      words: choices,
      wordKeys: choices.map(({ value }) => value),
    };
  });
  return [scenario, ...numbers, ...texts, ...options, ...editor];
}

/** The type of a setting of the editor's part alone as JSON Schema. */
function editorSchemaOf({ value, default: standard }: EditorSetting): Readonly<Record<string, unknown>> {
  return value !== undefined
    ? schemaOf(value)
    : Array.isArray(standard)
      ? { type: 'array', items: { type: 'string' }, uniqueItems: true }
      : { type: typeof standard };
}

function chosenElsewhere(): string {
  return t('The palette and the panel change it for the workspace; changing this setting resets that.');
}

/** `sliding-window` as `slidingWindow`: vsce, which inserts texts for the marketplace, does not accept hyphens in keys. */
function camelCased(kind: string): string {
  return kind.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
