import { describe, expect, it } from 'vitest';
import { FakeDocument } from '../../support/workbench/documents';
import { Uri } from '../../support/workbench/values';
import { SentPrompt } from '../../../src/extension/prompts/sent-prompt';
import type * as vscode from 'vscode';

const changes = (count: number): vscode.TextDocumentContentChangeEvent[] =>
  Array.from(
    { length: count },
    (_, index) => ({ rangeOffset: count - index, rangeLength: 1, text: 'x' }) as vscode.TextDocumentContentChangeEvent,
  );

describe('what is sent of a prompt', () => {
  it('is the whole text at first, then what changed, and the whole text again where very much did', () => {
    const document = new FakeDocument(Uri.parse('file:///a.md'), 'markdown', 'Some text.');
    const sent = new SentPrompt(document, undefined);
    sent.changed(changes(1));
    expect(sent.take()).toMatchObject({ version: 1, change: { text: 'Some text.' } });
    sent.changed(changes(2));
    document.version = 2;
    expect(sent.take()).toMatchObject({
      version: 2,
      change: { since: 1, changes: [{ offset: 2, removed: 1, inserted: 'x' }, { offset: 1 }] },
    });
    for (const many of [[600, 600], [200_000]]) {
      many.forEach((count) => sent.changed(changes(count)));
      document.version += 1;
      expect(sent.take().change).toEqual({ text: 'Some text.' });
    }
    sent.changed(changes(3));
    expect(sent.take().change).toMatchObject({ since: 4, changes: { length: 3 } });
  });
});
