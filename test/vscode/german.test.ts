import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, sampleText } from '../support/paths';
import { useStage } from './harness/stage';
import { eventuallyText } from './harness/wait';

const bundle = JSON.parse(readFileSync(join(root, 'l10n', 'bundle.l10n.de.json'), 'utf8')) as Record<string, string>;
const manifest = JSON.parse(readFileSync(join(root, 'package.nls.de.json'), 'utf8')) as Record<string, string>;
const command = (name: string): string => `Two Heads: ${manifest[`command.${name}.title`]}`;

/** What is on the page: texts, as they are in it and not in capitals by style, and names for screen readers. */
const visibleTexts = `(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) {
    if (walker.currentNode.parentElement.checkVisibility()) {
      texts.push(walker.currentNode.textContent);
    }
  }
  for (const each of document.querySelectorAll('[aria-label], [title]')) {
    texts.push(each.getAttribute('aria-label') ?? '', each.getAttribute('title') ?? '');
  }
  return texts.map((text) => text.trim()).filter((text) => text !== '');
})()`;

const stage = useStage('german', {
  language: 'de',
  files: { 'prompt.md': sampleText() },
  openPanel: command('openPanel'),
  // VS Code looks for translations of its own extensions in a gallery, and this one has none.
  meant: /getBuiltInExtensionTranslationsUri/,
});

describe('in German', () => {
  it('are lens, hints, commands and notifications', async () => {
    await stage.open('prompt.md');
    await stage.lens(/^4,957 von 2,048 Token, 242% · 20 Blöcke/);
    await stage.hint(/Block 2 · 12 Aufrufe/);
    await stage.bench.command(command('simulateFile'));
    await stage.notification(/4,957 Token in .* 1,500 Aufrufe/);
  });

  it('is what the engine refuses', async () => {
    await stage.open('prompt.md');
    await stage.bench.setSettings({ 'twoHeads.model': 'nowhere' });
    await stage.lens(/^Modell "nowhere" ist kein Ordner und keine \.gguf-Datei \(gesucht: .* das two-heads models aufführt\.$/);
    await stage.bench.screenshot('61-german-refusal');
  });

  it('is the panel, with no text left that has a translation', async () => {
    await stage.open('prompt.md');
    await stage.bench.command(command('simulateFile'));
    await stage.notification(/4,957 Token in .* 1,500 Aufrufe/);
    const panel = await stage.lab('prompt.md');
    await eventuallyText('the panel', async () => [await panel.frame.locator('body').innerText()], /Treue/);
    const shown = await panel.frame.evaluate<string[]>(visibleTexts);
    expect(shown.length).toBeGreaterThan(50);
    // Words that are the same in both languages say nothing.
    expect(shown.filter((text) => Object.hasOwn(bundle, text) && bundle[text] !== text)).toEqual([]);
    await stage.bench.screenshot('60-german-panel');
  });
});
