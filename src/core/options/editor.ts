import { text } from '../l10n';

/** A setting of the editor's part alone, as plain data; what a simulation takes is in `table.ts`. */
interface EditorSetting {
  /** In English, translated where it is shown. */
  readonly description: string;
  readonly default: boolean | readonly string[];
  /** Whether a workspace that is not trusted may not set it. */
  readonly restricted?: true;
}

/** The settings of lenses and hints, by their names under `twoHeads`. */
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
    description: text('Identifiers of the languages whose files are prompts. Files that end in `.prompt` always are.'),
    default: ['markdown', 'plaintext'],
    restricted: true,
  },
} as const satisfies Readonly<Record<string, EditorSetting>>;
