// Texts of what changes streams and topics. Beside en.ts, since they are fetched with the pages that use them.
import { count, counted, duration, size } from "./numbers.ts";

const u64Max = 2n ** 64n - 1n;
const expiryText = (value: bigint) => (value === u64Max ? "for ever" : `for ${duration(value)}`);
const sizeText = (value: bigint) => (value === u64Max ? "no limit" : size(value));

type Removed = { readonly segments: number; readonly messages: bigint; readonly bytes: bigint };
const removedText = ({ segments, messages, bytes }: Removed) =>
  `${counted(segments, "segment")} with ${counted(messages, "message")}, ${size(bytes)},`;
const plural = ({ segments }: Removed) => (segments === 1 ? "is" : "are");

export const manage = {
  typeName: (name: string) => `Type ${name} to go on`,
  signedOut: "Nobody is signed in.",
  name: "Name",
  newStream: "New stream",
  newTopic: "New topic",
  create: (name: string) => (name === "" ? "Create" : `Create ${name}`),
  created: (name: string) => `${name} is created.`,
  partitions: "Partitions",
  partitionsBad: "Partitions are a whole number from 1 to 1,000.",
  about: "About",
  id: "Number",
  createdAt: "Created",
  topics: "Topics",
  messages: "Messages",
  size: "Size",
  actions: "Actions",
  settings: "Settings",
  renameStream: "Rename…",
  renameTitle: (name: string) => `Rename stream ${name}`,
  rename: "Rename",
  renameNote: "Clients that use the old name do not find it any more. Messages, groups and offsets stay.",
  renamed: (from: string, to: string) => `${from} is called ${to} now.`,
  isGone: "It is gone by now.",
  isNow: (name: string) => `somebody has changed it since: it is called ${name} by now.`,
  isOther: (differences: readonly string[]) => `somebody has changed it since: ${differences.join(", ")}.`,
  settingNow: (
    name: "name" | "messageExpiryMicros" | "maxTopicSizeBytes",
    expiry: bigint,
    maxSize: bigint,
    title: string,
  ) => {
    if (name === "name") return `it is called ${title} by now`;
    return name === "messageExpiryMicros"
      ? `messages are kept ${expiryText(expiry)} by now`
      : `the size limit is ${sizeText(maxSize)} by now`;
  },
  purge: "Purge…",
  purgeTitle: (kind: "stream" | "topic", name: string) => `Purge ${kind} ${name}`,
  purgeNote: "Offsets begin at 0 again, also those of groups and consumers. This cannot be undone.",
  purged: (name: string) => `${name} has no messages any more.`,
  delete: "Delete…",
  deleteTitle: (kind: "stream" | "topic", name: string) => `Delete ${kind} ${name}`,
  deleteNote: "Clients that use it get errors. This cannot be undone.",
  deleted: (name: string) => `${name} is deleted.`,
  goes: (parts: readonly string[]) => `Gone will be: ${parts.join(", ")}.`,
  topicsPart: (topics: number) => counted(topics, "topic"),
  messagesPart: (messages: bigint) => counted(messages, "message"),
  groupsPart: (groups: number | undefined) =>
    groups === undefined ? "all groups with their offsets" : `${counted(groups, "group")} with their offsets`,
  addPartitions: "Add partitions…",
  addPartitionsTitle: (topic: string) => `Add partitions to ${topic}`,
  addPartitionsAction: (number: string) => `Add ${number} ${number === "1" ? "partition" : "partitions"}`,
  addNote: "Messages that are there stay where they are. Keys may go to other partitions than before.",
  added: (number: number) => `${counted(number, "partition")} added.`,
  removePartitions: "Delete partitions…",
  removePartitionsTitle: (topic: string) => `Delete partitions of ${topic}`,
  removePartitionsAction: (number: string) =>
    `Delete the last ${number} ${number === "1" ? "partition" : "partitions"}`,
  removeNote: "The partitions with the highest numbers go, with their messages and offsets. This cannot be undone.",
  removed: (number: number) => `${counted(number, "partition")} deleted.`,
  howMany: "How many",
  howManyBad: (most: number) => `A whole number from 1 to ${count(most)}.`,
  keep: "Keep messages",
  keepKinds: {
    default: (value: bigint) => `as the server (${expiryText(value)})`,
    limit: "for a time",
    none: "for ever",
  },
  keepAmount: "How long",
  limit: "Size limit",
  limitKinds: {
    default: (value: bigint) => `as the server (${sizeText(value)})`,
    limit: "at most",
    none: "no limit",
  },
  limitAmount: "How large",
  unit: "Unit",
  amountBad: "A whole number above 0.",
  save: "Save",
  saved: (name: string) => `Settings of ${name} are saved.`,
  retention: {
    title: "What goes, and when",
    off: "The cleaner is off on this broker, so nothing goes. Setting: data_maintenance.messages.cleaner_enabled.",
    on: (interval: bigint) =>
      `The cleaner looks every ${duration(interval)}. A segment goes whole: when it is full, its newest message is too old and no consumer needs it any more.`,
    expired: (removed: Removed, limit: bigint, isOn: boolean) =>
      `${removedText(removed)} ${plural(removed)} older than ${duration(limit)}, and ${isOn ? "go at the next run of the cleaner" : "would go"}.`,
    noneExpired: (limit: bigint) => `No full segment is older than ${duration(limit)}.`,
    next: (time: string) => `The next one is old enough at ${time}.`,
    noneSealed: "No other segment is full: what is being written to stays.",
    surplus: (bytes: bigint, removed: Removed, isOn: boolean) =>
      `The topic is ${size(bytes)} larger than that: ${
        removed.segments === 0
          ? "it has no full segment that could go"
          : `${removedText(removed)}, the oldest, ${isOn ? "go at the next run of the cleaner" : "would go"}`
      }.`,
    fits: (bytes: bigint) => `The topic has ${size(bytes)}: nothing goes for its size.`,
    nothing: "With these settings nothing goes by itself.",
    unknown: "The topic has too many partitions to say what would go.",
  },
  newUser: "New user who may read this topic",
  mayNot: "Your user may see these settings, not change them.",
  readOnly: "This session is read-only.",
} as const;
