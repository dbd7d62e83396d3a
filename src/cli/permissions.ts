// Permissions as the original writes them on the command line: `m_str,p_msg` for everything, `STREAM:p_msg#TOPIC:s_msg` for a
// stream and its topics, both by number. Each has a long and a short name.

import type {
  GlobalPermissions,
  Permissions,
  StreamPermissions,
  TopicPermissions,
} from "../protocol/records/permissions.ts";
import { UsageError } from "./usage-error.ts";
import { integer } from "./values.ts";

type Flags<T> = {
  readonly [Name in keyof T as T[Name] extends boolean ? Name : never]: readonly [long: string, short: string];
};

const globalNames: Flags<GlobalPermissions> = {
  manageServers: ["manage_servers", "m_srv"],
  readServers: ["read_servers", "r_srv"],
  manageUsers: ["manage_users", "m_usr"],
  readUsers: ["read_users", "r_usr"],
  manageStreams: ["manage_streams", "m_str"],
  readStreams: ["read_streams", "r_str"],
  manageTopics: ["manage_topics", "m_top"],
  readTopics: ["read_topics", "r_top"],
  pollMessages: ["poll_messages", "p_msg"],
  sendMessages: ["send_messages", "s_msg"],
};

const streamNames: Flags<StreamPermissions> = {
  manageStream: ["manage_stream", "m_str"],
  readStream: ["read_stream", "r_str"],
  manageTopics: ["manage_topics", "m_top"],
  readTopics: ["read_topics", "r_top"],
  pollMessages: ["poll_messages", "p_msg"],
  sendMessages: ["send_messages", "s_msg"],
};

const topicNames: Flags<TopicPermissions> = {
  manageTopic: ["manage_topic", "m_top"],
  readTopic: ["read_topic", "r_top"],
  pollMessages: ["poll_messages", "p_msg"],
  sendMessages: ["send_messages", "s_msg"],
};

type Names = Readonly<Record<string, readonly [string, string]>>;

/** Which of the flags a list of names sets. */
function flagsOf<N extends Names>(names: N, list: string): { readonly [Name in keyof N]: boolean } {
  const given = list === "" ? [] : list.split(",");
  const known = Object.values(names).flat();
  for (const name of given) {
    if (!known.includes(name)) throw new UsageError(`has "${name}", which is not one of ${known.join(", ")}`);
  }
  const flags = Object.entries(names).map(([flag, words]) => [flag, words.some((word) => given.includes(word))]);
  return Object.fromEntries(flags) as { readonly [Name in keyof N]: boolean };
}

const noGlobal = flagsOf(globalNames, "");

/** `m_str,p_msg`. */
export function globalPermissions(given: string): GlobalPermissions {
  return flagsOf(globalNames, given);
}

const id = integer(0, 2 ** 32 - 1);

function splitRule(rule: string): readonly [id: number, names: string] {
  const [number = "", names = "", ...more] = rule.split(":");
  if (more.length > 0) throw new UsageError(`has more than one colon in "${rule}"`);
  return [id(number), names];
}

/** `0:r_str#0:s_msg`. */
export function streamPermissions(given: string): StreamPermissions {
  const [stream = "", ...topics] = given.split("#");
  const [streamId, names] = splitRule(stream);
  return {
    streamId,
    ...flagsOf(streamNames, names),
    topics: topics.map((rule) => {
      const [topicId, topicFlags] = splitRule(rule);
      return { topicId, ...flagsOf(topicNames, topicFlags) };
    }),
  };
}

/** Undefined: none at all. */
export function permissionsOf(
  global: GlobalPermissions | undefined,
  streams: readonly StreamPermissions[],
): Permissions | undefined {
  return global === undefined && streams.length === 0 ? undefined : { global: global ?? noGlobal, streams };
}

function namesIn(names: Names, flags: object): string[] {
  const set = new Map(Object.entries(flags));
  return Object.entries(names).flatMap(([flag, [long]]) => (set.get(flag) === true ? [long] : []));
}

/** `poll_messages; in stream 0: read_stream; in topic 0: send_messages`. */
export function permissionsText(permissions: Permissions | undefined): string {
  if (permissions === undefined) return "no permissions";
  const rules = permissions.streams.flatMap((stream) => [
    ruleText(`in stream ${stream.streamId}: `, namesIn(streamNames, stream)),
    ...stream.topics.map((topic) => ruleText(`in topic ${topic.topicId}: `, namesIn(topicNames, topic))),
  ]);
  const global = namesIn(globalNames, permissions.global);
  const parts = [...(global.length === 0 ? [] : [global.join(", ")]), ...rules];
  return parts.length === 0 ? "no permissions" : parts.join("; ");
}

function ruleText(place: string, names: readonly string[]): string {
  return `${place}${names.length === 0 ? "nothing" : names.join(", ")}`;
}

function documentOf(names: Names, flags: object): Readonly<Record<string, boolean>> {
  const set = new Map(Object.entries(flags));
  return Object.fromEntries(Object.entries(names).map(([flag, [long]]) => [long, set.get(flag) === true]));
}

/** With the names of the HTTP API (spec HA 2.9). */
export function permissionsDocument(permissions: Permissions | undefined) {
  if (permissions === undefined) return null;
  const byId = <T, R>(entries: readonly T[], entryOf: (entry: T) => [number, R]) =>
    entries.length === 0 ? null : Object.fromEntries(entries.map(entryOf));
  return {
    global: documentOf(globalNames, permissions.global),
    streams: byId(permissions.streams, (stream) => [
      stream.streamId,
      {
        ...documentOf(streamNames, stream),
        topics: byId(stream.topics, (topic) => [topic.topicId, documentOf(topicNames, topic)]),
      },
    ]),
  };
}
