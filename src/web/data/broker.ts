// The socket to the broker: open while somebody is signed in, opened again when it is lost, and closed with the session.
import { effect, signal } from "@preact/signals";
import { type ConsoleBroker, consoleBroker, type SessionEvent } from "../../client/console-client.ts";
import { refreshHello, refreshSession, session } from "./session.ts";

export type ConnectionState = "none" | "open" | "reconnecting";

export const connection = signal<ConnectionState>("none");
/** Rises when a lost connection is back: what is on the screen may be old. */
export const reconnects = signal(0);
/** Undefined: nobody is signed in. */
export const broker = signal<ConsoleBroker | undefined>(undefined);

let wasLost = false;
let hasConnected = false;

function onEvent(from: ConsoleBroker | undefined, { kind }: SessionEvent): void {
  if (from !== broker.peek()) return;
  if (kind === "connected") {
    connection.value = "open";
    if (wasLost) reconnects.value++;
    wasLost = false;
    // The broker may be another version by now; after a restart this is the first connection of a new session.
    if (hasConnected) ask(refreshHello);
    hasConnected = true;
  } else if (kind === "closed") {
    connection.value = "none";
  } else {
    connection.value = "reconnecting";
    wasLost = true;
    // A socket that is closed or refused may mean that the session is over.
    ask(refreshSession);
  }
}

function ask(question: () => Promise<void>): void {
  question().catch(() => undefined); // no answer either: the next attempt of the socket asks again
}

/** One socket for each user who signs in here. */
export function followSession(): void {
  let userId: number | undefined;
  effect(() => {
    const { value } = session;
    if (value.kind === "unknown") return;
    const next = value.kind === "signedIn" ? value.session.user.id : undefined;
    if (next === userId) return;
    userId = next;
    broker.peek()?.close();
    wasLost = false;
    connection.value = "none";
    broker.value = next === undefined ? undefined : makeBroker();
  });
}

function makeBroker(): ConsoleBroker {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const made: ConsoleBroker = consoleBroker(`${scheme}//${location.host}/ui/socket`, (event) => onEvent(made, event));
  made.open();
  return made;
}
