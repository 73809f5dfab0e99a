import * as vscode from 'vscode';
import { setTranslations, t } from '../core/l10n';

/** The message for editors in the browser. */
function message(): string {
  return t(
    "Two Heads needs VS Code on the desktop: it plans and runs prompts with ONNX Runtime's native library, which a browser cannot load.",
  );
}

/** The contributions of the manifest that are handled here. */
interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly languageModelTools: readonly { readonly name: string }[];
  };
}

/** The extension in editors without a machine, such as vscode.dev: every contribution explains what it needs. */
export function activate({ subscriptions, extension }: vscode.ExtensionContext): void {
  setTranslations(vscode.l10n.bundle);
  const { commands, languageModelTools } = (extension.packageJSON as Manifest).contributes;
  for (const { command } of commands) {
    subscriptions.push(vscode.commands.registerCommand(command, () => vscode.window.showInformationMessage(message())));
  }
  const { lm } = vscode as Partial<typeof vscode>;
  if (lm !== undefined) {
    subscriptions.push(
      ...languageModelTools.map(({ name }) => lm.registerTool(name, { invoke: () => Promise.reject(new Error(message())) })),
    );
  }
  subscriptions.push(
    vscode.window.registerWebviewViewProvider('twoHeads.panel', { resolveWebviewView: ({ webview }) => void (webview.html = page()) }),
  );
}

/** The panel's page: no script, no style sheet. */
function page(): string {
  return `<!DOCTYPE html>
<html lang="${vscode.env.language}">
  <head><meta http-equiv="Content-Security-Policy" content="default-src 'none'"><title>Two Heads</title></head>
  <body><p>${message()}</p></body>
</html>`;
}
