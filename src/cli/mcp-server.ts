import { Readable, Writable } from 'node:stream';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
} from '@modelcontextprotocol/sdk/types.js';

/** A tool as a client sees it. */
interface ServedTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: () => object;
}

/** How a call goes on: `fraction` of the work that is done. */
type OnProgress = (progress: { readonly fraction: number; readonly message: string }) => void;

/** What a server answers with, and where. */
interface Served {
  readonly version: string;
  readonly tools: readonly ServedTool[];
  /** Texts that a call of a tool results in. @throws Error whose message the client is to see */
  readonly call: (name: string, input: unknown, signal: AbortSignal, onProgress: OnProgress) => Promise<readonly string[]>;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: { write(text: string): unknown };
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Serves tools over the Model Context Protocol, by the protocol's own SDK (MIT), until the client closes the input.
 *
 * A bundle of its own: no other command reads the SDK.
 */
export async function serve({ version, tools, call, stdin, stdout, signal }: Served): Promise<void> {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- what is to be used instead takes schemas of zod, and ours are JSON Schema.
  const server = new Server({ name: 'two-heads', title: 'Two Heads', version }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map(({ name, title, description, inputSchema }) => ({
      name,
      title,
      description,
      inputSchema: inputSchema() as { type: 'object' },
      // Not read-only for a client that would then not ask: a run takes the machine, and its numbers leave it.
      annotations: { title, readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra): Promise<CallToolResult> => {
    if (tools.every(({ name }) => name !== params.name)) {
      throw new McpError(ErrorCode.InvalidParams, `There is no tool ${JSON.stringify(params.name)}.`);
    }
    const token = params._meta?.progressToken;
    const onProgress: OnProgress = ({ fraction, message }) => {
      if (token !== undefined) {
        const progress = { progressToken: token, progress: fraction, total: 1, message };
        // A client that is gone gets none; its call is cancelled anyway.
        extra.sendNotification({ method: 'notifications/progress', params: progress }).catch(() => undefined);
      }
    };
    try {
      const texts = await call(params.name, params.arguments ?? {}, extra.signal, onProgress);
      return { content: texts.map((text) => ({ type: 'text', text })) };
    } catch (error) {
      return { isError: true, content: [{ type: 'text', text: error instanceof Error ? error.message : String(error) }] };
    }
  });
  const input = Readable.from(stdin);
  const output = new Writable({
    write: (chunk, _encoding, done) => {
      stdout.write(String(chunk));
      done();
    },
  });
  const ended = new Promise<void>((resolve) => {
    input.once('end', resolve).once('error', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await server.connect(new StdioServerTransport(input, output));
  await ended;
  // Its calls are aborted.
  await server.close();
}
