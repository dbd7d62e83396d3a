// Groups while somebody looks at them: pushed by the broker, kept in this page only.
import { useEffect, useState } from "preact/hooks";
import {
  type GroupLag,
  type GroupPlace,
  type Groups,
  type GroupsQuery,
  IggyError,
} from "../../client/console-client.ts";
import { live } from "./live.ts";
import type { Loaded } from "./loaded.ts";

/** Samples of 2 s: five minutes. */
const samplesMax = 150;

type Told<T> = { readonly what: string; readonly value: T | undefined; readonly error: unknown };

/** What the broker tells of one group, oldest first. */
export function useLag(place: GroupPlace): Loaded<readonly GroupLag[]> {
  const { stream, topic, group } = place;
  const what = JSON.stringify([stream, topic, group]);
  return useTold<GroupLag, readonly GroupLag[]>(
    what,
    (from, handlers) => from.lag({ stream, topic, group }, handlers),
    (before, next) => [...(before ?? []), next].slice(-samplesMax),
  );
}

/** The groups that the user may see. */
export function useGroups(query: GroupsQuery): Loaded<Groups> {
  return useTold<Groups, Groups>(
    JSON.stringify(query),
    (from, handlers) => from.groups(query, handlers),
    (_, next) => next,
  );
}

type Live = NonNullable<typeof live.value>;
type Handlers<T> = {
  readonly show: (value: T) => void;
  readonly failed: (code: number, reason: string) => void;
};

/** `what`: another one is another channel. What was told stays when the channel is lost, and goes on when it is back. */
function useTold<T, Kept>(
  what: string,
  open: (from: Live, handlers: Handlers<T>) => () => void,
  keep: (before: Kept | undefined, next: T) => Kept,
): Loaded<Kept> {
  const [told, setTold] = useState<Told<Kept>>({ what, value: undefined, error: undefined });
  const from = live.value;
  useEffect(() => {
    if (from === undefined) return;
    return open(from, {
      show: (value) =>
        setTold((before) => {
          const earlier = before.what === what ? before.value : undefined;
          return { what, value: keep(earlier, value), error: undefined };
        }),
      failed: (code) => setTold((before) => ({ ...before, what, error: IggyError.ofCode(code) })),
    });
  }, [what, from]);
  const isSame = told.what === what;
  const value = isSame ? told.value : undefined;
  const error = isSame ? told.error : undefined;
  return { value, error, isLoading: value === undefined && error === undefined };
}
