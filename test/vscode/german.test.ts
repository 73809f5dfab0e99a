import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, samplePrompt } from '../support/paths';
import { packaged } from './harness/packaged';
import { eventuallyText } from './harness/wait';
import { Workbench } from './harness/workbench';

let workspace: string;
let bench: Workbench;

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

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'two-heads-german-'));
  copyFileSync(samplePrompt, join(workspace, 'prompt.md'));
  bench = await Workbench.start({
    ...packaged,
    workspace,
    language: 'de',
  });
});

afterAll(async () => {
  await bench.close();
  rmSync(workspace, { recursive: true, force: true });
});

describe('in German', () => {
  it('are lens, hints, commands and notifications', async () => {
    await bench.open(join(workspace, 'prompt.md'));
    await eventuallyText('the lens', () => bench.editor.codeLenses(), /^4,957 Token · 20 Blöcke/);
    await eventuallyText('a hint', () => bench.editor.inlayHints(), /Block 2 · 12 Aufrufe/);
    await bench.command(command('simulateFile'));
    await eventuallyText('the outcome', () => bench.notifications(), /4,957 Token in .* 1,500 Aufrufe/, 60_000);
    await bench.clearNotifications();
  });

  it('is the panel, with no text left that has a translation', async () => {
    await bench.command(command('openPanel'));
    const frame = await bench.webview(0);
    await eventuallyText('the panel', async () => [await frame.locator('body').innerText()], /Treue/);
    const shown = await frame.evaluate<string[]>(visibleTexts);
    expect(shown.length).toBeGreaterThan(50);
    // Words that are the same in both languages say nothing.
    expect(shown.filter((text) => Object.hasOwn(bundle, text) && bundle[text] !== text)).toEqual([]);
    await bench.screenshot('60-german-panel');
  });

  it('prints no error', () => {
    // VS Code looks for translations of its own extensions in a gallery, and this one has none.
    expect(bench.consoleErrors.filter((error) => !error.includes('getBuiltInExtensionTranslationsUri'))).toEqual([]);
  });
});
