// What the broker tells of itself while somebody is signed in and looks: lists are loaded again when they have changed, and only
// then. A tab that nobody looks at hears nothing after a minute, and catches up when it is shown.
import { effect, type Signal, signal } from "@preact/signals";
import { type ChangeKind, ConsoleLive } from "../../client/console-client.ts";
import { broker } from "./broker.ts";
import { refreshSession } from "./session.ts";

/** Rises with each change that is to be seen. */
export const changes: Readonly<Record<ChangeKind, Signal<number>>> = {
  stream: signal(0),
  topic: signal(0),
  group: signal(0),
  user: signal(0),
};

/** Undefined: nobody is signed in, or nobody looks. */
export const live = signal<ConsoleLive | undefined>(undefined);

/** Lists are loaded again at most so often. */
const restMs = 1000;
const hiddenMs = 60_000;
const resting = new Map<ChangeKind, boolean>();

function changed(kind: ChangeKind): void {
  if (kind === "user") refreshSession().catch(() => undefined); // no answer: the connection says so
  if (resting.has(kind)) {
    resting.set(kind, true);
    return;
  }
  changes[kind].value++;
  resting.set(kind, false);
  setTimeout(() => {
    const isDue = resting.get(kind) === true;
    resting.delete(kind);
    if (isDue) changed(kind);
  }, restMs);
}

function everything(): void {
  for (const kind of Object.keys(changes) as ChangeKind[]) changes[kind].value++;
}

/** One socket for each session, while the page is looked at. */
export function followLive(): void {
  const isHidden = signal(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.visibilityState === "visible") {
      if (isHidden.peek()) everything();
      isHidden.value = false;
    } else {
      timer = setTimeout(() => {
        isHidden.value = true;
      }, hiddenMs);
    }
  });
  effect(() => {
    if (broker.value === undefined || isHidden.value) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const made = new ConsoleLive(`${scheme}//${location.host}/ui/live`, ({ kind }) => changed(kind), everything);
    live.value = made;
    return () => {
      made.close();
      live.value = undefined;
    };
  });
}
