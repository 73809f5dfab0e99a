import type { Weight, Weights } from '../read/model/weights';
import { GraphSession, type Operand } from '../attend/runtime/session';
import type { Device } from '../attend/runtime/provider';

/** Sessions of one device by name, each made when it is first asked for. */
export class SessionPool {
  private readonly sessions = new Map<string, Promise<GraphSession>>();

  constructor(private readonly device: Device) {}

  /** The session of a name. @param graph builds its graph, as bytes of an ONNX model */
  get(name: string, graph: () => Uint8Array): Promise<GraphSession> {
    let session = this.sessions.get(name);
    if (session === undefined) {
      session = GraphSession.create(graph(), this.device);
      this.sessions.set(name, session);
    }
    return session;
  }

  async release(): Promise<void> {
    await Promise.all([...this.sessions.values()].map(async (session) => (await session).release()));
    this.sessions.clear();
  }
}

/** Weights as operands of a run, by name. */
export function weightOperands<Name extends string>(weights: Weights<Name>): Readonly<Record<string, Operand>> {
  return weights as Readonly<Record<string, Weight>>;
}
