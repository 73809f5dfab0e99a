import * as vscode from 'vscode';
import type { TwoHeadsApi } from '../../../../src/extension/api/api';
import type { ApiCall, Outcome, ToolCall } from './protocol';

/** Calls the API of Two Heads, as any other extension may, and tells what came of it. */
export async function callApi(argument: string): Promise<Outcome> {
  const { method, text, repeat = 1, options, cancelAfterMs } = JSON.parse(argument) as ApiCall;
  const api = await vscode.extensions.getExtension<TwoHeadsApi>('two-heads.two-heads')?.activate();
  if (api === undefined) {
    throw new Error('Two Heads is not installed.');
  }
  const progress: number[] = [];
  let finishedRuns = 0;
  const listener = api.onDidFinishRun(() => (finishedRuns += 1));
  try {
    return await outcomeOf(cancelAfterMs, async (token) => {
      const context = { token, onProgress: ({ fraction }: { readonly fraction: number }) => void progress.push(fraction) };
      const value = await api[method](text.repeat(repeat), options, context);
      return { value, progress, finishedRuns, version: api.version };
    });
  } finally {
    listener.dispose();
  }
}

/** Has VS Code invoke a tool outside a chat, and tells its parts. */
export function invokeTool(argument: string): Promise<Outcome> {
  const { name, input, cancelAfterMs } = JSON.parse(argument) as ToolCall;
  return outcomeOf(cancelAfterMs, async (token) => {
    const { content } = await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined }, token);
    return content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : String(part)));
  });
}

async function outcomeOf(cancelAfterMs: number | undefined, act: (token: vscode.CancellationToken) => Promise<unknown>): Promise<Outcome> {
  const source = new vscode.CancellationTokenSource();
  const timer = cancelAfterMs === undefined ? undefined : setTimeout(() => source.cancel(), cancelAfterMs);
  try {
    return { value: await act(source.token), error: null };
  } catch (error) {
    return {
      value: null,
      error: error instanceof Error ? { name: error.name, message: error.message } : { name: typeof error, message: String(error) },
    };
  } finally {
    clearTimeout(timer);
    source.dispose();
  }
}
