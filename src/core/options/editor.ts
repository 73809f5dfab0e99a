import { text } from '../l10n';

/** A setting of the editor's part alone, as plain data; what a simulation takes is in `table.ts`. */
interface EditorSetting {
  /** In English, translated where it is shown. */
  readonly description: string;
  readonly default: boolean | string | readonly string[];
  /** Its place in the settings editor, where that is not the editor's part. */
  readonly group?: 'fleet';
  /** Whether it is the machine's alone, which no workspace sets. */
  readonly machine?: true;
  /** Whether a workspace that is not trusted may not set it. */
  readonly restricted?: true;
}

/** The settings of lenses and hints, of which documents are prompts, and of the fleet, by their names under `twoHeads`. */
export const editorSettings = {
  'hints.enabled': {
    description: text('Show lenses, block hints, hovers and the status item in prompts.'),
    default: true,
  },
  'hints.headings': {
    description: text(
      'Show what a section costs at the heading of each section of a Markdown prompt, lower sections included. Needs `#twoHeads.hints.enabled#`.',
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
