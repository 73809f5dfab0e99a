import { createHash } from 'node:crypto';
import type * as vscode from 'vscode';

const digests = new WeakMap<vscode.TextDocument, { readonly version: number; readonly sha256: string }>();

/** Hex SHA-256 of a document's text in UTF-8, computed once per version: what reports identify a prompt by. */
export function digestOf(document: vscode.TextDocument): string {
  const known = digests.get(document);
  if (known?.version === document.version) {
    return known.sha256;
  }
  const sha256 = createHash('sha256').update(document.getText(), 'utf8').digest('hex');
  digests.set(document, { version: document.version, sha256 });
  return sha256;
}
