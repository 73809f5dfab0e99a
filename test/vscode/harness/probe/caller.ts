import * as vscode from 'vscode';
import type { TwoHeadsApi } from '../../../../src/extension/api/api';
import type { ApiCall, Outcome, ToolCall } from './protocol';

/** Calls the API of Two Heads, as any other extension may, and tells what came of it. */
export async function callApi(argument: string): Promise<Outcome> {
  const { method, text, repeat = 1, options, cancelAtProgress = false } = JSON.parse(argument) as ApiCall;
  const api = await vscode.extensions.getExtension<TwoHeadsApi>('two-heads.two-heads')?.activate();
  if (api === undefined) {
    throw new Error('Two Heads is not installed.');
  }
  const progress: number[] = [];
  let finishedRuns = 0;
  const listener = api.onDidFinishRun(() => (finishedRuns += 1));
  try {
    return await outcomeOf(async (source) => {
      const onProgress = ({ fraction }: { readonly fraction: number }): void => {
        progress.push(fraction);
        if (cancelAtProgress) {
          source.cancel();
        }
      };
      const context = { token: source.token, onProgress };
      const value = await api[method](text.repeat(repeat), options, context);
      return { value, progress, finishedRuns, version: api.version };
    });
  } finally {
    listener.dispose();
  }
}

/** Has VS Code invoke a tool outside a chat, and tells its parts. */
export function invokeTool(argument: string): Promise<Outcome> {
  const { name, input } = JSON.parse(argument) as ToolCall;
  return outcomeOf(async ({ token }) => {
    const { content } = await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined }, token);
    return content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : String(part)));
  });
}

async function outcomeOf(act: (source: vscode.CancellationTokenSource) => Promise<unknown>): Promise<Outcome> {
  const source = new vscode.CancellationTokenSource();
  try {
    return { value: await act(source), error: null };
  } catch (error) {
    return {
      value: null,
      error: error instanceof Error ? { name: error.name, message: error.message } : { name: typeof error, message: String(error) },
    };
  } finally {
    source.dispose();
  }
}
