// What the console's page and the broker say to each other about consumer groups and stored offsets: JSON at /ui/api, and the
// channels `groups` and `lag` of /ui/live. Offsets and other 64-bit numbers are decimal text, times µs since the epoch.

/** Which groups, in which order. */
export type GroupsQuery = {
  /** `lag`: those that are furthest behind first. */
  readonly sort: "lag" | "name";
  /** Only those with this text in the name of stream, topic or group, whatever the case. */
  readonly q: string;
  /** 1 to `groupsMax`. */
  readonly limit: number;
  /** `next` of the reply before. */
  readonly after?: string;
};

/** Of one reply. */
export const groupsMax = 500;

export type GroupRow = {
  readonly stream: string;
  readonly topic: string;
  readonly id: number;
  readonly name: string;
  readonly members: number;
  readonly partitions: number;
  /** Messages of the topic behind what is stored. */
  readonly lag: string;
  /** Whether there are more than a while ago; null: nobody has looked lately. */
  readonly growing: boolean | null;
  /** When a member last stored an offset; absent: not since the broker started. */
  readonly lastCommit?: string;
};

/** GET /ui/api/groups. */
export type Groups = {
  readonly items: readonly GroupRow[];
  /** There are more behind these. */
  readonly next?: string;
  readonly at: string;
};

export type GroupPlace = { readonly stream: string; readonly topic: string; readonly group: string };

export type LagMember = {
  readonly clientId: number;
  readonly partitions: readonly number[];
  /** Both only for who may read servers. */
  readonly user?: string;
  /** `ip:port`. */
  readonly address?: string;
};

export type LagPartition = {
  readonly id: number;
  /** Oldest message that is kept. */
  readonly first: string;
  /** Behind the newest message. */
  readonly end: string;
  readonly stored?: string;
  /** The last that a member was sent and has not committed. */
  readonly polled?: string;
  readonly lag: string;
  /** Absent: not since the broker started. */
  readonly committedAt?: string;
  /** When the oldest message behind the stored offset was stored; absent: there is none. */
  readonly unreadSince?: string;
};

/** GET /ui/api/lag, and every 2 s on the channel `lag`. */
export type GroupLag = {
  readonly at: string;
  readonly members: readonly LagMember[];
  /** The first `lagPartitionsMax`. */
  readonly partitions: readonly LagPartition[];
  /** How many more there are. */
  readonly more: number;
};

export const lagPartitionsMax = 1000;

export type StoredOffsets = {
  readonly kind: "consumer" | "group";
  readonly id: number;
  /** Of a group, and of a consumer that gave a name since it is kept. */
  readonly name?: string;
  readonly offsets: readonly { readonly partition: number; readonly offset: string; readonly end: string }[];
};

/** GET /ui/api/offsets: consumers, then groups, by their numbers. */
export type TopicOffsets = {
  readonly items: readonly StoredOffsets[];
  readonly next?: string;
  /** The stored offset that keeps segments of the partition which were to be removed. */
  readonly holdsRetention: readonly {
    readonly partition: number;
    readonly offset: string;
    readonly by: { readonly kind: "consumer" | "group"; readonly id: number; readonly name?: string };
    readonly segments: number;
  }[];
};

/** Consumers and groups of one reply. */
export const offsetsMax = 500;

export type TopicPartition = {
  readonly id: number;
  readonly shard: number;
  readonly first: string;
  /** When the oldest message was stored; absent: there is none. */
  readonly oldest?: string;
  /** It takes no messages: its disk failed. */
  readonly fenced: boolean;
  /** Its files cannot be opened. */
  readonly closed: boolean;
};

/** GET /ui/api/partitions. */
export type TopicPartitions = { readonly items: readonly TopicPartition[]; readonly next?: number };

export const partitionsMax = 1000;

export type PartitionSegment = {
  readonly start: string;
  /** Behind its last message. */
  readonly end: string;
  readonly bytes: string;
  /** Both absent while it has no message. */
  readonly firstTimestamp?: string;
  readonly lastTimestamp?: string;
  readonly sealed: boolean;
};

/** GET /ui/api/segments. */
export type PartitionSegments = { readonly items: readonly PartitionSegment[]; readonly next?: string };

export const segmentsMax = 500;

/** Where a group is to go on reading. */
export type MoveTarget =
  | { readonly kind: "earliest" | "latest" }
  /** The message that comes next. */
  | { readonly kind: "offset"; readonly value: string }
  /** The first message that was stored then or later; µs. */
  | { readonly kind: "time"; readonly value: string }
  /** By partition, the message that comes next; null: as if nothing had ever been stored. */
  | { readonly kind: "each"; readonly values: Readonly<Record<string, string | null>> };

/** PUT /ui/api/group-offsets. */
export type MoveOffsets = GroupPlace & {
  /** All, if absent. */
  readonly partitions?: readonly number[];
  readonly to: MoveTarget;
  /** Only says what would be. */
  readonly dryRun: boolean;
  /** Also while there are members, who may commit over it. */
  readonly force?: boolean;
  /** By partition, what has to come next by now, as in `from`; where it is not so, nothing is moved (409). */
  readonly expected?: Readonly<Record<string, string | null>>;
};

export type OffsetChange = {
  readonly partition: number;
  /** The message that comes next; null: nothing is stored, so it is the first. */
  readonly from: string | null;
  readonly to: string | null;
  readonly first: string;
  readonly end: string;
};

export type MovedOffsets = {
  readonly applied: boolean;
  readonly changes: readonly OffsetChange[];
  readonly members: readonly LagMember[];
};
