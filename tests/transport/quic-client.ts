// The tests' side of the QUIC client program.
import { join, resolve } from "node:path";
import type { Subprocess } from "bun";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { decodeReplyHead, encodeRequestFrame, frameHeaderBytes } from "../../src/protocol/frame.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { findSidecarProgram } from "../../src/transport/quic/sidecar-program.ts";
import type { WireReply } from "../support/wire-client.ts";
import { linesOf } from "./lines.ts";
import type { Answer, Command } from "./quic-client-program.ts";

const programPath = resolve(import.meta.dir, "quic-client-program.ts");
const answerTimeoutMs = 60_000;

export interface QuicTarget {
  readonly port: number;
  readonly certPem: string;
  /** No ALPN if not given, as the SDKs. */
  readonly alpnProtocols?: string[];
  readonly idleTimeoutMs?: number;
}

/** One client process; it may hold several connections. */
export class QuicClient {
  readonly #child: Subprocess<"pipe", "pipe", "inherit">;
  readonly #waiting = new Map<number, PromiseWithResolvers<string | number>>();
  #lastId = 0;

  /** `directory`: for what the runtime keeps. */
  constructor(directory: string) {
    const command = [findSidecarProgram().runtimePath, "run", "--quiet", "--unstable-net", "--allow-net"];
    this.#child = Bun.spawn([...command, "--no-config", "--no-lock", "--no-remote", programPath], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
      env: { DENO_DIR: join(directory, "deno"), NO_COLOR: "1" },
    });
    void this.#readAnswers();
  }

  async open(name: string, target: QuicTarget): Promise<void> {
    await this.#call({ kind: "open", name, target: { alpnProtocols: [], idleTimeoutMs: 10_000, ...target } });
  }

  /** One stream with these bytes; what came back until the server finished it. */
  async exchange(name: string, bytes: Uint8Array, finish = true): Promise<Uint8Array> {
    const reply = await this.#call({ kind: "exchange", name, bytes: bytes.toBase64(), finish });
    return Uint8Array.fromBase64(String(reply));
  }

  async request(name: string, code: number, payload: Uint8Array = new Uint8Array(0)): Promise<WireReply> {
    const bytes = await this.exchange(name, encodeRequestFrame(code, payload));
    const head = decodeReplyHead(bytes);
    if (bytes.byteLength !== frameHeaderBytes + head.payloadBytes) throw new Error("the stream holds not one reply");
    return { status: head.status, payload: bytes.subarray(frameHeaderBytes) };
  }

  async login(name: string): Promise<void> {
    const credentials = { username: "iggy", password: "iggy", version: undefined, context: undefined };
    const request = encode(commandCodecs.loginUser.request, credentials);
    const { status } = await this.request(name, CommandCode.loginUser, request);
    if (status !== 0) throw new Error(`the login was answered with ${status}`);
  }

  /** Streams that ask and are not read; how many could be written within `forMs`. */
  async ask(name: string, bytes: Uint8Array, count: number, forMs: number): Promise<number> {
    return Number(await this.#call({ kind: "ask", name, bytes: bytes.toBase64(), count, forMs }));
  }

  /** How the connection ended. */
  async ended(name: string): Promise<string> {
    return String(await this.#call({ kind: "ended", name }));
  }

  async close(name: string): Promise<void> {
    await this.#call({ kind: "close", name });
  }

  /** TCP port behind which every connection is a QUIC connection and every request a stream. */
  async relay(target: QuicTarget): Promise<number> {
    return Number(await this.#call({ kind: "relay", target: { alpnProtocols: [], idleTimeoutMs: 10_000, ...target } }));
  }

  async stop(): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
  }

  async #call(command: Command): Promise<string | number> {
    const id = ++this.#lastId;
    const waiting = Promise.withResolvers<string | number>();
    this.#waiting.set(id, waiting);
    this.#child.stdin.write(`${JSON.stringify({ id, command })}\n`);
    void this.#child.stdin.flush();
    const timer = setTimeout(() => waiting.reject(new Error(`${command.kind}: no answer`)), answerTimeoutMs);
    try {
      return await waiting.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  async #readAnswers(): Promise<void> {
    for await (const line of linesOf(this.#child.stdout)) {
      const answer = JSON.parse(line) as Answer;
      if ("error" in answer) this.#waiting.get(answer.id)?.reject(new Error(answer.error));
      else this.#waiting.get(answer.id)?.resolve(answer.value);
    }
  }
}
