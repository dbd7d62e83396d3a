// What payloads are shown as, in a real browser; schemas that the reader brings.
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { encode } from "../../../src/protocol/codec.ts";
import { headerString, userHeadersCodec } from "../../../src/protocol/user-headers.ts";
import { eventually } from "../../support/process-facts.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findingsInBothThemes, follow } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start();
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();
const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ""), "hex"));
const contentType = (value: string) =>
  encode(userHeadersCodec, [{ key: headerString("content-type"), value: headerString(value) }]);

/** By offset. */
const payloads = [
  { payload: bytes("82a161cfffffffffffffffffa16101") }, // MessagePack: {"a": 2^64 - 1, "a": 1}
  { payload: bytes("a26161 1bffffffffffffffff 6162 80") }, // CBOR: {"a": 2^64 - 1, "b": []}
  { payload: bytes("82a161cfff") }, // MessagePack that ends too early
  { payload: bytes("01"), userHeaders: contentType("application/msgpack") },
  { payload: bytes("08 ffffffffffffffffff01 12 03 746561") }, // Protobuf: 1: -1, 2: "tea"
  { payload: bytes("feffffffffffffffff01 06 746561") }, // Avro: a long, a string
  { payload: bytes("feffffffffffffffff01 00") }, // Avro: 2^63 - 1 times nothing
  { payload: new Uint8Array(1024 * 1024).fill(0x61) },
];

await root.createStream("orders");
await root.createTopic("orders", { name: "odd", partitionsCount: 1 });
for (const message of payloads) await root.sendMessages({ stream: "orders", topic: "odd", messages: [message] });

const address = (offset: number, query = "") => `/ui/streams/orders/topics/odd/messages/0/${offset}${query}`;
const file = (name: string, text: string) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) });

const { visit, page } = await browser.signedIn(address(0));

async function showsLines(page: Page, ...lines: readonly string[]): Promise<void> {
  const found = () => page.getByLabel("Payload", { exact: true }).locator(".line").allTextContents();
  await eventually(`lines ${lines}`, found, (all) => Bun.deepEquals(all, lines));
}

test("MessagePack and CBOR are shown with every digit, and what is broken says where", async () => {
  await page.getByText("shown as MessagePack").waitFor();
  await showsLines(page, "{", '  "a": 18446744073709551615,', '  "a": 1', "}");
  await page.getByRole("link", { name: "Newer" }).click();
  await page.getByText("shown as CBOR").waitFor();
  await showsLines(page, "{", '  "a": 18446744073709551615,', '  "b": []', "}");
  await page.getByRole("link", { name: "Newer" }).click();
  await page.getByText("shown as hex").waitFor();
  await page.getByLabel("Show as").selectOption("messagepack");
  await page
    .getByText("This does not read as MessagePack: it ends too early, at byte 5. It is shown as hex.")
    .waitFor();
  expect(await page.getByLabel("Payload", { exact: true }).textContent()).toContain("82 a1 61 cf ff");
  await page.getByLabel("Show as").selectOption("base64");
  await page.getByText("gqFhz/8=").waitFor();
  const copy = page.url();
  await follow(page, address(3));
  await page.getByText("shown as MessagePack").waitFor();
  await page.goto(copy);
  await page.getByText("gqFhz/8=").waitFor();

  await follow(page, address(7));
  await page.getByText("The first 64.0 KB of 1.0 MB.").waitFor();
  await page.getByRole("button", { name: "Show all" }).click();
  await eventually(
    "all of it",
    () => page.locator("pre.plain").evaluate((element) => (element.textContent ?? "").length),
    (length) => length === 1024 * 1024,
  );
  visit.check();
});

test("Avro and Protobuf are read by schemas from the reader's files, which stay in the browser", async () => {
  await follow(page, address(4, "?fmt=protobuf"));
  await page.getByText("Protobuf is read by a schema. Choose one, or add it.").waitFor();
  const files = page.getByLabel("Files: one .avsc, or .proto files, or a descriptor set");
  await page.getByRole("button", { name: "Add a schema" }).click();
  await files.setInputFiles([file("orders.proto", "message Order { Lines a = 1; }")]);
  await page.getByRole("button", { name: "Keep in this browser" }).click();
  await page.getByText("the type Lines of Order.a is not known").waitFor();
  await files.setInputFiles([
    file(
      "orders.proto",
      'syntax = "proto3"; package shop; message Empty {} message Order { int64 id = 1; Item item = 2; }',
    ),
    file("items.proto", 'syntax = "proto3"; package shop; message Item { string name = 1; }'),
  ]);
  await page.getByRole("button", { name: "Keep in this browser" }).click();
  await page.getByText("Kept in this browser, and used for this topic.").waitFor();
  await page.getByLabel("Message type").selectOption("shop.Order");
  await page.getByText("This does not read as Protobuf:").waitFor();
  await page.getByRole("button", { name: "Remove the schema" }).click();
  await page.getByText("Protobuf is read by a schema").waitFor();
  await page.getByRole("button", { name: "Add a schema" }).click();
  await files.setInputFiles([file("orders.proto", "message Order { int64 id = 1; string name = 2; }")]);
  await page.getByRole("button", { name: "Keep in this browser" }).click();
  await showsLines(page, "{", '  "id": -1,', '  "name": "tea"', "}");
  expect(page.url()).toEndWith("?fmt=protobuf&schema=orders");
  expect(await findingsInBothThemes(page)).toEqual([]);

  // It is there after a reload, and for other messages of the topic.
  await page.goto(`${browser.origin}${address(4, "?fmt=protobuf")}`);
  await showsLines(page, "{", '  "id": -1,', '  "name": "tea"', "}");

  await page.getByLabel("Show as").selectOption("avro");
  await page.getByRole("button", { name: "Add a schema" }).click();
  const fields = '[{"name":"id","type":"long"},{"name":"name","type":"string"}]';
  await files.setInputFiles([file("order.avsc", `{"type":"record","name":"Order","fields":${fields}}`)]);
  await page.getByRole("button", { name: "Keep in this browser" }).click();
  await page.getByText("This does not read as Avro:").waitFor();
  await page.getByRole("link", { name: "Newer" }).click();
  await page.getByLabel("Show as").selectOption("avro");
  await showsLines(page, "{", '  "id": 9223372036854775807,', '  "name": "tea"', "}");

  // A search reads by the schema of the topic, too.
  await follow(page, "/ui/streams/orders/topics/odd/messages?q=name%20%3D%20tea%20id%20%3E%201");
  await page.getByText("1 found").waitFor();
  await page.getByRole("grid", { name: "Messages found" }).getByRole("link", { name: "5" }).waitFor();

  // An array that claims to have no end of nothing.
  await follow(page, address(6, "?fmt=avro"));
  await page.getByRole("button", { name: "Add a schema" }).click();
  await files.setInputFiles([file("nothing.avsc", '{"type":"array","items":"null"}')]);
  await page.getByRole("button", { name: "Keep in this browser" }).click();
  await page.getByText("it has more than 200,000 values").waitFor();
  await follow(page, "/ui/account");
  await page.getByRole("button", { name: "Forget what this browser keeps" }).click();
  await page.getByText("Forgotten.").waitFor();
  await page.goto(`${browser.origin}${address(5, "?fmt=avro")}`);
  await page.getByText("Avro is read by a schema").waitFor();
  await visit.end();
});
