// The table of the metrics that are our own, each declared once. Adding one is a line here and the place that counts: shards
// carry the numbers to shard 0, and `/metrics` shows every line of this table (transport/http/metrics.ts). The original's
// families are not in it: their names are fixed, and they are computed from the state.

export interface MetricDefinition {
  /** As Prometheus knows it: begins with `whippet_`; that of a counter ends with `_total`. */
  readonly name: string;
  /** A sentence without a capital, as the original writes its own. */
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** Names of the labels that tell the values of the metric apart. */
  readonly labels: readonly string[];
}

const perShard = ["shard"] as const;
const perTransport = ["transport"] as const;

/** Something happened so many times on a shard, as `Statistics.add` counts it. Shown from 0 on, so that an alert can look at it. */
function events<Name extends string>(name: Name, help: string) {
  return { name: `whippet_${name}_total`, help, type: "counter", labels: perShard, isEvent: true } as const;
}

export const ownMetrics = {
  commandDurations: {
    name: "whippet_command_duration_seconds",
    help: "time from a whole request to its reply, by command.",
    type: "histogram",
    labels: ["command"],
  },
  receivedBytes: {
    name: "whippet_received_bytes_total",
    help: "bytes received, of requests and replies without framing, by transport.",
    type: "counter",
    labels: perTransport,
  },
  sentBytes: {
    name: "whippet_sent_bytes_total",
    help: "bytes sent, of requests and replies without framing, by transport.",
    type: "counter",
    labels: perTransport,
  },
  deliveredMessages: {
    name: "whippet_delivered_messages_total",
    help: "messages that went out, in replies to polls and pushed.",
    type: "counter",
    labels: perShard,
  },
  commandErrors: {
    name: "whippet_command_errors_total",
    help: "commands that were answered with an error, by its name.",
    type: "counter",
    labels: ["error"],
  },
  mailboxDepth: {
    name: "whippet_mailbox_depth",
    help: "requests of a shard to others that have no reply yet.",
    type: "gauge",
    labels: perShard,
  },
  forwardedRequests: {
    name: "whippet_forwarded_requests_total",
    help: "requests of a shard to others.",
    type: "counter",
    labels: perShard,
  },
  mailboxWaits: {
    name: "whippet_mailbox_waits_total",
    help: "forwarded requests that waited for room.",
    type: "counter",
    labels: perShard,
  },
  movedConnections: events("moved_connections", "connections handed to another shard."),
  damagedMessages: events("damaged_messages", "messages that are left out of polls since their bytes have changed."),
  setAside: events("set_aside", "files and directories that were set aside since no metadata name them."),
  fencedPartitions: events("fenced_partitions", "partitions that take no messages since a sync has failed."),
  refusedWrites: events("refused_writes", "writes that were refused for want of space, descriptors or rights."),
  closedPartitions: events("closed_partitions", "partitions that are not served since their files cannot be read."),
  diskFree: {
    name: "whippet_disk_free_bytes",
    help: "room that is left where the data directory is.",
    type: "gauge",
    labels: [],
  },
  diskSize: {
    name: "whippet_disk_size_bytes",
    help: "size of the file system where the data directory is.",
    type: "gauge",
    labels: [],
  },
  processMemory: {
    name: "whippet_process_memory_bytes",
    help: "memory of the process, without that of the QUIC engine.",
    type: "gauge",
    labels: [],
  },
  certificateExpiry: {
    name: "whippet_certificate_expiry_seconds",
    help: "when the certificate that a transport shows ends, in seconds of Unix time.",
    type: "gauge",
    labels: ["transport"],
  },
  waitingPolls: {
    name: "whippet_waiting_polls",
    help: "partitions for which polls wait now.",
    type: "gauge",
    labels: [],
  },
  refusedWaits: events("refused_waits", "polls that did not wait since too many do."),
  subscriptions: {
    name: "whippet_subscriptions",
    help: "subscriptions that are open now.",
    type: "gauge",
    labels: [],
  },
  refusedSubscriptions: events("refused_subscriptions", "subscriptions that were refused since too many are open."),
  refusedConnections: events("refused_connections", "clients that were refused since there are too many."),
  closedBeforeLogin: events(
    "closed_before_login",
    "clients that were closed without a login: to make room for others, or for want of time.",
  ),
  closedIdle: events(
    "closed_idle",
    "HTTP connections and unfinished WebSocket handshakes that were closed to make room for others.",
  ),
  refusedLogins: events("refused_logins", "logins that were refused unseen since too many wait."),
  stalledLoops: events("stalled_loops", "times that a shard did nothing for five seconds or more."),
  eventLoopDelaySeconds: events(
    "event_loop_delay_seconds",
    "by how much the event loop of a shard was late, looked at once a second and added up.",
  ),
  repairedIndexes: events("repaired_indexes", "indexes of segments that were found wrong and made again."),
  repairedMetadataEntries: events("repaired_metadata_entries", "entries of the metadata log that were repaired."),
  heldSegments: {
    name: "whippet_held_segments",
    help: "old segments that were to be removed and stay, since this consumer has not read the first of them.",
    type: "gauge",
    labels: ["stream", "topic", "partition", "kind", "consumer"],
  },
  topicMessages: {
    name: "whippet_topic_messages",
    help: "messages of a topic, for as many topics as the configuration allows.",
    type: "gauge",
    labels: ["stream", "topic"],
  },
  topicBytes: {
    name: "whippet_topic_size_bytes",
    help: "bytes of a topic, for as many topics as the configuration allows.",
    type: "gauge",
    labels: ["stream", "topic"],
  },
  groupLag: {
    name: "whippet_consumer_group_lag",
    help: "messages after the stored offsets.",
    type: "gauge",
    labels: ["stream", "topic", "group"],
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricKey = keyof typeof ownMetrics;

/** Metrics that a shard counts by key. */
export type EventKey = {
  [Key in MetricKey]: (typeof ownMetrics)[Key] extends { readonly isEvent: true } ? Key : never;
}[MetricKey];

export const metricKeys = Object.keys(ownMetrics) as readonly MetricKey[];
export const eventKeys = metricKeys.filter((key): key is EventKey => "isEvent" in ownMetrics[key]);

/** One value of one metric. Values with the same labels are added up: several shards may tell their part of one. */
export interface MetricSample {
  readonly key: MetricKey;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
