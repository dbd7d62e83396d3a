// Every page for every reader: both themes, narrow windows, zoom, forced colours, less motion. A window of 1,280 pixels at 400 % is one
// of 320 by 256.
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { encode } from "../../../src/protocol/codec.ts";
import { headerString, userHeadersCodec } from "../../../src/protocol/user-headers.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findings, findingsInBothThemes, follow, settled, signIn } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start();
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();
const longName = "payments-of-the-last-quarter-by-region-and-shop";
await root.createStream("orders");
await root.createTopic("orders", { name: longName, partitionsCount: 2 });
await root.createUser({ username: "ann", password: "secret" });
const payload = new TextEncoder().encode('{"id":9007199254740993,"text":"hello"}');
const partitioning = { kind: "partition", partitionId: 0 } as const;
const userHeaders = encode(userHeadersCodec, [{ key: headerString("trace"), value: headerString("4f3a") }]);
const odd = [
  { payload: new TextEncoder().encode("with a trace"), userHeaders },
  { payload: Uint8Array.of(0xc3, 0x28, 0, 1) },
];
await root.sendMessages({ stream: "orders", topic: longName, partitioning, messages: [{ payload }] });
await root.createTopic("orders", { name: "odd", partitionsCount: 1 });
await root.sendMessages({ stream: "orders", topic: "odd", partitioning, messages: odd });
await root.createTopic("orders", { name: "empty", partitionsCount: 1 });
await root.createConsumerGroup("orders", longName, "billing");
const consumer = { kind: "consumer", id: { kind: "string", value: "auditor" } } as const;
await root.storeConsumerOffset({ stream: "orders", topic: longName, partitionId: 0, consumer, offset: 0n });
const { clientId } = await root.getMe();

const topic = `/ui/streams/orders/topics/${longName}`;

/** Addresses, and for some what is on the page when all of it is there. */
const pages: readonly (readonly [address: string, text?: string])[] = [
  ["/ui/overview", "Healthy."],
  ["/ui/log"],
  ["/ui/server"],
  ["/ui/streams", "orders"],
  ["/ui/streams/orders", longName],
  ["/ui/streams/orders/settings"],
  ["/ui/streams/none", "There is no stream called"],
  ["/ui/streams/orders/topics/empty/messages", "This topic has no messages yet"],
  [`${topic}/publish`],
  [`${topic}/messages`, '"text":"hello"'],
  ["/ui/streams/orders/topics/odd/messages?from=o:0&p=0", "with a trace"],
  [`${topic}/messages/0/0`, "9007199254740993"],
  ["/ui/streams/orders/topics/odd/messages/0/0", "4f3a"],
  ["/ui/streams/orders/topics/odd/messages/0/1", "shown as hex"],
  [`${topic}/messages/0/9`, "There is no message"],
  [`${topic}/partitions`],
  [`${topic}/partitions/0`],
  [`${topic}/groups`],
  [`${topic}/groups/billing`],
  [`${topic}/groups/none`],
  [`${topic}/offsets`],
  [`${topic}/settings`],
  ["/ui/groups"],
  ["/ui/clients"],
  [`/ui/clients/${clientId}`],
  ["/ui/users"],
  ["/ui/users/ann"],
  [`/ui/users/new?for=orders/${longName}`],
  ["/ui/account", "Session ends"],
  ["/ui/help", "Next and previous row"],
  ["/ui/nothing", "leads to no page"],
];

const wide = { width: 1280, height: 800 };
const zoomed = { width: 320, height: 256 };

/** What stands out to the right of the window, and does not scroll within itself. */
function tooWide(page: Page): Promise<readonly string[]> {
  return page.evaluate(`(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll("main *, header *, nav *")]
      .filter((element) => element.closest(".grid, .scrolls, .lines, pre") === null)
      .filter((element) => element.getBoundingClientRect().right > width + 1)
      .map((element) => element.outerHTML.slice(0, 80));
  })()`);
}

