// Chromium at the console of a broker that is measured, signed in as root.
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { Client } from "../../src/client/index.ts";
import { drivenFlags, findChromium } from "../../tests/browser/chromium.ts";
import { connectClient } from "../../tests/support/client.ts";
import { type BenchServer, startBenchServer } from "../bench-server.ts";

const host = "127.0.0.1";
const timeoutMs = 120_000;

export type Measured = {
  readonly server: BenchServer;
  readonly browser: Browser;
  /** Signed in. */
  readonly context: BrowserContext;
  readonly origin: string;
  /** Of the script itself, logged in as root. */
  readonly client: Client;
};

/** Another client, which the caller closes. */
export function connectTo(server: BenchServer): Promise<Client> {
  const options = { host, port: server.portOf("tcp"), reconnect: false } as const;
  return connectClient({ ...options, username: "iggy", password: "iggy" });
}

export function originOf(server: BenchServer): string {
  return `http://${host}:${server.portOf("http")}`;
}

/** A broker with an empty data directory and a browser at its console, for as long as `work` takes. */
export async function withConsole(shards: number, work: (measured: Measured) => Promise<void>): Promise<void> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("there is no Chromium; CHROMIUM may name one");
  const server = await startBenchServer(false, shards);
  try {
    const browser = await chromium.launch({ executablePath, headless: true, args: [...drivenFlags] });
    try {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
      context.setDefaultTimeout(timeoutMs);
      const origin = originOf(server);
      await signIn(await context.newPage(), origin);
      const client = await connectTo(server);
      await work({ server, browser, context, origin, client });
      await client.close();
    } finally {
      await browser.close();
    }
  } finally {
    await server.stop();
  }
}

/** All pages of the context are signed in by it. */
async function signIn(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/ui/streams`);
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("User name").fill("iggy");
  await dialog.getByLabel("Password").fill("iggy");
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await connected(page);
  await page.close();
}

/** Resolves when the page has its connection to the broker. */
export async function connected(page: Page): Promise<void> {
  await page.getByText("connected", { exact: true }).waitFor();
}
