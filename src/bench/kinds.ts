// What can be measured. A kind is data: which actors it has and where their messages lie.

export type BenchKind =
  | "pinned-producer"
  | "pinned-consumer"
  | "pinned-producer-and-consumer"
  | "balanced-producer"
  | "balanced-consumer-group"
  | "balanced-producer-and-consumer-group"
  | "end-to-end"
  | "single-send"
  | "single-poll";

export type KindTraits = {
  /** pinned: a stream with one partition for each actor. balanced: one stream with several partitions for all. */
  readonly placement: "pinned" | "balanced";
  readonly produces: boolean;
  /** beforehand: reads what has been written first. */
  readonly consumes: "no" | "beforehand" | "meanwhile";
  readonly isRoundTrip: boolean;
  /** One message a request. */
  readonly isSingle: boolean;
};

const pinned = { placement: "pinned", isRoundTrip: false, isSingle: false } as const;
const balanced = { ...pinned, placement: "balanced" } as const;

export const kinds: Readonly<Record<BenchKind, KindTraits>> = {
  "pinned-producer": { ...pinned, produces: true, consumes: "no" },
  "pinned-consumer": { ...pinned, produces: false, consumes: "beforehand" },
  "pinned-producer-and-consumer": { ...pinned, produces: true, consumes: "meanwhile" },
  "balanced-producer": { ...balanced, produces: true, consumes: "no" },
  "balanced-consumer-group": { ...balanced, produces: false, consumes: "beforehand" },
  "balanced-producer-and-consumer-group": { ...balanced, produces: true, consumes: "meanwhile" },
  "end-to-end": { ...pinned, produces: false, consumes: "no", isRoundTrip: true, isSingle: true },
  "single-send": { ...pinned, produces: true, consumes: "no", isSingle: true },
  "single-poll": { ...pinned, produces: false, consumes: "beforehand", isSingle: true },
};

const shortNames: Readonly<Record<string, BenchKind>> = {
  producer: "pinned-producer",
  consumer: "pinned-consumer",
  both: "pinned-producer-and-consumer",
  single: "single-send",
};

/** By its name or short name. */
export function kindNamed(text: string): BenchKind | undefined {
  const names = Object.keys(kinds) as BenchKind[];
  return names.find((name) => name === text) ?? (Object.hasOwn(shortNames, text) ? shortNames[text] : undefined);
}

/** Whether members of a group read. */
export function hasGroup({ placement, consumes }: KindTraits): boolean {
  return placement === "balanced" && consumes !== "no";
}
