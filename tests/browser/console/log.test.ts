// The log in a real browser: lines as they come, a link to one of them, and a broker that writes none.
import { expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "../../support/process-facts.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findings, signIn } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start({ env: { IGGY_SYSTEM_LOGGING_SYSINFO_PRINT_INTERVAL: "0" } });
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();

test("shows lines as they come, by part and words, and a link leads to one line", async () => {
  const visit = await browser.visit();
  const page = await visit.open("/ui/log");
  await signIn(page);
  const lines = page.getByRole("region", { name: "Lines of the log" });
  await lines.getByText("whippet is running").waitFor();
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await root.createStream("orders");
  await lines
    .getByText(/orders/)
    .first()
    .waitFor();
  expect(requests).toEqual([]);
  const first = lines.getByRole("listitem").first();
  const readFirst = async () => (await first.textContent()) ?? "";
  await eventually("the newest is the first", readFirst, (text) => text.includes("orders"));

  // What is written while it stands still comes when it goes on.
  await page.getByRole("button", { name: "Live" }).click();
  await page.getByText("New lines are not shown.").waitFor();
  expect(page.url()).toEndWith("/ui/log?live=0");
  await root.createStream("payments");
  await page.getByRole("button", { name: "Live" }).click();
  await eventually("the missed line", readFirst, (text) => text.includes("payments"));

  await page.getByLabel("Part of the program").fill("audit");
  await page.getByLabel("Part of the program").press("Enter");
  await eventually(
    "the address",
    () => Promise.resolve(page.url()),
    (url) => url.endsWith("/ui/log?target=audit"),
  );
  await lines.getByText("whippet is running").waitFor({ state: "detached" });
  await page.getByLabel("Text").fill("nothing has this");
  await page.getByLabel("Text").press("Enter");
  await page.getByText("No line fits").waitFor();
  await page.getByLabel("Text").fill("");
  await page.getByLabel("Text").press("Enter");
  expect(await findings(page)).toEqual([]);

  const line = lines.getByRole("listitem").filter({ hasText: "orders" }).first();
  const text = await line.textContent();
  await line.getByRole("link").click();
  await page.getByRole("button", { name: "To the newest" }).waitFor();
  const linked = await visit.open(new URL(page.url()).pathname + new URL(page.url()).search);
  await linked.locator(".log li[aria-current]").waitFor();
  expect(await linked.locator(".log li[aria-current]").textContent()).toBe(text);
  expect(await linked.getByText("payments").count()).toBe(0);
  await linked.getByRole("button", { name: "To the newest" }).click();
  await linked
    .getByText(/payments/)
    .first()
    .waitFor();

  await page.setViewportSize({ width: 320, height: 800 });
  expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download snapshot" }).click();
  expect((await download).suggestedFilename()).toBe("whippet-snapshot.zip");
  await visit.end();
});

test("says that a broker writes no log files, in the dark", async () => {
  const other = await servers.start({ env: { IGGY_SYSTEM_LOGGING_FILE_ENABLED: "false" } });
  const visit = await browser.of(other).visit({ colorScheme: "dark" });
  const page = await visit.open("/ui/log");
  await signIn(page);
  await page.getByText("This broker writes no log files").waitFor();
  expect(await findings(page)).toEqual([]);
  await visit.end();
});
