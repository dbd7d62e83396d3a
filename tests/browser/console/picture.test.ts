// The picture of the console that README shows: a broker with some work, taken by the suite, so that it can be taken again when the
// page has changed. WHIPPET_PICTURES=1 writes it to docs/images; without it the same picture is taken and thrown away.
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, signIn } from "./console-browser.ts";

setDefaultTimeout(180_000);

const images = resolve(import.meta.dir, "../../../docs/images");
const size = { width: 1280, height: 600 };
/** A README is fetched by everybody who looks at the project. */
const bytesMax = 120_000;
const goods = ["tea", "coffee", "bread", "butter", "salt"] as const;
const partitionsCount = 3;
const messagesCount = 240;

const servers = useServers();
const server = await servers.start();
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();

function order(number: number): Uint8Array {
  const [customer, item] = [40_000 + ((number * 7919) % 9000), goods[number % goods.length]];
  const amount = ((number * 37) % 180) / 2 + 1;
  return new TextEncoder().encode(JSON.stringify({ order: `A-${1000 + number}`, customer, item, amount }));
}

/** Width and height as the head of a PNG has them. */
function sizeOfPng(png: Buffer): { readonly width: number; readonly height: number } {
  expect(png.subarray(1, 4).toString("latin1")).toBe("PNG");
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
}

test("a topic's messages are the picture of the console", async () => {
  await root.createStream("shop");
  await root.createTopic("shop", { name: "orders", partitionsCount });
  for (let number = 0; number < messagesCount; number++) {
    const partitioning = { kind: "partition", partitionId: number % partitionsCount } as const;
    await root.sendMessages({ stream: "shop", topic: "orders", partitioning, messages: [{ payload: order(number) }] });
  }
  const visit = await browser.visit();
  const page = await visit.open("/ui/streams/shop/topics/orders/messages");
  await page.setViewportSize(size);
  await signIn(page);
  await page.getByText("connected", { exact: true }).waitFor();
  await page.getByRole("grid").getByText('"order":"A-1239"').waitFor();
  const png = await page.screenshot({ animations: "disabled", caret: "hide" });
  expect(sizeOfPng(png)).toEqual(size);
  if (process.env.WHIPPET_PICTURES === "1") {
    mkdirSync(images, { recursive: true });
    writeFileSync(join(images, "console.png"), png);
  }
  await visit.end();
});

test("the picture that README shows is there, as wide as it was taken", () => {
  const readme = readFileSync(resolve(import.meta.dir, "../../../README.md"), "utf8");
  expect(readme).toContain("](docs/images/console.png)");
  const png = readFileSync(join(images, "console.png"));
  expect(sizeOfPng(png)).toEqual(size);
  expect(png.length).toBeLessThan(bytesMax);
});