function styleOf(page: Page, selector: string, property: string): Promise<string> {
  return page.evaluate<string>(
    `getComputedStyle(document.querySelector(${JSON.stringify(selector)}))[${JSON.stringify(property)}]`,
  );
}

/** What the dark and a narrow window may break. */
const rulesOfDarkAndNarrow = ["color-contrast", "scrollable-region-focusable"];

test("every page is whole in a narrow window, and without a finding in both themes", async () => {
  const visit = await browser.visit();
  const page = await visit.open("/ui/help");
  await page.getByRole("dialog").waitFor();
  expect(await findingsInBothThemes(page)).toEqual([]);
  await page.getByRole("button", { name: "Use a token instead" }).click();
  await page.getByRole("button", { name: "Use a password instead" }).click();
  await signIn(page);
  await page.getByText("connected", { exact: true }).waitFor();
  for (const [address, text] of pages) {
    await page.setViewportSize(wide);
    await page.emulateMedia({ colorScheme: "light" });
    await follow(page, address);
    if (text !== undefined) await page.getByRole("main").filter({ hasText: text }).waitFor();
    await settled(page);
    expect([address, new URL(page.url()).pathname]).toEqual([address, address.replace(/\?.*/, "")]);
    expect([address, await findings(page)]).toEqual([address, []]);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize(zoomed);
    expect([address, await tooWide(page)]).toEqual([address, []]);
    expect([address, await findings(page, rulesOfDarkAndNarrow)]).toEqual([address, []]);
  }
  await visit.end();
});

test("a dialog fits into a small window, forced colours keep what is chosen in sight, and nothing moves", async () => {
  const visit = await browser.visit();
  const page = await visit.open("/ui/streams");
  await signIn(page);
  await page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
  await page.getByRole("link", { name: "orders" }).waitFor();
  const current = await styleOf(page, "nav.pages a[aria-current]", "fontWeight");
  expect(Number(current)).toBeGreaterThan(Number(await styleOf(page, "nav.pages a:not([aria-current])", "fontWeight")));
  await page.setViewportSize(zoomed);
  await page.keyboard.press("Control+k");
  const finder = page.getByRole("combobox", { name: "Find a page" });
  await finder.waitFor();
  expect(await styleOf(page, "[role=option][aria-selected=true]", "outlineStyle")).toBe("solid");
  await page.keyboard.press("Escape");
  await finder.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "New stream" }).press("Enter");
  const box = await page.getByRole("dialog").boundingBox();
  expect(box!.x >= 0 && box!.x + box!.width <= zoomed.width).toBe(true);
  await page.getByRole("button", { name: "Cancel" }).scrollIntoViewIfNeeded();
  expect(await page.evaluate("document.getAnimations().length")).toBe(0);
  const moving = `[...document.querySelectorAll("*")].filter((element) => {
    const { transitionDuration, animationName } = getComputedStyle(element);
    return transitionDuration !== "0s" || animationName !== "none";
  }).length`;
  expect(await page.evaluate(moving)).toBe(0);
  await visit.end();
});

test("from the sign-in to a message, and to one more, by keyboard alone", async () => {
  const visit = await browser.visit();
  const page = await visit.open(`${topic}/messages`);
  await page.getByRole("dialog").waitFor();
  await page.keyboard.type("iggy");
  await page.keyboard.press("Tab");
  await page.keyboard.type("iggy");
  await page.keyboard.press("Enter");
  await page.getByRole("grid").getByText("hello").waitFor();
  // The skip link leads past the bar and the pages.
  await page.evaluate("document.activeElement.blur()");
  await page.keyboard.press("Tab");
  expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  expect(await page.evaluate("document.activeElement.id")).toBe("main");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Message 0 of partition 0" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("grid").waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find a page" }).waitFor();
  await page.keyboard.type("help");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Help", level: 1 }).waitFor();
  await visit.end();
});
