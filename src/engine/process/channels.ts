import { fork } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { parentVariable } from './handler';

/** What a channel tells of the other side. */
interface Listeners<Incoming> {
  readonly onMessage: (message: Incoming) => void;
  /** What the other side writes to its standard output or error. */
  readonly onOutput: (text: string) => void;
  /** The other side ended. @param how such as a signal or an exit code */
  readonly onEnd: (how: string) => void;
}

/** A process or a thread, and the messages to and from it. */
export interface Channel<Outgoing, Incoming> {
  /** Its kind and its number. */
  readonly name: string;
  /** A failed send is followed by `onEnd`. */
  readonly send: (message: Outgoing) => void;
  readonly listen: (listeners: Listeners<Incoming>) => void;
  readonly kill: () => void;
}

/** A process of its own, so that a native crash does not end this one. @param entry path of its bundled script */
export function processChannel<Outgoing extends object, Incoming>(
  name: string,
  entry: string,
  args: readonly string[],
): Channel<Outgoing, Incoming> {
  // With the host's inspector flags, the child would try to use the same debug port.
  const child = fork(entry, args, {
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
    env: { ...process.env, [parentVariable]: String(process.pid) },
  });
  return {
    name: `${name} ${child.pid}`,
    send: (message) => void child.send(message, () => undefined),
    listen: ({ onMessage, onOutput, onEnd }) => {
      child.on('message', onMessage);
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding('utf8').on('data', onOutput);
      }
      child.once('error', (error) => onEnd(error.message));
      child.once('exit', (code, signal) => onEnd(signal ?? `code ${code}`));
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** A thread of this process, which can be ended whatever it does. @param data what it starts with */
export function threadChannel<Outgoing, Incoming>(name: string, entry: string, data: unknown): Channel<Outgoing, Incoming> {
  const thread = new Worker(entry, { workerData: data, stdout: true, stderr: true });
  // It must not keep a command from ending.
  thread.unref();
  return {
    name: `${name} ${thread.threadId}`,
    send: (message) => thread.postMessage(message),
    listen: ({ onMessage, onOutput, onEnd }) => {
      thread.on('message', onMessage);
      for (const stream of [thread.stdout, thread.stderr]) {
        stream.setEncoding('utf8').on('data', onOutput);
      }
      thread.once('error', (error) => onEnd(error.message));
      thread.once('exit', (code) => onEnd(`code ${code}`));
    },
    kill: () => void thread.terminate(),
  };
}
