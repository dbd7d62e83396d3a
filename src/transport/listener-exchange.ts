// How a listener gets another certificate. The runtime gives it one once and for all, so another listener takes its place.
import type { ListenAddress } from "../config/address.ts";
import { handOverListening } from "../platform/listening-socket.ts";

export interface ListenerExchange<Listener extends { readonly port?: number | undefined }> {
  readonly address: ListenAddress;
  readonly previous: Listener;
  /** Makes a listener as the new one shall be, at any address. Throws if it cannot. */
  readonly bind: (address: ListenAddress) => Listener;
  /** Ends a listener; connections that it has accepted go on. */
  readonly stop: (listener: Listener) => void;
  /** What becomes of the previous one, which accepts nothing any more; `stop` if not given. */
  readonly retire?: (listener: Listener) => void;
}

/**
 * The listener that accepts from now on; no connection has noticed anything. Where the system does not allow that, both
 * listen for a moment, the previous one is stopped, and a connection that arrives right then may be reset.
 */
export function exchangeListener<Listener extends { readonly port?: number | undefined }>({
  address,
  previous,
  bind,
  stop,
  retire = stop,
}: ListenerExchange<Listener>): Listener {
  const heir = bind({ ...address, port: 0 });
  if (heir.port !== undefined && handOverListening(address.port, heir.port)) {
    retire(previous);
    return heir;
  }
  stop(heir);
  const listener = bind(address);
  afterAccepting(() => stop(previous));
  return listener;
}

/** Right after the event loop has accepted every connection that waits. */
function afterAccepting(work: () => void): void {
  // The first comes before the loop looks at its sockets, the second right behind that look.
  setImmediate(() => setImmediate(work));
}
