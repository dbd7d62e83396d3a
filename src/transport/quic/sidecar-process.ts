// Keeps the QUIC sidecar running: starts it, tells it what to do, starts it again when it ends by itself, and ends it. It may
// do nothing but listen at its address and open the one unix socket.
import type { Subprocess } from "bun";
import { formatListenAddress } from "../../config/address.ts";
import type { Logger } from "../../observability/log.ts";
import type { CertificatePair } from "../../security/certificates.ts";
import type { FromSidecar, SidecarStart, ToSidecar } from "./sidecar-messages.ts";
import { type SidecarProgram, SidecarUnavailableError } from "./sidecar-program.ts";

export interface SidecarProcessOptions {
  readonly program: SidecarProgram;
  /** For what the runtime keeps: the program without its types. */
  readonly cacheDirectory: string;
  readonly start: Omit<SidecarStart, "kind" | keyof CertificatePair>;
  readonly certificate: CertificatePair;
  readonly log: Logger;
}

/** The sidecar runs, but what it was told to do cannot be done: the address is in use, the certificate has a wrong form. */
export class SidecarRefusedError extends Error {
  override readonly name = "SidecarRefusedError";
}

/**
 * One arena for all threads of the engine, and memory goes back early: connections that come and go left a third more behind.
 * For the C library of Linux.
 */
const frugalMemory = { MALLOC_ARENA_MAX: "1", MALLOC_TRIM_THRESHOLD_: String(128 * 1024) } as const;

/** The sidecar says itself when to collect. Of young objects it has few, for which the engine would take more in a flood. */
const engineFlags = "--v8-flags=--expose-gc,--max-semi-space-size=1";

const startTimeoutMs = 15_000;
const restartDelayMsMin = 100;
const restartDelayMsMax = 10_000;
/** A sidecar that has lived this long starts again without delay. */
const healthyMs = 60_000;
const stopTimeoutMs = 1000;

type Child = Subprocess<"pipe", "pipe", "pipe">;

export class SidecarProcess {
  readonly #options: SidecarProcessOptions;
  #certificate: CertificatePair;
  /** One that was not told yet what to do. */
  #loaded: Child | undefined;
  #child: Child | undefined;
  #port: number;
  #isStopping = false;
  #restartDelayMs = restartDelayMsMin;
  #restartTimer: Timer | undefined;

  constructor(options: SidecarProcessOptions) {
    this.#options = options;
    this.#certificate = options.certificate;
    this.#port = options.start.port;
  }

  /** Its runtime and its program are loaded, and wait for `start`. Throws `SidecarUnavailableError`. */
  load(): void {
    this.#loaded ??= this.#spawn();
  }

