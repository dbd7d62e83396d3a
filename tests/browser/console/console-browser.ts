// Chromium at the console of a test server: one browser for a file of tests. A page that logs an error, reports a breach of its
// policy or drops a rejection fails the test that it belongs to.
import { afterAll, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { TestServer } from "../../support/server.ts";
import { drivenFlags, findChromium } from "../chromium.ts";

/** For what never happens: a busy machine takes its time. */
const timeoutMs = 60_000;

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export interface VisitOptions {
  readonly colorScheme?: "light" | "dark";
}

/** Pages of one test: a profile of its own, and what went wrong in it. */
export interface Visit {
  readonly context: BrowserContext;
  /** Another window of the same profile. */
  open(path: string): Promise<Page>;
  /** Fails for what a page complained of since the last check, unless it is `expected`. */
  check(expected?: readonly RegExp[]): void;
  /** Checks it and ends it. */
  end(expected?: readonly RegExp[]): Promise<void>;
}

function originOf(server: TestServer): string {
  return `http://${server.host}:${server.portOf("http")}`;
}

export class ConsoleBrowser {
  readonly origin: string;
  readonly #browser: Browser;

  private constructor(browser: Browser, origin: string) {
    this.#browser = browser;
    this.origin = origin;
  }

  /** Closed after the file's last test. */
  static async start(server: TestServer): Promise<ConsoleBrowser> {
    const executablePath = findChromium();
    if (executablePath === undefined) throw new Error("there is no Chromium; CHROMIUM may name one");
    const browser = await chromium.launch({ executablePath, headless: true, args: [...drivenFlags] });
    afterAll(() => browser.close());
    return new ConsoleBrowser(browser, originOf(server));
  }

  /** The same browser at another server. */
  of(server: TestServer): ConsoleBrowser {
    return new ConsoleBrowser(this.#browser, originOf(server));
  }

  async visit(options: VisitOptions = {}): Promise<Visit> {
    const context = await this.#browser.newContext({
      viewport: { width: 1280, height: 800 },
      colorScheme: options.colorScheme ?? "light",
      timezoneId: "UTC",
    });
    context.setDefaultTimeout(timeoutMs);
    const complaints: string[] = [];
    const check = (expected: readonly RegExp[] = []) => {
      const unexpected = complaints.splice(0).filter((text) => !expected.some((pattern) => pattern.test(text)));
      expect(unexpected).toEqual([]);
    };
    context.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    context.on("weberror", (error) => complaints.push(String(error.error())));
    return {
      context,
      open: async (path) => {
        const page = await context.newPage();
        await page.goto(`${this.origin}${path}`);
        return page;
      },
      check,
      end: async (expected) => {
        await context.close();
        check(expected);
      },
    };
  }

  /** A visit with one window, signed in as root: what several tests of a file may share, each with a check at its end. */
  async signedIn(path: string, options: VisitOptions = {}): Promise<{ readonly visit: Visit; readonly page: Page }> {
    const visit = await this.visit(options);
    const page = await visit.open(path);
    await signIn(page);
    await page.getByText("connected", { exact: true }).waitFor();
    return { visit, page };
  }
}

/** Signs in with the dialog of the page. */
export async function signIn(page: Page, username = "iggy", password = "iggy"): Promise<void> {
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("User name").fill(username);
  await dialog.getByLabel("Password").fill(password);
  await dialog.getByRole("button", { name: "Sign in" }).click();
}

/** Follows a link of the console to `address`: the page changes, and is not loaded anew. Waits until everything is there. */
export async function follow(page: Page, address: string): Promise<void> {
  await page.evaluate(`(async () => {
    const link = document.createElement("a");
    link.href = ${JSON.stringify(address)};
    document.body.append(link);
    link.click();
    link.remove();
    // The next page is drawn by then, at least that it is loading.
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  })()`);
  await settled(page);
}

/** Waits until the page has a heading and nothing that is still loading. */
export async function settled(page: Page): Promise<void> {
  await page.locator("main:has(h1):not(:has([aria-busy=true]))").waitFor();
}

type AxeResult = {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
};

/** What axe-core finds on the page as it is: nothing, or rule and element. `rules`: all, if not given. */
export async function findings(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  // As long as the document is the same, the program is there.
  if (await page.evaluate<boolean>("globalThis.axe === undefined")) await page.evaluate(axeSource);
  const options = { resultTypes: ["violations"], ...(rules === undefined ? {} : { runOnly: rules }) };
  const result = await page.evaluate<AxeResult>(`axe.run(document, ${JSON.stringify(options)})`);
  return result.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** The same of a page in both themes: in the dark, what is a matter of colours. */
export async function findingsInBothThemes(page: Page): Promise<readonly string[]> {
  const light = await findings(page);
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await findings(page, ["color-contrast"]);
  await page.emulateMedia({ colorScheme: "light" });
  return [...light, ...dark.map((finding) => `in the dark: ${finding}`)];
}
