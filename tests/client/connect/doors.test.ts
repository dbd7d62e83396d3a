import { expect, test } from "bun:test";

test("every door of the client has the same names, and its own connect", async () => {
  const [browser, bun, node] = await Promise.all([
    import("../../../src/client/index.ts"),
    import("../../../src/client/index.bun.ts"),
    import("../../../src/client/index.node.ts"),
  ]);
  const names = Object.keys(browser).sort();
  expect(names).toContain("connect");
  expect(Object.keys(bun).sort()).toEqual(names);
  expect(Object.keys(node).sort()).toEqual(names);
  expect(new Set([browser.connect, bun.connect, node.connect]).size).toBe(3);
});

test("a page has no TCP, and says so", async () => {
  const { connect } = await import("../../../src/client/index.ts");
  await expect(connect("iggy://localhost")).rejects.toMatchObject({ code: 5 });
});
