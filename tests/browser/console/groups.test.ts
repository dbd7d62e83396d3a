// Groups in a real browser: why each is behind, moving one and taking that back, whose offset keeps old segments.
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import type { Client } from "../../../src/client/index.bun.ts";
import { eventually } from "../../support/process-facts.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findingsInBothThemes, follow, signIn } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start({ shards: 2, env: { IGGY_SYSTEM_SEGMENT_SIZE: "1 MiB" } });
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();
await root.createStream("orders");
const group = { kind: "group", id: { kind: "string", value: "billing" } } as const;
const clients: Client[] = [];
afterAll(() => Promise.all(clients.map((client) => client.close())));

async function send(topic: string, partitionId: number, count: number, sizeBytes = 1): Promise<void> {
  const messages = Array.from({ length: count }, () => ({ payload: new Uint8Array(sizeBytes) }));
  await root.sendMessages({ stream: "orders", topic, partitioning: { kind: "partition", partitionId }, messages });
}

/** A topic with a group `billing`, and messages in its partitions. */
async function makeTopic(topic: string, counts: readonly number[]): Promise<void> {
  await root.createTopic("orders", { name: topic, partitionsCount: counts.length });
  await root.createConsumerGroup("orders", topic, "billing");
  for (const [partitionId, count] of counts.entries()) if (count > 0) await send(topic, partitionId, count);
}

async function join(topic: string): Promise<Client> {
  const member = await server.connect();
  clients.push(member);
  await member.joinConsumerGroup("orders", topic, "billing");
  return member;
}

async function commit(member: Client, topic: string, offset: number, partitionId = 0): Promise<void> {
  await member.storeConsumerOffset({ stream: "orders", topic, partitionId, consumer: group, offset: BigInt(offset) });
}

async function poll(member: Client, topic: string, count: number, partitionId = 0): Promise<void> {
  const strategy = { kind: "next", value: 0n } as const;
  await member.pollMessages({ stream: "orders", topic, partitionId, consumer: group, strategy, count });
}

/** Commits what nobody is a member for any more. */
async function committedBefore(topic: string, ...offsets: readonly number[]): Promise<void> {
  await using member = await server.connect();
  await member.joinConsumerGroup("orders", topic, "billing");
  for (const [partitionId, offset] of offsets.entries()) await commit(member, topic, offset, partitionId);
  await member.leaveConsumerGroup("orders", topic, "billing");
}

function groupAddress(topic: string): string {
  return `/ui/streams/orders/topics/${topic}/groups/billing`;
}

const { visit, page } = await browser.signedIn("/ui/groups");

/** Waits until a cell of the first row has this text. `column`: from 1. */
async function cell(page: Page, column: number, text: string): Promise<void> {
  const found = page.getByRole("grid").locator(`tbody tr:not([aria-hidden]):first-of-type td:nth-child(${column})`);
  await eventually(
    `${text} in column ${column}`,
    async () => await found.first().textContent(),
    (all) => all === text,
  );
}

test("each cause of a group that is behind is said, and what to do", async () => {
  await makeTopic("nothing", [0]);
  await makeTopic("read", [3]);
  await committedBefore("read", 2);
  await makeTopic("alone", [3]);
  await makeTopic("idle", [3]);
  await join("idle");
  await makeTopic("never", [3]);
  await poll(await join("never"), "never", 2);
  await makeTopic("unsaved", [9]);
  const unsaved = await join("unsaved");
  await commit(unsaved, "unsaved", 3);
  await poll(unsaved, "unsaved", 4);
  await makeTopic("blocked", [5000, 5]);
  const blocked = await join("blocked");
  await makeTopic("growing", [100]);
  const growing = await join("growing");
  await makeTopic("shrinking", [20_000]);
  const shrinking = await join("shrinking");
  await makeTopic("endless", [0]);
  for (let batch = 0; batch < 5; batch++) await send("endless", 0, 20_000);
  const endless = await join("endless");

  let isOver = false;
  const work = (async () => {
    for (let step = 0; !isOver; step++) {
      await commit(blocked, "blocked", Math.min(4999, step), 0);
      await send("growing", 0, 20);
      await commit(growing, "growing", step);
      await commit(shrinking, "shrinking", Math.min(19_000, step * 10));
      await commit(endless, "endless", Math.floor(step / 20));
      await Bun.sleep(150);
    }
  })();
  await page.getByRole("link", { name: "billing" }).first().waitFor();
  const expected = [
    ["nothing", undefined, "Nothing to read"],
    ["read", undefined, "Up to date"],
    ["alone", "noMembers", "No member is connected"],
    ["idle", "idle", "Members are connected and ask for nothing"],
    ["never", "neverCommitted", "have never committed one"],
    ["unsaved", "uncommitted", "have not committed them"],
    ["blocked", "stuck", "Partition 1 stands still while others go on"],
    ["growing", "growing", "it will not catch up"],
    ["shrinking", "catchingUp", "caught up in about"],
    ["endless", "slow", "to catch up"],
  ] as const;
  const pages = await Promise.all(expected.map(([topic]) => visit.open(groupAddress(topic))));
  try {
    for (const [index, [topic, code, sentence]] of expected.entries()) {
      const window = pages[index]!;
      const verdict = code === undefined ? window.locator(".health") : window.locator(`[data-verdict=${code}]`);
      await verdict.getByText(sentence).waitFor();
      expect([topic, await window.locator("h1").textContent()]).toEqual([topic, "Group billing"]);
    }
    // Who reads is said by name and address.
    await pages[6]!.getByRole("table").getByRole("cell", { name: "iggy" }).waitFor();
    await pages[7]!.getByText("Behind by").waitFor();
  } finally {
    isOver = true;
    await work;
    await Promise.all(pages.map((window) => window.close()));
  }
  visit.check();
});

