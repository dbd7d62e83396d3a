// A page of another origin, on another port of the same host: it tries what the console's page may do.

export type StrangeResult = {
  readonly socket: "open" | "closed";
  readonly session: "read" | "refused";
  readonly signOut: "done" | "refused";
  readonly frame: "shown" | "empty";
};

const script = `
const [target] = [document.documentElement.dataset.target];
const socket = new Promise((resolve) => {
  const made = new WebSocket(target.replace("http", "ws") + "/ui/socket");
  made.onopen = () => resolve("open");
  made.onclose = () => resolve("closed");
});
const session = fetch(target + "/ui/api/session", { credentials: "include" }).then(() => "read", () => "refused");
const signOut = fetch(target + "/ui/api/session", { method: "POST", credentials: "include", mode: "no-cors",
  headers: { "content-type": "text/plain" }, body: '{"renew":true}' })
  .then(() => fetch(target + "/ui/api/session", { method: "DELETE", credentials: "include" }))
  .then(() => "done", () => "refused");
const frame = new Promise((resolve) => {
  const made = document.createElement("iframe");
  // What may not be framed loads as an error page, of whose document nothing can be read either: the sizes tell them apart.
  made.onload = () => resolve(made.contentWindow.length === 0 && made.contentDocument === null ? "empty" : "shown");
  made.src = target + "/ui";
  document.body.append(made);
});
const [a, b, c, d] = await Promise.all([socket, session, signOut, frame]);
await fetch("/said", { method: "POST", body: JSON.stringify({ socket: a, session: b, signOut: c, frame: d }) });
`;

export class StrangePage implements Disposable {
  readonly #server: Bun.Server<undefined>;
  /** Undefined until it has tried everything. */
  said: StrangeResult | undefined;

  /** `target`: origin of the console. */
  constructor(target: string) {
    const page = `<!doctype html><html data-target="${target}"><meta charset="utf-8"><link rel="icon" href="data:,"><body><script type="module" src="/script.js"></script>`;
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      routes: {
        "/": () => new Response(page, { headers: { "content-type": "text/html" } }),
        "/script.js": () => new Response(script, { headers: { "content-type": "text/javascript" } }),
        "/said": {
          POST: async (request) => {
            this.said = (await request.json()) as StrangeResult;
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

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }
}
