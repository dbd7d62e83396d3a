import { expect, test } from "bun:test";
import type { Client } from "../../src/client/index.ts";
import { codeOf } from "../support/error-code.ts";
import { onShards } from "./support.ts";

// The owner of a partition knows earlier than the member's shard that the partition is gone.
onShards("partitions that come and go", (server) => {
  test("cause no error of a poll that names none", async () => {
    const topic = await server().topic(8);
    const members: Client[] = [];
    for (let number = 0; number < 6; number++) members.push(await topic.member());
    let isOver = false;
    const codes = new Set<number>();
    const poll = async (client: Client) => {
      while (!isOver) codes.add(await codeOf(topic.poll(client)));
    };
    const polls = members.flatMap((client) => [poll(client), poll(client)]);
    for (let round = 0; round < 60; round++) {
      await topic.admin.deletePartitions(topic.stream, "eu", 7);
      await topic.admin.createPartitions(topic.stream, "eu", 7);
    }
    isOver = true;
    await Promise.all(polls);
    expect([...codes]).toEqual([0]);
  }, 120_000);
});
