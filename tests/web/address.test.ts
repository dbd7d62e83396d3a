// Addresses of the console: every page has one, and it leads back to the same page.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  countMax,
  formats,
  newestMessages,
  ownAddress,
  type Page,
  type Position,
  readAddress,
  readOffset,
  readPosition,
  scanLimits,
  writeAddress,
  writePosition,
} from "../../src/web/app/address.ts";
import { tasks } from "../../src/web/app/admin-address.ts";

const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }),
  fc.constantFrom(".", "..", "~", "~.", "~~", "a/b", "orders.v1", "100%", "?", "#", "topics", "messages", "12", "ä ö"),
);
const offset = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const partitionId = fc.nat({ max: 2 ** 32 - 1 });
const position: fc.Arbitrary<Position> = fc.oneof(
  fc.constantFrom<Position>({ kind: "newest" }, { kind: "oldest" }),
  offset.map((value) => ({ kind: "offset", offset: value }) as const),
  fc.constantFrom("2026-11-29T10:02", "2026-11-29T10:02:03.004Z").map((text) => ({ kind: "time", text }) as const),
  fc
    .array(fc.tuple(partitionId, offset), { minLength: 1, maxLength: 32 })
    .map((offsets) => ({ kind: "each", offsets }) as const),
);
const sort = fc.record({ column: fc.constantFrom("name", "size", "messages"), isDescending: fc.boolean() });
const page: fc.Arbitrary<Page> = fc.oneof(
  fc.record({ kind: fc.constant("streams" as const), q: fc.string(), sort }),
  fc.record({ kind: fc.constant("stream" as const), stream: name, q: fc.string(), sort }),
  fc.record({
    kind: fc.constant("messages" as const),
    stream: name,
    topic: name,
    partitionId: fc.option(partitionId, { nil: undefined }),
    from: position,
    direction: fc.constantFrom("older" as const, "newer" as const),
    count: fc.integer({ min: 1, max: countMax }),
    isLive: fc.boolean(),
    q: fc.string(),
    scan: fc.constantFrom(...scanLimits),
  }),
  fc.record({ kind: fc.constant("publish" as const), stream: name, topic: name, from: fc.string() }),
  fc.record({
    kind: fc.constant("message" as const),
    stream: name,
    topic: name,
    partitionId,
    offset,
    format: fc.constantFrom(...formats),
    schema: fc.string(),
  }),
  fc.record({
    kind: fc.constant("groups" as const),
    q: fc.string(),
    sort: fc.constantFrom("lag" as const, "name" as const),
  }),
  fc.record({ kind: fc.constant("topicGroups" as const), stream: name, topic: name }),
  fc.record({ kind: fc.constant("group" as const), stream: name, topic: name, group: name }),
  fc.record({ kind: fc.constant("offsets" as const), stream: name, topic: name, q: fc.string() }),
  fc.record({
    kind: fc.constant("partitions" as const),
    stream: name,
    topic: name,
    sort: fc.constantFrom("", "size", "-messages"),
  }),
  fc.record({ kind: fc.constant("partition" as const), stream: name, topic: name, partitionId }),
  fc.record({ kind: fc.constant("clients" as const), q: fc.string(), user: fc.string(), transport: fc.string() }),
  fc.record({ kind: fc.constant("client" as const), clientId: fc.nat({ max: 2 ** 32 - 1 }) }),
  fc.record({ kind: fc.constant("users" as const), q: fc.string() }),
  fc.record({ kind: fc.constant("user" as const), name: fc.oneof(name, fc.constant("new")) }),
  fc.record({
    kind: fc.constant("newUser" as const),
    topic: fc.option(fc.record({ stream: name, topic: name }), { nil: undefined }),
    task: fc.constantFrom(...tasks),
  }),
  fc.record({ kind: fc.constant("streamSettings" as const), stream: name }),
  fc.record({ kind: fc.constant("topicSettings" as const), stream: name, topic: name }),
  fc.record({ kind: fc.constant("server" as const), q: fc.string() }),
  fc
    .record({
      kind: fc.constant("log" as const),
      level: fc.constantFrom("error" as const, "info" as const, "trace" as const),
      target: fc.string(),
      q: fc.string(),
      at: fc.constantFrom("", "123456.789"),
      isLive: fc.boolean(),
    })
    .map((given) => ({ ...given, isLive: given.isLive && given.at === "" })),
  fc.constantFrom<Page>(
    { kind: "home" },
    { kind: "overview", range: "1h" },
    { kind: "overview", range: "30d" },
    { kind: "help" },
    { kind: "account" },
    { kind: "signIn", next: "/ui/streams/a" },
  ),
);

