import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { messagesIn } from '../support/messages';
import { root } from '../support/paths';

const language = 'de';

function textsOf(file: string): Record<string, string> {
  return JSON.parse(readFileSync(join(root, file), 'utf8')) as Record<string, string>;
}

/** What is filled in: `{0}`, `{1}` ..., each once or more. */
function holes(text: string): string[] {
  return [...new Set(text.match(/\{\d+\}/g))].sort();
}

/** Where the manifest holds what people see. A tool's `name` is an identifier, its `modelDescription` for language models. */
const shownFields =
  /^(displayName|userDescription|description|title|category|name|contextualTitle|contents|label|altText|markdownDescription|enumDescriptions|markdownEnumDescriptions|enumItemLabels)$/;

const messages = ['src/core', 'src/engine', 'src/fleet', 'src/protocol', 'src/extension', 'webview'].flatMap(messagesIn);
const bundle = textsOf(`l10n/bundle.l10n.${language}.json`);

describe('texts of the code', () => {
  it('are asked for when they are shown, never as a module loads', () => {
    expect(messages.filter(({ early }) => early).map(({ text, where }) => `${where}: ${text}`)).toEqual([]);
  });

  it('all have a translation', () => {
    const missing = messages.filter(({ text }) => !Object.hasOwn(bundle, text)).map(({ text, where }) => `${where}: ${text}`);
    expect(missing).toEqual([]);
  });

  it('have no translation that nothing asks for', () => {
    const asked = new Set(messages.map(({ text }) => text));
    expect(Object.keys(bundle).filter((text) => !asked.has(text))).toEqual([]);
  });

  it('are filled in alike in both languages', () => {
    expect(Object.entries(bundle).filter(([text, translation]) => holes(text).join() !== holes(translation).join())).toEqual([]);
  });
});

describe('texts of the manifest', () => {
  const manifest = readFileSync(join(root, 'package.json'), 'utf8');
  const english = textsOf('package.nls.json');

  // vsce, which fills them in for the marketplace, takes no hyphen in a key.
  it('are all there, in both languages, and all used', () => {
    const used = [...new Set([...manifest.matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key))].sort();
    expect(used.length).toBeGreaterThan(80);
    expect(Object.keys(english).sort()).toEqual(used);
    expect(Object.keys(textsOf(`package.nls.${language}.json`)).sort()).toEqual(used);
  });

  it('keep their links, commands and code in the translation', () => {
    const marks = (text: string): string[] => (text.match(/\]\([^)]*\)|`[^`]*`/g) ?? []).sort();
    const german = textsOf(`package.nls.${language}.json`);
    expect(Object.keys(english).filter((key) => marks(english[key]).join() !== marks(german[key]).join())).toEqual([]);
  });

  it('leave none that people see in the manifest itself', () => {
    const { displayName, description, capabilities, contributes } = JSON.parse(manifest) as Record<string, unknown> & {
      contributes: Record<string, unknown>;
    };
    const { commands, submenus, colors, viewsContainers, views, viewsWelcome, languageModelTools, walkthroughs, configuration } =
      contributes;
    const left: string[] = [];
    JSON.stringify(
      {
        displayName,
        description,
        capabilities,
        commands,
        submenus,
        colors,
        viewsContainers,
        views,
        viewsWelcome,
        languageModelTools,
        walkthroughs,
        configuration,
      },
      (field, value: unknown) => {
        if (field === 'inputSchema') {
          return undefined; // Language models read it, in English.
        }
        if (shownFields.test(field)) {
          left.push(
            ...[value].flat().filter((text): text is string => typeof text === 'string' && !/^(%[\w.]+%|twoHeads_\w+)$/.test(text)),
          );
        }
        return value;
      },
    );
    expect(left).toEqual([]);
  });

  it('have a picture for each step of the walkthrough, in the colours of the theme and small enough to read', () => {
    const pictures = [...manifest.matchAll(/"svg": "([^"]+)"/g)].map(([, picture]) => picture);
    expect(pictures.length).toBeGreaterThan(0);
    for (const picture of pictures) {
      const svg = readFileSync(join(root, picture), 'utf8');
      expect(svg, picture).not.toMatch(/(fill|stroke)="(?!none|var\(--vscode-)/);
      // VS Code draws it at most 530 pixels wide.
      expect(Number(/viewBox="0 0 (\d+) /.exec(svg)?.[1])).toBeLessThanOrEqual(530);
      expect(Math.min(...[...svg.matchAll(/font-size="([\d.]+)"/g)].map(([, size]) => Number(size)))).toBeGreaterThanOrEqual(11);
    }
  });
});
