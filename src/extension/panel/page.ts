import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { showFailure } from '../notify';
import type { MessageReader } from './page-messages';

/** Pages, each with its script and its style sheet among the assets. */
const pages = {
  panel: { title: 'Two Heads', script: 'main.js', style: 'style.css' },
  lab: { title: 'Two Heads Lab', script: 'lab.js', style: 'lab-style.css' },
} as const;

/** What hears a page. */
interface PageHost<Message> {
  readonly read: MessageReader<Message>;
  readonly receive: (message: Message) => Promise<void>;
  /** Takes a line about a message that is none. */
  readonly log: (line: string) => void;
}

/**
 * Opens a page in a webview, and hands on its messages; what goes wrong with one, the user hears.
 *
 * @param assets the folder with its script and its style sheet
 * @returns ends the listening
 */
export function openPage<Message>(
  page: keyof typeof pages,
  webview: vscode.Webview,
  assets: vscode.Uri,
  { read, receive, log }: PageHost<Message>,
): vscode.Disposable {
  webview.options = { enableScripts: true, localResourceRoots: [assets] };
  const listening = webview.onDidReceiveMessage((given: unknown) => {
    const message = read(given);
    if (typeof message === 'string') {
      log(`A message of the ${page}'s page was dropped (${message}).`);
      return;
    }
    receive(message).catch((error: unknown) => void showFailure(error));
  });
  webview.html = pageHtml(page, webview, assets);
  return listening;
}

/** The HTML of a page: a strict content security policy, one script, one style sheet, nothing inline. */
function pageHtml(page: keyof typeof pages, webview: vscode.Webview, assets: vscode.Uri): string {
  const { title, script, style } = pages[page];
  const nonce = randomBytes(16).toString('base64');
  const uri = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(assets, name)).toString();
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource} 'nonce-${nonce}'`,
    `font-src ${webview.cspSource}`,
    `img-src ${webview.cspSource} data:`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${vscode.env.language}">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta http-equiv="Content-Security-Policy" content="${policy}">
  <meta property="csp-nonce" content="${nonce}">
  <link rel="stylesheet" href="${uri(style)}">
  <title>${title}</title>
</head>
<body>
  <main id="app" data-translations="${escaped(JSON.stringify(vscode.l10n.bundle ?? {}))}"></main>
  <script nonce="${nonce}" src="${uri(script)}"></script>
</body>
</html>`;
}

/** Text for an HTML attribute in double quotes. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