describe("a move of a group", () => {
  test("shows what it changes, goes by keys alone, and is taken back unless somebody was faster", async () => {
    await makeTopic("replay", [10, 4]);
    await committedBefore("replay", 7, 3);
    await follow(page, groupAddress("replay"));
    await cell(page, 3, "7");
    await page.getByRole("button", { name: "Move offsets" }).focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("12 messages will be read again, 0 messages will be skipped.").waitFor();
    await page.keyboard.press("ArrowDown"); // the end
    await dialog.getByText("0 messages will be read again, 2 messages will be skipped.").waitFor();
    await page.keyboard.press("ArrowDown"); // an offset
    await page.keyboard.press("Tab");
    await page.keyboard.type("2");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type("0");
    await dialog.getByText("6 messages will be read again, 0 messages will be skipped.").waitFor();
    expect(await findingsInBothThemes(page)).toEqual([]);
    await page.keyboard.press("Enter");
    await page.getByText("The offsets of billing are moved.").waitFor();
    expect(await dialog.count()).toBe(0);
    await cell(page, 3, "1");
    await page.getByRole("button", { name: "Undo" }).focus();
    await page.keyboard.press("Enter");
    await cell(page, 3, "7");

    await page.getByRole("button", { name: "Move offsets" }).click();
    await dialog.getByText("will be read again").waitFor();
    await dialog.getByRole("button", { name: "Move offsets" }).click();
    await cell(page, 3, "–");
    await committedBefore("replay", 5);
    await cell(page, 3, "5");
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("Something else was committed meanwhile").waitFor();
    await cell(page, 3, "5");
    visit.check([/Failed to load resource: the server responded with a status of 409/]);
  });

  test("names the members, and goes over them only if somebody says so", async () => {
    await makeTopic("busy", [10]);
    const member = await join("busy");
    await commit(member, "busy", 6);
    await follow(page, groupAddress("busy"));
    await cell(page, 3, "6");
    await page.getByRole("button", { name: "Move offsets" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/Connected: client \d+, iggy, 127\.0\.0\.1:\d+\./).waitFor();
    await dialog.getByRole("button", { name: "Move offsets" }).click();
    await dialog.getByRole("alert").getByText("The group has members").waitFor();
    await dialog.getByLabel("Move anyway").check();
    await dialog.getByRole("button", { name: "Move offsets" }).click();
    await cell(page, 3, "–");
    visit.check();
  });

  test("is not offered to a session that only reads", async () => {
    const own = await browser.visit();
    const window = await own.open(groupAddress("busy"));
    await window.getByRole("dialog").getByLabel("Read-only").check();
    await signIn(window);
    await window.getByText("Behind by").waitFor();
    expect(await window.getByRole("button", { name: "Move offsets" }).count()).toBe(0);
    await own.end();
  });
});

describe("stored offsets", () => {
  test("name who keeps old segments, are found by the name behind a number, and are removed and put back", async () => {
    await root.createTopic("orders", { name: "kept", partitionsCount: 1 });
    for (let count = 0; count < 8; count++) await send("kept", 0, 1, 600_000);
    const named = { kind: "consumer", id: { kind: "string", value: "auditor" } } as const;
    const numbered = { kind: "consumer", id: { kind: "numeric", value: 7 } } as const;
    const place = { stream: "orders", topic: "kept", partitionId: 0 };
    await root.storeConsumerOffset({ ...place, consumer: named, offset: 7n });
    await root.storeConsumerOffset({ ...place, consumer: numbered, offset: 0n });
    await root.deleteSegments("orders", "kept", 0, 1);
    await follow(page, "/ui/streams/orders/topics/kept/partitions/0");
    await page.getByText("consumer 7 keeps 2 segments from being removed: it has read to offset 0.").waitFor();
    await page.getByRole("link", { name: "Stored offsets" }).click();
    await page.getByRole("row", { name: /consumer 7 0 0 7 2 segments/ }).waitFor();
    await page.getByLabel("Filter").fill("auditor");
    await page.getByRole("row", { name: /consumer auditor 0 7 0/ }).waitFor();
    expect(await page.getByText("consumer 7").count()).toBe(0);
    await page.getByLabel("Filter").fill("7");
    await page
      .getByRole("row", { name: /consumer 7/ })
      .getByRole("button", { name: "Remove" })
      .click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove stored offset" }).click();
    await page.getByText("The stored offset of consumer 7 is removed.").waitFor();
    await page.getByText('No consumer or group has "7"').waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("row", { name: /consumer 7/ }).waitFor();
    await visit.end();
  });
});
