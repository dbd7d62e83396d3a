// A page in a real browser opens the WebSocket with the project's client.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { type TestServer, useServers } from "../support/server.ts";
import { Browser, findChromium } from "./chromium.ts";

const pageTimeoutMs = 180_000;
const testTimeoutMs = pageTimeoutMs + 20_000;
const missing = "a page in Chromium, because there is none; CHROMIUM may name one";

interface PageResult {
  readonly isFine: boolean;
  readonly text: string;
}

/** Serves the page on a port of its own, which makes it an origin of its own, and takes its result. */
class PageServer {
  readonly #result = Promise.withResolvers<PageResult>();
  readonly #server: Bun.Server<undefined>;

  constructor(bundle: string) {
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      routes: {
        "/": (request) => {
          const script = `/page.js${new URL(request.url).search}`;
          const page = `<!doctype html><meta charset="utf-8"><script type="module" src="${script}"></script>`;
          return new Response(page, { headers: { "content-type": "text/html" } });
        },
        "/page.js": () => new Response(bundle, { headers: { "content-type": "text/javascript" } }),
        "/result": {
          POST: async (request) => {
            this.#result.resolve((await request.json()) as PageResult);
            return new Response();
          },
        },
      },
      fetch: () => new Response(null, { status: 404 }),
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** What the page says about the broker at `port`. */
  async show(program: string, directory: string, port: number): Promise<PageResult> {
    const browser = new Browser(program, directory, `${this.origin}/?port=${port}`);
    try {
      const late = Bun.sleep(pageTimeoutMs).then(() => {
        throw new Error(`the page said nothing within ${pageTimeoutMs} ms. The browser:\n${browser.log}`);
      });
      return await Promise.race([this.#result.promise, late]);
    } finally {
      await browser.close();
    }
  }

  stop(): Promise<void> {
    return this.#server.stop(true);
  }
}

async function bundlePage(directory: string): Promise<string> {
  const entrypoint = resolve(import.meta.dir, "page.ts");
  const built = await Bun.build({ entrypoints: [entrypoint], target: "browser", outdir: directory });
  expect(built.success).toBe(true);
  return Bun.file(join(directory, "page.js")).text();
}

const program = findChromium();

if (program === undefined && process.env.CI !== "true") {
  test.skip(missing, () => {});
} else {
  describe("a page in Chromium", () => {
    let allowed: PageServer;
    let other: PageServer;
    let server: TestServer;

    const servers = useServers();

    beforeAll(async () => {
      if (program === undefined) throw new Error(missing);
      const bundle = await bundlePage(servers.makeDirectory());
      allowed = new PageServer(bundle);
      other = new PageServer(bundle);
      const env = { IGGY_WEBSOCKET_ALLOWED_ORIGINS: `[${allowed.origin}]` };
      server = await servers.start({ shards: 2, env });
    });

    afterAll(async () => {
      await Promise.all([allowed?.stop(), other?.stop()]);
    });

    function show(page: PageServer): Promise<PageResult> {
      if (program === undefined) throw new Error(missing);
      return page.show(program, servers.makeDirectory(), server.portOf("websocket"));
    }

    test(
      "of an allowed origin logs in, sends 1,000 messages of text and bytes, and polls them back",
      async () => {
        const { isFine, text } = await show(allowed);
        expect({ isFine, text }).toEqual({
          isFine: true,
          text: expect.stringContaining("1000 messages over websocket"),
        });
        expect(text).toContain("HeadlessChrome");
        const root = await server.connect();
        expect((await root.getTopic("orders", "from-a-page"))?.messagesCount).toBe(1000n);
        root.close();
      },
      testTimeoutMs,
    );

    test(
      "of another origin does not get in: its handshake is answered with 403",
      async () => {
        expect(await show(other)).toEqual({
          isFine: false,
          text: expect.stringContaining("Cannot connect to iggy+ws:"),
        });
        const handshake = await fetch(`http://127.0.0.1:${server.portOf("websocket")}/`, {
          headers: {
            origin: other.origin,
            connection: "Upgrade",
            upgrade: "websocket",
            "sec-websocket-version": "13",
            "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
          },
        });
        expect(handshake.status).toBe(403);
        await server.stop();
        expect(server.log).not.toMatch(/ERROR/);
      },
      testTimeoutMs,
    );
  });
}
