// What a page shows of the broker: loaded when the page is opened, when its address says something else, when somebody asks, and
// when a lost connection is back. What was there stays while the next is on its way.
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { ChangeKind, ConsoleBroker } from "../../client/console-client.ts";
import { broker, reconnects } from "./broker.ts";
import { changes } from "./live.ts";

export type Loaded<T> = {
  /** Of the last load that went well, for this key. */
  readonly value: T | undefined;
  readonly error: unknown;
  readonly isLoading: boolean;
};

type Found<T> = Loaded<T> & { readonly what: string; readonly version: string };

const turns = signal(0);

/** Loads all that is shown again. */
export function reload(): void {
  turns.value++;
}

/**
 * `what` is loaded: another one forgets what was there. `version`: which view of it; what was there stays until the next one has
 * come. `kinds`: it is loaded again when some of these change. `ofSession`: it is for the eyes of who is signed in only, and is
 * forgotten when the session ends.
 */
export function useLoaded<T>(
  what: string,
  version: string,
  load: (from: ConsoleBroker) => Promise<T>,
  { kinds = [], ofSession = false }: { readonly kinds?: readonly ChangeKind[]; readonly ofSession?: boolean } = {},
): Loaded<T> {
  const [found, setFound] = useState<Found<T>>(() => emptyOf(what, version));
  const from = broker.value;
  const turn = [turns.value, reconnects.value, ...kinds.map((kind) => changes[kind].value)].join(" ");
  useEffect(() => {
    if (from === undefined) {
      if (ofSession) setFound(emptyOf(what, version));
      return;
    }
    let isCurrent = true;
    setFound((before) => ({ ...(before.what === what ? before : emptyOf<T>(what, version)), isLoading: true }));
    load(from).then(
      (value) => {
        if (isCurrent) setFound({ what, version, value, error: undefined, isLoading: false });
      },
      (error: unknown) => {
        if (!isCurrent) return;
        const keep = (before: Found<T>) =>
          before.what === what && before.version === version ? before.value : undefined;
        setFound((before) => ({ what, version, value: keep(before), error, isLoading: false }));
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [what, version, turn, from]);
  return found.what === what ? found : emptyOf<T>(what, version);
}

function emptyOf<T>(what: string, version: string): Found<T> {
  return { what, version, value: undefined, error: undefined, isLoading: true };
}
