import type { BrokerAddress } from '../address';
import { Broker } from '../broker';

/** How long a connection stays open that nobody uses, in milliseconds: some polls of a view. */
const idleMs = 10_000;

/** A connection, and how many use it. */
interface Held {
  readonly key: string;
  readonly broker: Promise<Broker>;
  users: number;
  idle?: NodeJS.Timeout;
}

/** One connection to a broker, shared by all that use the same address, and closed once another is used or nobody uses it. */
export class BrokerConnection {
  private current: Held | undefined;

  /** @param log takes a line where something about the broker is not as it should be */
  constructor(private readonly log: (line: string) => void) {}

  /** Calls `act` with a broker that is connected. @throws InputError where it cannot be used, and what `act` throws */
  async use<T>(address: BrokerAddress, act: (broker: Broker) => Promise<T>): Promise<T> {
    const held = this.held(address);
    held.users += 1;
    clearTimeout(held.idle);
    try {
      return await act(await held.broker);
    } finally {
      held.users -= 1;
      if (held.users === 0) {
        held.idle = setTimeout(() => this.drop(held), held === this.current ? idleMs : 0);
        held.idle.unref();
      }
    }
  }

  private held(address: BrokerAddress): Held {
    const { url, password, ca } = address;
    const key = JSON.stringify([url, password, ca]);
    const former = this.current;
    if (former?.key === key) {
      return former;
    }
    const held: Held = { key, broker: Broker.open(address, this.log), users: 0 };
    this.current = held;
    if (former?.users === 0) {
      this.drop(former);
    }
    // One that failed is opened again by the next who asks.
    held.broker.catch(() => this.drop(held));
    return held;
  }

  private drop(held: Held): void {
    clearTimeout(held.idle);
    if (this.current === held) {
      this.current = undefined;
    }
    void held.broker.then(
      (broker) => broker.close(),
      () => undefined,
    );
  }
}
