// Why a group is behind, as sentences: what is so, and what to do.
import type { LagMember } from "../../client/console-client.ts";
import type { Diagnosis, Remark, Verdict } from "../groups/verdict.ts";
import { count, counted, duration } from "./numbers.ts";

const microsPerSecond = 1_000_000n;

/** `2 min 5 s`: of a time before `at`. */
export function ago(micros: bigint, at: bigint): string {
  const age = at > micros ? at - micros : 0n;
  return age < microsPerSecond ? "less than a second" : duration((age / microsPerSecond) * microsPerSecond);
}

export function rateText(rate: number): string {
  return `${count(rate >= 10 ? Math.round(rate) : Math.round(rate * 10) / 10)}/s`;
}

/** `client 17, ann, 10.0.0.7:5123`: as far as it is known. */
export function memberText({ clientId, user, address }: LagMember): string {
  return [`client ${clientId}`, user, address].filter((part) => part !== undefined).join(", ");
}

/** How far behind. */
export function headline({ lag, unreadSince, verdict }: Diagnosis, at: bigint): string {
  if (verdict.code === "empty") return "Nothing to read: the topic has no messages.";
  if (lag === 0n) return "Up to date: every message is committed.";
  const since = unreadSince === undefined ? "" : `, the oldest from ${ago(unreadSince, at)} ago`;
  return `Behind by ${counted(lag, "message")}${since}.`;
}

/** The cause, and how long it takes. Empty where the headline says it all. */
export function verdictText(diagnosis: Diagnosis, at: bigint): string {
  return sentenceOf(diagnosis.verdict, diagnosis, at);
}

function sentenceOf(verdict: Verdict, { inRate = 0, outRate = 0 }: Diagnosis, at: bigint): string {
  const rates = `It reads ${rateText(outRate)}, ${rateText(inRate)} arrive`;
  switch (verdict.code) {
    case "empty":
    case "upToDate":
      return "";
    case "ahead":
      return `In partition ${verdict.partition} more is stored than the partition has. Move the offsets to its end, or the group skips what comes.`;
    case "noMembers":
      return "No member is connected, so nobody reads. Start a consumer of this group.";
    case "uncovered":
      return `No member has partition ${verdict.partition}, so nobody reads it. It is given out anew when a member joins or leaves.`;
    case "measuring":
      return "Measuring: what the members do is known in a few seconds.";
    case "neverCommitted":
      return `Members were sent messages of ${counted(verdict.partitions, "partition")} and have never committed one. If they do not commit, all of it comes again after they reconnect.`;
    case "uncommitted":
      return `Members were sent ${counted(verdict.sent, "message")} and have not committed them. Processing takes long, fails, or does not commit.`;
    case "idle": {
      const last = verdict.committedAt === undefined ? "" : ` The last commit was ${ago(verdict.committedAt, at)} ago.`;
      return `Members are connected and ask for nothing.${last} Look at what they are doing: they may hang, or be paused.`;
    }
    case "stuck": {
      const { partition, member, committedAt, isSent } = verdict;
      const who = member === undefined ? "Its member" : `Its member (${memberText(member)})`;
      const what = isSent ? "was sent messages and does not commit them" : "asks for nothing";
      const last = committedAt === undefined ? "" : ` The last commit there was ${ago(committedAt, at)} ago.`;
      return `Partition ${partition} stands still while others go on. ${who} ${what}.${last} A message that cannot be processed may block it.`;
    }
    case "growing":
      return `${rates}: it will not catch up. Add members, up to one for each partition, or make them faster.`;
    case "slow":
      return verdict.seconds === undefined
        ? `${rates}: it stays as far behind as it is.`
        : `${rates}: it needs ${duration(BigInt(Math.round(verdict.seconds)) * microsPerSecond)} to catch up.`;
    case "catchingUp":
      return `${rates}: caught up in about ${duration(BigInt(Math.max(1, Math.round(verdict.seconds))) * microsPerSecond)}.`;
  }
}

export function remarkText(remark: Remark): string {
  if (remark.code === "lost") {
    return `Retention has removed ${counted(remark.messages, "message")} of partition ${remark.partition} that the group had not read.`;
  }
  const { partition, percent, member } = remark;
  const who = member === undefined ? "" : `, which one member reads alone (${memberText(member)})`;
  return `${percent} % of it is in partition ${partition}${who}.`;
}
