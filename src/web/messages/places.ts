// Messages by partition and offset, as an address names several of them: `0:12,1:5-9`.

export type Places = { readonly partitionId: number; readonly first: bigint; readonly last: bigint };

/** Messages that are sent again at once. */
export const placesMax = 500;

const placePattern = /^(\d{1,10}):(\d{1,20})(?:-(\d{1,20}))?$/;

/** In the order of the text; undefined for what is none, or names more than `placesMax` messages. Empty text: none. */
export function readPlaces(text: string): readonly Places[] | undefined {
  const places: Places[] = [];
  let count = 0n;
  for (const part of text.split(",").map((piece) => piece.trim())) {
    if (part === "") continue;
    const match = placePattern.exec(part);
    if (match === null) return undefined;
    const [, partition, firstText, lastText] = match;
    const first = BigInt(firstText!);
    const last = lastText === undefined ? first : BigInt(lastText);
    if (last < first) return undefined;
    count += last - first + 1n;
    if (count > BigInt(placesMax)) return undefined;
    places.push({ partitionId: Number(partition), first, last });
  }
  return places;
}

/** Of messages in the order in which they are to be sent: neighbours become ranges. */
export function writePlaces(messages: readonly { readonly partitionId: number; readonly offset: bigint }[]): string {
  const places: Places[] = [];
  for (const { partitionId, offset } of messages) {
    const before = places.at(-1);
    if (before !== undefined && before.partitionId === partitionId && before.last + 1n === offset) {
      places[places.length - 1] = { ...before, last: offset };
    } else {
      places.push({ partitionId, first: offset, last: offset });
    }
  }
  return places
    .map(({ partitionId, first, last }) => `${partitionId}:${first}${first === last ? "" : `-${last}`}`)
    .join(",");
}