/** As a browser reads an address that is put into its bar. */
function throughBrowser(address: string): Page {
  const { pathname, search } = new URL(address, "http://127.0.0.1:3000");
  return readAddress(pathname, search);
}

test("a page and its address are one, also after a browser has read the address", () => {
  fc.assert(
    fc.property(page, (given) => {
      expect(throughBrowser(writeAddress(given))).toEqual(given);
    }),
    { numRuns: 500 },
  );
});

describe("an address", () => {
  test("is as short as the page is plain", () => {
    expect(writeAddress(newestMessages("orders", "pay ments"))).toBe("/ui/streams/orders/topics/pay%20ments/messages");
    const from = { kind: "offset", offset: 1204n } as const;
    expect(writeAddress({ ...newestMessages("o", "t"), from, direction: "newer", partitionId: 3 })).toBe(
      "/ui/streams/o/topics/t/messages?p=3&from=o:1204",
    );
  });

  test.each([
    ["/ui", "", { kind: "home" }],
    ["/ui/", "", { kind: "home" }],
    ["/ui/overview", "", { kind: "overview" }],
    ["/ui/streams/", "", { kind: "streams" }],
    ["/ui/streams/o/topics/t", "", { kind: "messages", from: { kind: "newest" }, direction: "older" }],
    ["/ui/streams/o/topics/t/messages", "?from=oldest", { kind: "messages", direction: "newer" }],
    ["/ui/streams/o/topics/t/messages", "?from=rubbish&n=0&p=x", { from: { kind: "newest" }, count: 50 }],
    ["/ui/streams/o/topics/t/messages", "?n=100000", { count: countMax }],
    ["/ui/streams/o/topics/t/messages/0/18446744073709551615", "", { kind: "message", offset: 2n ** 64n - 1n }],
    ["/ui/streams/o/topics/t/messages/0/18446744073709551616", "", { kind: "unknown" }],
    ["/ui/streams/o/topics/t/messages/0", "", { kind: "unknown" }],
    ["/ui/streams/o/nothing", "", { kind: "unknown" }],
    ["/ui/clients/4294967296", "", { kind: "unknown" }],
    [
      "/ui/users/new",
      "?for=orders/payments&task=poll",
      { kind: "newUser", topic: { stream: "orders", topic: "payments" } },
    ],
    ["/ui/users/new", "?for=%25", { kind: "newUser", topic: undefined, task: "read" }],
    ["/ui/nothing", "", { kind: "unknown" }],
    ["/ui/%E0%A4%A", "", { kind: "unknown" }],
    ["/streams", "", { kind: "unknown" }],
  ])("%s%s is understood", (path, search, expected) => {
    expect(readAddress(path, search)).toMatchObject(expected);
  });

  test("after a sign-in is one of the console, or its beginning", () => {
    expect(ownAddress("/ui/streams/a?q=b")).toBe("/ui/streams/a?q=b");
    for (const other of [null, "", "//evil.example", "https://evil.example", "/uix", "javascript:alert(1)", "/users"]) {
      expect(ownAddress(other)).toBe("/ui");
    }
  });
});

test("positions are read as they are written, and offsets as people write them", () => {
  fc.assert(fc.property(position, (given) => expect(readPosition(writePosition(given))).toEqual(given)));
  expect(readOffset("1,204 331")).toBe(1204331n);
  for (const text of ["", "-1", "1.5", "0x10", "18446744073709551616", "1e3"]) expect(readOffset(text)).toBeUndefined();
});
