// What the broker wrote before there were tokens and consumer groups: a snapshot of version 1 and the log behind it.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { planCreateGroup } from "../../src/metadata/group-commands.ts";
import { requireTopic } from "../../src/metadata/lookups.ts";
import { isAllowed } from "../../src/metadata/permissions.ts";
import { findUser } from "../../src/metadata/state.ts";
import { planCreateToken, tokensOf } from "../../src/metadata/token-commands.ts";
import { openLog } from "./log-support.ts";
import { diskWith, named, numeric, textOf } from "./support.ts";

function oldFile(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(import.meta.dir, "version-1", name)));
}

const snapshotAndLog = {
  "metadata.snapshot": oldFile("metadata.snapshot"),
  "metadata.log.previous": oldFile("metadata.log.previous"),
  "metadata.log": oldFile("metadata.log"),
};

test("a snapshot and a log of version 1 open, and give the same state as the whole log alone", () => {
  const { state, repairs } = openLog(diskWith(snapshotAndLog));
  expect(repairs).toEqual([]);
  const { topic } = requireTopic(state, named("orders"), named("eu"));
  expect(topic.partitions.length).toBe(3);
  expect(topic.groups.byId.size).toBe(0);
  expect(requireTopic(state, numeric(0), named("us")).topic.id).toBe(1);
  expect(isAllowed(findUser(state, named("iggy")), "sendMessages", 0, 0)).toBe(true);
  expect(tokensOf(state, 0)).toEqual([]);
  const { "metadata.snapshot": _, ...logOnly } = snapshotAndLog;
  expect(openLog(diskWith(logOnly)).state).toEqual(state);
});

test("an old directory takes tokens and groups, and has them after a restart", () => {
  const disk = diskWith(snapshotAndLog);
  const { log, state } = openLog(disk);
  log.append(planCreateGroup(state, { stream: named("orders"), topic: named("eu"), name: "billing" }));
  const token = { userId: 0, name: "ci-token", tokenHash: "aa", expiryMicros: 0n };
  log.append(planCreateToken(state, token, 1_750_000_000_000_000, 100));
  log.snapshot();
  log.close();
  const again = openLog(disk);
  expect(again.state).toEqual(state);
  expect(textOf(again.state)).toContain("ci-token");
});
