import { formatCpuAllocation, parseCpuAllocation } from "../cpu-allocation.ts";
import { bool, duration, expiry, maxTopicSize, oneOf, parsed, pathBelow, size, text, u32, u64 } from "./fields.ts";
import { section } from "./node.ts";

const logging = section({
  path: text({ default: "logs", nonEmpty: true, doc: "Log directory." }),
  level: text({ default: "info", nonEmpty: true, doc: "Filter such as info or warn,storage=debug; RUST_LOG wins." }),
  format: oneOf({
    words: ["text", "json"],
    default: "text",
    doc: "Of standard output; files are always text.",
  }),
  fileEnabled: bool({ default: true, doc: "Also log to files." }),
  maxFileSizeBytes: size({ default: "500 MB", doc: "Rotation threshold; 0 = never by size." }),
  maxTotalSizeBytes: size({ default: "4 GB", doc: "Most bytes of rotated files; 0 = no limit." }),
  rotationCheckIntervalMicros: duration({ default: "1 h", min: "1 s", doc: "Period of the clean-up." }),
  retentionMicros: duration({ default: "7 days", min: "1 s", doc: "Age limit of log files." }),
  sysinfoPrintIntervalMicros: duration({ default: "10 s", doc: "Resource line, at the level debug; 0 = off." }),
});

const partition = section({
  path: pathBelow({ default: "partitions", doc: "Directory of the partitions of a topic." }),
  acknowledge: oneOf({
    words: ["memory", "write", "sync"],
    default: "write",
    doc: "When a send is answered: in memory (flushed by the thresholds below), written, or synced to the disk.",
  }),
  enforceFsync: bool({ default: false, doc: "true is the same as acknowledge = sync." }),
  validateChecksum: bool({ default: false, doc: "Verify every message while loading." }),
  messagesRequiredToSave: u32({ default: 1024, min: 1, doc: "Flush when this many messages wait in memory." }),
  sizeOfMessagesRequiredToSaveBytes: size({ default: "1 MiB", doc: "Flush when this many bytes wait in memory." }),
});

const segment = section({
  sizeBytes: size({
    default: "1 GiB",
    min: "512 B",
    max: "1 GiB",
    multipleOfBytes: 512,
    doc: "A segment is sealed at this size; a multiple of 512 bytes.",
  }),
  archiveExpired: bool({ default: false, inert: true, doc: "accepted for compatibility." }),
  cacheIndexes: oneOf({
    words: ["all", "open_segment", "none"],
    aliases: { true: "all", false: "none" },
    anyCase: true,
    default: "open_segment",
    doc: "Which indexes stay in memory.",
  }),
});

export const system = section(
  {
    path: text({ default: "local_data", nonEmpty: true, doc: "Data directory; the other paths are below it." }),
    backup: section({
      path: pathBelow({ default: "backup", inert: true, doc: "accepted for compatibility." }),
      compatibility: section({
        path: pathBelow({ default: "compatibility", inert: true, doc: "accepted for compatibility." }),
      }),
    }),
    state: section({
      enforceFsync: bool({
        default: false,
        doc: "Metadata is synced before it is answered; so it is with acknowledge = sync, too.",
      }),
      acceptDamage: bool({
        default: false,
        doc: "Let users other than root in again after a start found metadata lost; for one start.",
      }),
      maxFileOperationRetries: u32({ default: 1, inert: true, doc: "accepted for compatibility." }),
      retryDelayMicros: duration({ default: "1 s", inert: true, doc: "accepted for compatibility." }),
    }),
    runtime: section({
      path: pathBelow({ default: "runtime", doc: "Deleted and created again at every start." }),
    }),
    logging,
    encryption: section({
      enabled: bool({ default: false, doc: "Encrypt messages and the metadata log with AES-256-GCM." }),
      key: text({ default: "", secret: true, doc: "Base64 of 32 bytes." }),
    }),
    compression: section({
      allowOverride: bool({ default: false, inert: true, doc: "accepted for compatibility." }),
      defaultAlgorithm: oneOf({ words: ["none", "gzip"], default: "none", doc: "gzip only causes a warning." }),
    }),
    stream: section({ path: pathBelow({ default: "streams", doc: "Directory of the streams." }) }),
    topic: section({
      path: pathBelow({ default: "topics", doc: "Directory of the topics of a stream." }),
      maxSize: maxTopicSize({ default: "unlimited", doc: "Limit of topics created with the server default." }),
      messageExpiry: expiry({ default: "none", doc: "Expiry of topics created with the server default." }),
    }),
    partition,
    segment,
    messageDeduplication: section({
      enabled: bool({ default: false, doc: "Drop messages whose id was seen lately, also before a restart." }),
      maxEntries: u64({ default: 10000, doc: "Ids kept per partition; 0 = unbounded." }),
      expiryMicros: duration({ default: "1 m", doc: "How long an id is kept; 0 = for ever." }),
    }),
    recovery: section({
      recreateMissingState: bool({ default: false, inert: true, doc: "accepted for compatibility." }),
    }),
    memoryPool: section({
      enabled: bool({ default: true, inert: true, doc: "accepted for compatibility, but checked." }),
      sizeBytes: size({ default: "4 GiB", doc: "At least 512 MiB and a multiple of 4096." }),
      bucketCapacity: u32({ default: 8192, doc: "A power of two, at least 128." }),
    }),
    sharding: section({
      cpuAllocation: parsed({
        type: "cpu allocation",
        default: "numa:auto",
        parse: parseCpuAllocation,
        format: formatCpuAllocation,
        doc: "Shards and their CPUs: all, a number, a range 0..4, numa:auto, or numa:nodes=0,1;cores=4;no_ht=true.",
      }),
    }),
  },
  "Storage, logging, sharding",
);
