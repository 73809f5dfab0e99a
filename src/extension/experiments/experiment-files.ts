import * as vscode from 'vscode';

/** File name ending of experiments, and the pattern of their paths. */
export const experimentEnding = '.two-heads.json';
export const experimentPattern = `**/*${experimentEnding}`;

/** Whether a document is an experiment file on this machine, which the engine can read. */
export function isExperiment({ uri, fileName }: vscode.TextDocument): boolean {
  return uri.scheme === 'file' && fileName.endsWith(experimentEnding);
}

/** The experiment files of the workspace, but for those that came with packages. */
export async function findExperiments(): Promise<readonly vscode.Uri[]> {
  return vscode.workspace.findFiles(experimentPattern, '**/{node_modules,.git}/**');
}
