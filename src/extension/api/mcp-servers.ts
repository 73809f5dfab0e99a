import * as vscode from 'vscode';
import { Disposable } from '../disposable';

/** What VS Code has from 1.101 on, for which this extension does not wait: older ones lack it. */
interface ServerApi {
  readonly lm?: {
    readonly registerMcpServerDefinitionProvider?: (
      id: string,
      provider: { readonly onDidChangeMcpServerDefinitions: vscode.Event<void>; provideMcpServerDefinitions(): object[] },
    ) => vscode.Disposable;
  };
  readonly McpStdioServerDefinition?: new (label: string, command: string, args: string[], env: Record<string, string>) => object;
}

/** As package.json names the provider. */
const providerId = 'twoHeads.servers';

/**
 * Offers `two-heads mcp` to what in VS Code speaks the Model Context Protocol: a server for each folder of a trusted workspace. VS
 * Code starts one when the user wants it.
 */
export class McpServers extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());

  /** @param entry of the bundled command line */
  constructor(private readonly entry: string) {
    super();
    const { lm, McpStdioServerDefinition: Definition } = vscode as unknown as ServerApi;
    if (lm?.registerMcpServerDefinitionProvider === undefined || Definition === undefined) {
      return;
    }
    this.own(vscode.workspace.onDidChangeWorkspaceFolders(() => this.changed.fire()));
    this.own(vscode.workspace.onDidGrantWorkspaceTrust(() => this.changed.fire()));
    // The editor's own program runs as Node with this variable.
    const environment = { ELECTRON_RUN_AS_NODE: '1' };
    this.own(
      lm.registerMcpServerDefinitionProvider(providerId, {
        onDidChangeMcpServerDefinitions: this.changed.event,
        provideMcpServerDefinitions: () =>
          this.folders.map(
            ({ name, uri }) => new Definition(`Two Heads: ${name}`, process.execPath, [this.entry, 'mcp', uri.fsPath], { ...environment }),
          ),
      }),
    );
  }

  private get folders(): readonly vscode.WorkspaceFolder[] {
    const all = vscode.workspace.isTrusted ? (vscode.workspace.workspaceFolders ?? []) : [];
    return all.filter(({ uri }) => uri.scheme === 'file');
  }
}
