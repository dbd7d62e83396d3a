// Findings as sentences: what is not as it should be, and what to do.
import type { Finding, Health } from "../../client/console-client.ts";
import { count, counted, size } from "./numbers.ts";

const bytes = (text: string | undefined) => size(BigInt(text ?? 0));
const number = (text: string | undefined) => count(BigInt(text ?? 0));

const sentences: { readonly [Code in Finding["code"]]: (values: Finding["values"]) => string } = {
  diskNearlyFull: ({ free, total }) =>
    `The disk has ${bytes(free)} of ${bytes(total)} left. Shorten retention, or give it more room: sends are refused when it is full.`,
  diskFills: ({ days }) =>
    `The disk is full in about ${counted(BigInt(days ?? 0), "day")}, at the rate of the last 24 hours. Shorten retention, or give it more room.`,
  certificateEnds: ({ transport, days }) =>
    `The certificate of ${transport} ends in ${counted(BigInt(days ?? 0), "day")}: then clients refuse it. Put another one in its place, then send SIGHUP.`,
  fencedPartitions: ({ count: times }) =>
    `A sync failed ${number(times)} times since the start: these partitions take no messages. Look at the disk, then restart or purge.`,
  closedPartitions: ({ count: times }) =>
    `${number(times)} partitions are not served since their files cannot be read. The log names them.`,
  damagedMessages: ({ count: times }) =>
    `${number(times)} messages are left out of polls since their bytes have changed on the disk. The log names them.`,
  refusedWrites: ({ count: times }) =>
    `${number(times)} writes were refused since the start, for want of space, descriptors or rights. The log says which.`,
  stalledLoops: ({ count: times }) =>
    `A shard stood still for five seconds or more, ${number(times)} times since the start.`,
  refusedConnections: ({ count: times }) =>
    `${number(times)} clients were refused since the start: there were too many. Limits are in [connections].`,
  refusedLogins: ({ count: times }) =>
    `${number(times)} logins were refused unseen since the start: too many waited. Somebody may be guessing passwords.`,
  heldSegments: ({ partition, consumer, kind, segments }) =>
    `${kind === "group" ? "Group" : "Consumer"} ${consumer} keeps ${number(segments)} old segments of partition ${partition}: it has not read them.`,
};

export function findingText({ code, values }: Finding): string {
  return sentences[code](values);
}

export function healthText({ level, findings }: Health): string {
  if (level === "ok") return "Healthy. Nothing to do.";
  const remarks = findings.length === 1 ? "1 finding" : `${count(findings.length)} findings`;
  return level === "bad" ? `Needs attention: ${remarks}.` : `Works, with ${remarks}.`;
}
