import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

/** The panel's HTML: a strict content security policy, one script, one style sheet, nothing inline. */
export function panelHtml(webview: vscode.Webview, assets: vscode.Uri): string {
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
  <link rel="stylesheet" href="${uri('style.css')}">
  <title>Two Heads</title>
</head>
<body>
  <main id="app" data-translations="${escaped(JSON.stringify(vscode.l10n.bundle ?? {}))}"></main>
  <script nonce="${nonce}" src="${uri('main.js')}"></script>
</body>
</html>`;
}

/** Text for an HTML attribute in double quotes. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
