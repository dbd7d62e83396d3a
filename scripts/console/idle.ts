// What a console asks the broker for while nothing happens: requests, sockets and what it says over them. The pages are open and
// seen, which is more than is asked of a hidden one.
import type { Page } from "playwright-core";
import { connected, withConsole } from "./measured-page.ts";

const settleMs = 3000;

type Heard = {
  readonly requests: string[];
  /** Addresses of sockets that were opened. */
  readonly opened: string[];
  /** Addresses of sockets over which the page said something, once for each time. */
  readonly said: string[];
  readonly heard: string[];
};

function listenTo(page: Page): { take: () => Heard } {
  const make = (): Heard => ({ requests: [], opened: [], said: [], heard: [] });
  let current = make();
  page.on("request", (request) => current.requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
  page.on("websocket", (socket) => {
    const { pathname } = new URL(socket.url());
    current.opened.push(pathname);
    socket.on("framesent", () => current.said.push(pathname));
    socket.on("framereceived", () => current.heard.push(pathname));
  });
  return {
    take: () => {
      const taken = current;
      current = make();
      return taken;
    },
  };
}

/** How often each is in the list. */
function counted(names: readonly string[]): string {
  const counts = Map.groupBy(names, (name) => name);
  const list = [...counts].map(([name, all]) => `${name} ${all.length} times`).join(", ");
  return names.length === 0 ? "0" : `${names.length} (${list})`;
}

/** Throws where a page made a request, once all pages are printed. */
export async function measureIdle({ seconds }: { readonly seconds: number }): Promise<void> {
  await withConsole(1, async ({ context, origin, client }) => {
    await client.createStream("orders");
    await client.createTopic("orders", { name: "payments", partitionsCount: 1 });
    await client.sendMessages({
      stream: "orders",
      topic: "payments",
      messages: [{ payload: new TextEncoder().encode("hello") }],
    });
    const paths = ["overview", "streams", "streams/orders", "streams/orders/topics/payments/messages"];
    const pages = await Promise.all(
      paths.map(async (path) => {
        const page = await context.newPage();
        const listener = listenTo(page);
        await page.goto(`${origin}/ui/${path}`);
        await connected(page);
        return { path, listener };
      }),
    );
    await Bun.sleep(settleMs);
    const atOpening = pages.map(({ listener }) => listener.take().requests.length);
    await Bun.sleep(seconds * 1000);
    let requestsCount = 0;
    pages.forEach(({ path, listener }, index) => {
      const { requests, opened, said, heard } = listener.take();
      requestsCount += requests.length + opened.length;
      console.log(
        `/ui/${path}: ${atOpening[index]} requests to open; in ${seconds} s requests ${counted(requests)}, sockets opened ${counted(opened)}`,
      );
      console.log(`  said over its sockets ${counted(said)}, heard ${counted(heard)}`);
    });
    if (requestsCount > 0) throw new Error(`${requestsCount} requests of pages where nothing happens`);
  });
}
