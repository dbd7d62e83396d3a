// The fifth program of docs/examples, a page, in a real browser: it shows what comes, and goes on after a reload where it was.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { connect, json } from "../../src/client/index.bun.ts";
import { Browser, findChromium } from "../browser/chromium.ts";
import { useServers } from "../support/server.ts";
import { makeProject, root } from "./packed-package.ts";

const servers = useServers();
const timeoutMs = 180_000;
const missing = "a page in Chromium, because there is none; CHROMIUM may name one";
const program = findChromium();

/** In the page, beside the example: tells the test what it shows, and that it does. */
const witness = `<script type="module">
  const lines = document.querySelector("#orders");
  const tell = () => fetch("/shown", { method: "POST", body: [...lines.children].map((line) => line.textContent).join("\\n") });
  new MutationObserver(tell).observe(lines, { childList: true });
  addEventListener("error", ({ message }) => fetch("/failed", { method: "POST", body: message }));
  addEventListener("unhandledrejection", ({ reason }) => fetch("/failed", { method: "POST", body: String(reason) }));
  setInterval(async () => { if ((await (await fetch("/reload")).text()) === "yes") location.reload(); }, 50);
</script>`;

/** What the page says, and what it is told. */
class Page {
  readonly #server: Bun.Server<undefined>;
  readonly #waiting = new Set<() => void>();
  #shown: readonly string[] = [];
  #failure: string | undefined;
  #reloads = 0;
  logins = 0;
  html = "";
  token = "";

  constructor(script: string) {
    const post = (take: (body: string) => void) => ({
      POST: async (request: Request) => {
        take(await request.text());
        for (const wake of this.#waiting) wake();
        return new Response();
      },
    });
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      routes: {
        "/": () => new Response(this.html + witness, { headers: { "content-type": "text/html" } }),
        "/05-page.js": () => new Response(script, { headers: { "content-type": "text/javascript" } }),
        "/token": () => {
          this.logins++;
          return new Response(this.token);
        },
        "/reload": () => new Response(this.#reloads > 0 && this.#reloads-- > 0 ? "yes" : "no"),
        "/shown": post((body) => {
          this.#shown = body === "" ? [] : body.split("\n");
        }),
        "/failed": post((body) => {
          this.#failure = body;
        }),
      },
      fetch: () => new Response(null, { status: 404 }),
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** Waits until it shows as many lines. */
  async shows(count: number, log: () => string): Promise<readonly string[]> {
    const deadlineMs = performance.now() + timeoutMs;
    while (this.#shown.length < count && this.#failure === undefined) {
      if (performance.now() > deadlineMs)
        throw new Error(`it shows ${this.#shown.length} lines. The browser:\n${log()}`);
      await Promise.race([Bun.sleep(1_000), new Promise<void>((resolve) => this.#waiting.add(resolve))]);
    }
    if (this.#failure !== undefined) throw new Error(this.#failure);
    return this.#shown;
  }

  /** It forgets what it shows; resolves when it has logged in again. */
  async reload(): Promise<void> {
    this.#shown = [];
    const { logins } = this;
    this.#reloads = 1;
    while (this.logins === logins) await Bun.sleep(20);
  }

  stop(): Promise<void> {
    return this.#server.stop(true);
  }
}

if (program === undefined && process.env.CI !== "true") {
  test.skip(missing, () => {});
} else {
  test(
    "5: a page in Chromium",
    async () => {
      if (program === undefined) throw new Error(missing);
      const project = servers.makeDirectory();
      await makeProject(project);
      const entrypoint = join(project, "05-page.ts");
      await Bun.write(entrypoint, Bun.file(join(root, "docs/examples/05-page.ts")));
      const built = await Bun.build({ entrypoints: [entrypoint], target: "browser" });
      expect(built.success).toBe(true);
      const html = await Bun.file(join(root, "docs/examples/05-page.html")).text();

      const page = new Page(await built.outputs[0]!.text());
      const server = await servers.start({ env: { IGGY_WEBSOCKET_ALLOWED_ORIGINS: `[${page.origin}]` } });
      page.html = html.replace("ws://localhost:8092", `ws://127.0.0.1:${server.portOf("websocket")}`);
      expect(page.html).not.toBe(html);
      await using client = await connect(`iggy://iggy:iggy@127.0.0.1:${server.port}`);
      page.token = await client.createPersonalAccessToken("page", 0n);
      const orders = client.topic("shop", "orders", json<{ orderId: string; amount: number }>());
      await orders.ensure({ partitionsCount: 1 });
      await orders.send({ value: { orderId: "before", amount: 0 } });

      const browser = new Browser(program, servers.makeDirectory(), page.origin);
      try {
        const send = (orderId: string) => orders.send({ value: { orderId, amount: orderId.length } });
        const log = () => browser.log;
        // It begins with what is sent from then on: what comes first is whatever was sent after it had looked.
        let sent = 0;
        const sending = setInterval(() => void send(`first ${sent++}`).catch(() => undefined), 100);
        const [first = ""] = await page.shows(1, log).finally(() => clearInterval(sending));
        expect(first).toMatch(/^first \d+: \d+$/);
        await send("second");
        while (!(await page.shows(1, log)).includes("second: 6")) await Bun.sleep(20);
        await page.reload();
        await send("third");
        await send("fourth");
        expect(await page.shows(2, log)).toEqual(["third: 5", "fourth: 6"]);
        expect(page.logins).toBeGreaterThanOrEqual(2);
      } finally {
        await browser.close();
        await page.stop();
      }
    },
    timeoutMs + 20_000,
  );
}
