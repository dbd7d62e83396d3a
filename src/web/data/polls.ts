// Polls that leave no trace: nobody's offset, nothing committed.
import type { ConsoleBroker } from "../../client/console-client.ts";
import type { Places } from "../messages/places.ts";
import type { Poll, ShownMessage } from "../messages/window.ts";

export function pollOf(
  from: ConsoleBroker,
  { stream, topic }: { readonly stream: string; readonly topic: string },
): Poll {
  return async (partitionId, strategy, count) => {
    const consumer = { kind: "consumer", id: { kind: "numeric", value: 0 } } as const;
    const polled = await from.pollMessages({ stream, topic, consumer, partitionId, strategy, count });
    return polled.messages;
  };
}

/** Those that are there, in the order of the places. Errors: those of the polls. */
export async function loadPlaces(poll: Poll, places: readonly Places[]): Promise<readonly ShownMessage[]> {
  const found: ShownMessage[] = [];
  for (const { partitionId, first, last } of places) {
    for (let next = first; next <= last; ) {
      const polled = await poll(partitionId, { kind: "offset", value: next }, Number(last - next) + 1);
      const wanted = polled.filter(({ offset }) => offset >= next && offset <= last);
      const end = wanted.at(-1);
      if (end === undefined) break;
      found.push(...wanted.map((message) => ({ ...message, partitionId })));
      next = end.offset + 1n;
    }
  }
  return found;
}
