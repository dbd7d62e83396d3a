import { expect, test } from "bun:test";
import { saveAll } from "../../src/shard/save-all.ts";

test("a partition that fails does not keep the others from being saved", async () => {
  const saved: number[] = [];
  const partition = (id: number, error?: Error) => ({
    save: async () => {
      await Bun.sleep(0);
      if (error !== undefined) throw error;
      saved.push(id);
    },
  });
  const first = new Error("full");
  const all = [partition(0), partition(1, first), partition(2), partition(3, new Error("later")), partition(4)];
  await expect(saveAll(all)).rejects.toBe(first);
  expect(saved).toEqual([0, 2, 4]);
});

test("they are saved one at a time", async () => {
  let underWay = 0;
  let most = 0;
  const partition = {
    save: async () => {
      most = Math.max(most, ++underWay);
      await Bun.sleep(1);
      underWay--;
    },
  };
  await saveAll([partition, partition, partition]);
  expect(most).toBe(1);
});