  /** Resolves with the port when clients can connect. Throws `SidecarUnavailableError` or `SidecarRefusedError`. */
  async start(): Promise<number> {
    const startedAtMs = performance.now();
    const child = this.#loaded ?? this.#spawn();
    this.#loaded = undefined;
    this.#child = child;
    const listening = this.#listening(child);
    this.#forwardErrors(child);
    this.#send({ ...this.#options.start, kind: "start", port: this.#port, ...this.#certificate });
    this.#port = await listening;
    void child.exited.then((code) => this.#ended(child, code, performance.now() - startedAtMs));
    return this.#port;
  }

  /** For connections from now on. */
  useCertificate(pair: CertificatePair): void {
    this.#certificate = pair;
    this.#send({ kind: "certificate", ...pair });
  }

  /** Ends the sidecar and with it every connection. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restartTimer);
    const child = this.#child ?? this.#loaded;
    if (child === undefined) return;
    try {
      Promise.resolve(child.stdin.end()).catch(() => undefined); // the sidecar's sign to end
    } catch {
      // It has ended already.
    }
    const inTime = await Promise.race([child.exited.then(() => true), Bun.sleep(stopTimeoutMs).then(() => false)]);
    if (!inTime) child.kill("SIGKILL");
    await child.exited;
  }

  #spawn(): Child {
    const { program, cacheDirectory, start } = this.#options;
    const { host, socketPath } = start;
    const address = formatListenAddress({ host, port: this.#port });
    try {
      return Bun.spawn(
        [
          program.runtimePath,
          ...["run", "--quiet", "--unstable-net", "--no-prompt"],
          ...["--no-config", "--no-lock", "--no-npm", "--no-remote", "--no-code-cache", engineFlags],
          `--allow-net=${address},unix:${socketPath}`,
          `--allow-read=${socketPath}`,
          `--allow-write=${socketPath}`,
          program.scriptPath,
        ],
        {
          stdin: "pipe",
          stdout: "pipe",
          stderr: "pipe",
          // Away from the terminal, whose interrupt is for the broker: the sidecar ends after it.
          detached: true,
          // Nothing of the broker's environment, which may hold passwords.
          env: { DENO_DIR: cacheDirectory, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1", ...frugalMemory },
        },
      );
    } catch (error) {
      throw new SidecarUnavailableError(`${program.runtimePath} cannot be run: ${textOf(error)}`, { cause: error });
    }
  }

  async #listening(child: Child): Promise<number> {
    const timer = setTimeout(() => child.kill("SIGKILL"), startTimeoutMs);
    try {
      const message = await firstMessage(child);
      if (message === undefined) {
        const code = await child.exited;
        throw new SidecarUnavailableError(`the sidecar ended with ${child.signalCode ?? code} before it listened`);
      }
      if (message.kind === "refused") {
        const { host } = this.#options.start;
        const address = formatListenAddress({ host, port: this.#port });
        throw new SidecarRefusedError(`QUIC cannot listen at ${address}: ${message.reason}`);
      }
      return message.port;
    } finally {
      clearTimeout(timer);
    }
  }

  #send(message: ToSidecar): void {
    const child = this.#child;
    if (child === undefined) return;
    // A sidecar that has just ended takes nothing; its end is dealt with elsewhere, and the next one is told everything.
    const hasEnded = (error: unknown) => this.#options.log.debug("the QUIC sidecar was not told", { error });
    try {
      child.stdin.write(`${JSON.stringify(message)}\n`);
      Promise.resolve(child.stdin.flush()).catch(hasEnded);
    } catch (error) {
      hasEnded(error);
    }
  }

  async #forwardErrors(child: Child): Promise<void> {
    for await (const line of linesOf(child.stderr)) if (line !== "") this.#options.log.warn("sidecar", { line });
  }

  #ended(child: Child, code: number, livedMs: number): void {
    if (this.#isStopping) return;
    if (livedMs >= healthyMs) this.#restartDelayMs = restartDelayMsMin;
    const ending = child.signalCode ?? code;
    this.#options.log.error("the QUIC sidecar ended and is started again; its clients have to connect again", {
      ending,
      delayMs: this.#restartDelayMs,
    });
    this.#restartLater();
  }

  #restartLater(): void {
    const delayMs = this.#restartDelayMs;
    this.#restartDelayMs = Math.min(restartDelayMsMax, delayMs * 2);
    this.#restartTimer = setTimeout(() => {
      this.start().then(
        (port) => this.#options.log.info("the QUIC sidecar listens again", { port }),
        (error: unknown) => {
          if (this.#isStopping) return;
          this.#options.log.error("the QUIC sidecar could not be started again", { error });
          this.#restartLater();
        },
      );
    }, delayMs);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Undefined: the sidecar ended without a word. */
async function firstMessage(child: Child): Promise<FromSidecar | undefined> {
  for await (const line of linesOf(child.stdout)) return JSON.parse(line) as FromSidecar;
  return undefined;
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let unread = "";
  for await (const chunk of stream) {
    const lines = (unread + decoder.decode(chunk, { stream: true })).split("\n");
    unread = lines.pop() ?? "";
    yield* lines;
  }
  if (unread !== "") yield unread;
}
