import { text } from '../l10n';
import type { OptionValue } from './option';

/** A setting of the editor's part alone, as plain data; what a simulation takes is in `table.ts`. */
export interface EditorSetting {
  /** In English, translated where it is shown. */
  readonly description: string;
  readonly default: boolean | string | number | readonly string[];
  /** What it can be, where its default does not say. */
  readonly value?: OptionValue;
  /** Its place in the settings editor, where that is not the editor's part. */
  readonly group?: 'fleet';
  /** Whether it is the machine's alone, which no workspace sets. */
  readonly machine?: true;
  /** Whether a workspace that is not trusted may not set it. */
  readonly restricted?: true;
}

/** The settings of lenses and hints, of which documents are prompts, of long runs, and of the fleet, by their names under `twoHeads`. */
export const editorSettings = {
  'hints.placement': {
    description: text('Where a prompt shows what its blocks cost.'),
    value: {
      type: 'choice',
      noun: 'Placement',
      choices: [
        { value: 'endOfLine', description: text('At the end of the line where a block begins, so that the text stays as it is.') },
        {
          value: 'gutter',
          description: text(
            'Beside the text: the number of a block under a rule at the line where it begins, and a strip in the shades of `#twoHeads.hints.heat#`.',
          ),
        },
        { value: 'inline', description: text('In the text, before the word with which a block begins.') },
        { value: 'off', description: text('Nowhere: prompts have no hints, lenses, hovers, shades or status item.') },
      ],
    },
    default: 'endOfLine',
  },
  'hints.heat': {
    description: text('What the overview ruler shades, and the strip of `#twoHeads.hints.placement#` `gutter`.'),
    value: {
      type: 'choice',
      noun: 'Heat',
      choices: [
        { value: 'cost', description: text('The attention of each part of the prompt, beside its other parts.') },
        {
          value: 'kl',
          description: text(
            'The KL divergence at each position, once *Evaluate Quality* has measured this text under this scenario, read at once.',
          ),
        },
        { value: 'off', description: text('Nothing.') },
      ],
    },
    default: 'cost',
  },
  'hints.minimumTokens': {
    description: text('Prompts of fewer tokens have no hints, nor have sections of fewer.'),
    value: { type: 'whole', minimum: 0, maximum: 1_000_000 },
    default: 64,
  },
  'hints.headings': {
    description: text(
      'Show what a section costs at the heading of each section of a Markdown prompt, lower sections included. With `#twoHeads.hints.placement#` `endOfLine` or `inline`.',
    ),
    default: true,
  },
  languages: {
    description: text(
      'Identifiers of the languages whose documents are prompts. Files of other languages are prompts where `#twoHeads.files#` matches; any other text is with *Treat as Prompt*.',
    ),
    // VS Code's own; `chatmode` is what it called `chatagent` up to 1.105.
    default: ['prompt', 'instructions', 'chatagent', 'chatmode', 'skill'],
    restricted: true,
  },
  files: {
    description: text(
      'Patterns of the files that are prompts, as in `#files.exclude#`: relative to the folder of the workspace, in capitals or not.',
    ),
    // docs/decisions/0017-which-documents-are-prompts.md has the reasons.
    default: [
      '**/*.{prompt,prompty}',
      '**/*prompt*.{md,txt,j2,jinja,jinja2}',
      '**/prompts/**/*.{md,txt,j2,jinja,jinja2}',
      '**/*.{instructions,agent,chatmode}.md',
      '**/{AGENTS,CLAUDE,GEMINI,SKILL,copilot-instructions}.md',
      '**/*.chat.{json,jsonl}',
    ],
    restricted: true,
  },
  askAboveSeconds: {
    description: text('Seconds from which a run asks before it begins, where its time is known: on a calibrated device. 0 never asks.'),
    value: { type: 'whole', minimum: 0, maximum: 1_000_000 },
    default: 60,
  },
  'fleet.broker': {
    description: text(
      "The broker, Redis or Valkey, whose workers *Run Experiment on Fleet* measures on, such as `rediss://user@host:6379`. The tokens of an experiment's prompts leave this machine for it. Its password is no part of the address: *Set the Broker's Password...* keeps it in the secret storage.",
    ),
    default: '',
    group: 'fleet',
    machine: true,
    restricted: true,
  },
} as const satisfies Readonly<Record<string, EditorSetting>>;
