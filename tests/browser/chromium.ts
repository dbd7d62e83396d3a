// The system's Chromium, without a window.
import type { Subprocess } from "bun";

const closeTimeoutMs = 10_000;

/** Of a Chromium that a program drives: no sandbox, since it may be run by root and shows pages of our own; and nothing of its own on the net. */
export const drivenFlags: readonly string[] = [
  ...["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];
const names = ["chromium", "chromium-browser"];

/** Path of the program; undefined where there is none. `CHROMIUM` names another one. */
export function findChromium(): string | undefined {
  const named = process.env.CHROMIUM;
  if (named) return Bun.which(named) ?? undefined;
  return names.map((name) => Bun.which(name)).find((path) => path !== null) ?? undefined;
}

/** A browser that shows one page until it is closed. */
export class Browser {
  readonly #child: Subprocess<"ignore", "ignore", "pipe">;
  #errors = "";
  readonly #drained: Promise<void>;

  /** `directory`: for the profile, so that the user's own is not touched. */
  constructor(program: string, directory: string, url: string) {
    this.#child = Bun.spawn(
      [
        program,
        // The tests may run as root, for whom the browser has no sandbox; the page is our own.
        ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"],
        ...["--disable-background-networking", "--disable-component-update", "--no-proxy-server"],
        `--user-data-dir=${directory}`,
        // Keeps the browser open after the page has loaded.
        "--remote-debugging-port=0",
        url,
      ],
      { stdin: "ignore", stdout: "ignore", stderr: "pipe", env: { ...process.env, HOME: directory } },
    );
    this.#drained = this.#drain();
  }

  /** What it wrote to its error output. */
  get log(): string {
    return this.#errors;
  }

  async close(): Promise<void> {
    this.#child.kill("SIGTERM");
    const inTime = await Promise.race([
      this.#child.exited.then(() => true),
      Bun.sleep(closeTimeoutMs).then(() => false),
    ]);
    if (!inTime) this.#child.kill("SIGKILL");
    await this.#child.exited;
    await this.#drained;
  }

  async #drain(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stderr) this.#errors += decoder.decode(chunk, { stream: true });
  }
}
