// Signing in and out in a real browser, and what pages of others cannot do meanwhile.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "../../support/process-facts.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, signIn } from "./console-browser.ts";
import { StrangePage } from "./strange-page.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start({ env: { IGGY_HTTP_WEB_UI_LABEL: "staging" } });
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();
await root.createStream("orders.v1");
await root.createTopic("orders.v1", { name: "pay / ments", partitionsCount: 1 });
const payload = new TextEncoder().encode("hello");
await root.sendMessages({ stream: "orders.v1", topic: "pay / ments", messages: [{ payload }] });

/** What the browser itself says of an answer that is no success. */
const refusedRequest = /Failed to load resource: the server responded with a status of (?:400|404|503)/;

describe("a sign-in", () => {
  test("says what was wrong, then opens the page; signing out closes it in every window", async () => {
    const visit = await browser.visit();
    const page = await visit.open("/ui/streams");
    await page.getByRole("heading", { name: "Sign in to staging" }).waitFor();
    await signIn(page, "iggy", "wrong");
    await page.getByRole("alert").getByText("User name or password is wrong").waitFor();
    await page.keyboard.press("Escape");
    await signIn(page);
    await page.getByRole("link", { name: "orders.v1" }).waitFor();
    expect(await page.title()).toBe("Streams · staging · Whippet");

    const second = await visit.open("/ui/streams/orders.v1");
    await second.getByRole("link", { name: "pay / ments" }).waitFor();
    expect(await second.getByRole("dialog").count()).toBe(0);
    const third = await visit.open("/ui/streams/orders.v1/topics/pay%20%2F%20ments/messages/0/0");
    await third.getByText("hello").waitFor();
    const fourth = await visit.open("/ui/streams/orders.v1/topics/pay%20%2F%20ments/messages");
    await fourth.getByRole("grid").getByText("hello").waitFor();
    await fourth.getByLabel("From", { exact: true }).selectOption("offset");
    await fourth.getByLabel("Offset", { exact: true }).fill("12");
    await page.getByRole("link", { name: "iggy" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("dialog").waitFor();
    // Messages are gone from every window, addresses and what was written are not.
    for (const window of [third, fourth]) {
      await window.getByRole("dialog").getByText("The session has ended").waitFor();
      await window.getByText("hello").waitFor({ state: "detached" });
      expect(await window.getByText("Loading").count()).toBe(0);
    }
    expect(await third.getByText("Checksum").count()).toBe(0);
    expect(await fourth.getByLabel("Offset", { exact: true }).inputValue()).toBe("12");
    await second.getByRole("dialog").getByText("The session has ended").waitFor();
    // What was there is still there, and goes on after a sign-in.
    expect(await second.getByText("pay / ments").count()).toBe(1);
    await signIn(second);
    await second.getByText("connected", { exact: true }).waitFor();
    await third.reload();
    await third.getByText("hello").waitFor();
    await signIn(page);
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    await visit.end([refusedRequest, /WebSocket connection .* failed/]);
  });

  test("takes a personal access token, and can be read-only", async () => {
    const token = await root.createPersonalAccessToken("console", 0n);
    const visit = await browser.visit();
    const page = await visit.open("/ui/streams");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Use a token instead" }).click();
    await dialog.getByLabel("Personal access token").fill("nobody's");
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("does not know this token").waitFor();
    await dialog.getByLabel("Personal access token").fill(token);
    await dialog.getByLabel("Read-only").check();
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("read-only", { exact: true }).waitFor();
    await page.getByRole("link", { name: "orders.v1" }).waitFor();
    await visit.end([refusedRequest]);
  });

  test("goes on where a link leads, whatever is in it", async () => {
    const address = "/ui/streams/orders.v1/topics/pay%20%2F%20ments/messages?from=oldest";
    const visit = await browser.visit();
    const page = await visit.open(address);
    await signIn(page);
    await page.getByRole("grid").getByText("hello").waitFor();
    expect(page.url()).toBe(`${browser.origin}${address}`);
    const other = await visit.open("/ui/sign-in?next=/ui/streams/orders.v1");
    await other.getByRole("heading", { name: "orders.v1" }).waitFor();
    await visit.end();
  });
});

test("no script reads the cookie, and the browser keeps nothing but preferences", async () => {
  const visit = await browser.visit();
  const page = await visit.open("/ui/streams");
  await signIn(page);
  await page.getByLabel("Theme").selectOption("dark");
  await page.getByRole("link", { name: "orders.v1" }).click();
  await page.getByRole("link", { name: "pay / ments" }).click();
  await page.getByRole("grid").getByText("hello").waitFor();
  const kept = await page.evaluate<readonly unknown[]>(
    "(async () => [document.cookie, { ...localStorage }, { ...sessionStorage }, (await indexedDB.databases()).length])()",
  );
  expect(kept).toEqual(["", { "whippet.preferences": '{"theme":"dark"}' }, {}, 0]);
  const [cookie] = await visit.context.cookies(`${browser.origin}/ui`);
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/ui", expires: -1 });
  expect(await visit.context.cookies(`${browser.origin}/streams`)).toEqual([]);
  await page.reload();
  expect(await page.evaluate("document.documentElement.dataset.theme")).toBe("dark");
  await visit.end();
});

describe("a page of another port, in a browser that is signed in", () => {
  test("opens no socket, reads no session, signs nobody out, and is no frame around the console", async () => {
    using strange = new StrangePage(browser.origin);
    const visit = await browser.visit();
    const page = await visit.open("/ui/streams");
    await signIn(page);
    await page.getByText("connected", { exact: true }).waitFor();
    const other = await visit.context.newPage();
    await other.goto(strange.origin);
    const said = await eventually(
      "the page is done",
      () => strange.said,
      (text) => text !== undefined,
    );
    expect(said).toEqual({ socket: "closed", session: "refused", signOut: "refused", frame: "empty" });
    await page.getByRole("link", { name: "orders.v1" }).click();
    await page.getByRole("link", { name: "pay / ments" }).waitFor();
    await visit.end([
      /WebSocket connection to .* failed/,
      /CORS|ERR_FAILED|BLOCKED_BY_RESPONSE|frame-ancestors|X-Frame-Options/,
    ]);
  });
});

test("too many guesses make the sign-in say that it has to wait", async () => {
  const visit = await browser.visit();
  const page = await visit.open("/ui");
  await page.getByRole("dialog").waitFor();
  // More than may wait of those who guess: the last ones are refused.
  const body = JSON.stringify({ username: "iggy", password: "wrong" });
  const headers = { "content-type": "application/json", origin: browser.origin };
  const guesses = Array.from({ length: 40 }, () =>
    fetch(`${browser.origin}/ui/api/session`, { method: "POST", headers, body }).then(({ status }) => status),
  );
  expect(await Promise.race(guesses)).toBe(400);
  await signIn(page, "iggy", "wrong");
  await page.getByRole("alert").getByText("Too many sign-ins wait").waitFor();
  await visit.end([refusedRequest]);
  await server.kill();
  expect((await Promise.allSettled(guesses)).filter(({ status }) => status === "fulfilled").length).toBeGreaterThan(0);
});
