// The way between clients and a broker for tests: a port for each transport, whose connections are handed on to the broker, and
// can be cut, held up or refused. The ports stay the same while the broker behind them is killed and started again.

import { createServer, connect as openSocket, type Server, type Socket } from "node:net";
import type { Timers } from "../platform/clock.ts";
import { Activity } from "./activity.ts";
import type { BrokerNetwork, BrokerTransport } from "./broker.ts";
import { type Conversation, conversationOver } from "./conversation.ts";
import { Flow } from "./flow.ts";

const host = "127.0.0.1";
/** A port that was free for a moment may have been given to a connection of somebody else; those end. */
const listenAttempts = 50;
const listenPauseMs = 20;

interface Link {
  readonly client: Socket;
  readonly broker: Socket;
  readonly requests: Flow;
  readonly replies: Flow;
  readonly conversation: Conversation;
  /** Nothing more passes but what is on its way to the client. */
  isCut: boolean;
}

interface Gate {
  readonly transport: BrokerTransport;
  server: Server | undefined;
  /** Chosen by the system at first. */
  port: number;
}

export class Network implements BrokerNetwork {
  readonly activity = new Activity(() => [...this.#links].some(({ conversation }) => conversation.isWaiting));
  readonly #gates: readonly Gate[];
  readonly #timers: Timers;
  readonly #holdsProgram: boolean;
  readonly #links = new Set<Link>();
  /** Ports of the broker; undefined: it is down. */
  #targets: Readonly<Record<BrokerTransport, number>> | undefined;
  #isRefusing = false;
  #isPaused = false;
  #delayMs = 0;
  /** Bytes of replies that may still pass; undefined: no end is set. */
  #budgetBytes: number | undefined;

  /** `timers`: what `delay` goes by. `holdsProgram`: whether the program goes on for as long as this listens. */
  constructor(transports: readonly BrokerTransport[], timers: Timers, holdsProgram = true) {
    this.#gates = transports.map((transport) => ({ transport, server: undefined, port: 0 }));
    this.#timers = timers;
    this.#holdsProgram = holdsProgram;
  }

  /** 0 for a transport that has none. */
  portOf(transport: BrokerTransport): number {
    return this.#gates.find((gate) => gate.transport === transport)?.port ?? 0;
  }

  /** The broker is there, at these ports. The first time the system chooses the ports of the network. */
  async up(targets: Readonly<Record<BrokerTransport, number>>): Promise<void> {
    this.#targets = targets;
    await this.#adjust();
  }

  /** The broker is gone: nobody listens any more, and what was open has ended. */
  down(): void {
    this.#targets = undefined;
    this.#closeServers();
    this.cut();
  }

  cut(): void {
    for (const link of [...this.#links]) this.#end(link);
  }

  pause(): void {
    this.#isPaused = true;
    for (const { requests, replies } of this.#links) {
      requests.pause();
      replies.pause();
    }
  }

  resume(): void {
    this.#isPaused = false;
    for (const { requests, replies } of this.#links) {
      requests.resume();
      replies.resume();
    }
  }

  delay(ms: number): void {
    if (!(ms >= 0 && ms < 2 ** 31)) throw new RangeError(`a delay is 0 to 2^31 - 1 ms, not ${ms}`);
    this.#delayMs = ms;
  }

  cutAfterBytes(bytes: number): void {
    if (!(bytes >= 0)) throw new RangeError(`a number of bytes is not ${bytes}`);
    this.#budgetBytes = bytes;
  }

  refuse(isRefused: boolean): void {
    this.#isRefusing = isRefused;
    if (isRefused) this.#closeServers();
    // Until it listens again clients are refused, as they were.
    else void this.#adjust();
  }

  async #adjust(): Promise<void> {
    const gates = this.#gates.filter(({ server }) => server === undefined);
    const end = this.activity.begin();
    try {
      await Promise.all(gates.map((gate) => this.#listen(gate)));
    } finally {
      end();
    }
  }

  async #listen(gate: Gate): Promise<void> {
    for (let attempt = 1; this.#targets !== undefined && !this.#isRefusing; attempt++) {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(gate, socket));
      gate.server = server;
      try {
        gate.port = await listening(server, gate.port);
        if (!this.#holdsProgram) server.unref();
        return;
      } catch (error) {
        if (gate.server !== server) return; // closed before it listened
        gate.server = undefined;
        if (attempt === listenAttempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, listenPauseMs));
      }
    }
  }

  #closeServers(): void {
    for (const gate of this.#gates) {
      gate.server?.close();
      gate.server = undefined;
    }
  }

  #accept({ transport }: Gate, client: Socket): void {
    if (this.#targets === undefined) {
      client.destroy();
      return;
    }
    const end = this.activity.begin();
    const broker = openSocket({ host, port: this.#targets[transport], noDelay: true, allowHalfOpen: true });
    const link: Link = {
      client,
      broker,
      requests: new Flow(client, broker, this.#timers),
      replies: new Flow(broker, client, this.#timers),
      conversation: conversationOver(transport),
      isCut: false,
    };
    this.#links.add(link);
    if (this.#isPaused) {
      link.requests.pause();
      link.replies.pause();
    }
    broker.once("connect", end);
    broker.once("close", end);
    client.on("data", (bytes: Uint8Array) => {
      this.activity.note();
      if (link.isCut) return;
      link.conversation.asked(bytes);
      link.requests.push(bytes, this.#delayMs);
    });
    broker.on("data", (bytes: Uint8Array) => this.#answer(link, bytes));
    client.on("end", () => (link.isCut ? undefined : link.requests.push(undefined, this.#delayMs)));
    broker.on("end", () => (link.isCut ? undefined : link.replies.push(undefined, this.#delayMs)));
    for (const socket of [client, broker]) {
      if (!this.#holdsProgram) socket.unref();
      socket.on("error", () => this.#end(link)); // what happened to one side is what the other one is told
      socket.on("close", () => {
        if (link.isCut && socket === broker) return;
        if (link.isCut || !socket.readableEnded || (client.destroyed && broker.destroyed)) this.#end(link);
      });
    }
  }

  #answer(link: Link, bytes: Uint8Array): void {
    this.activity.note();
    if (link.isCut) return;
    const passed = link.conversation.answered(bytes, (sizeBytes) => this.#spend(sizeBytes));
    if (passed === bytes.length) link.replies.push(bytes, this.#delayMs);
    else this.#cutBehind(link, bytes.subarray(0, passed));
  }

  /** The last that the client gets. */
  #cutBehind(link: Link, bytes: Uint8Array): void {
    this.#budgetBytes = undefined;
    link.isCut = true;
    link.requests.close();
    link.broker.destroy();
    link.replies.push(bytes, this.#delayMs, () => this.#end(link));
  }

  /** How many of so many bytes may pass. */
  #spend(sizeBytes: number): number {
    if (this.#budgetBytes === undefined) return sizeBytes;
    const passed = Math.min(sizeBytes, this.#budgetBytes);
    this.#budgetBytes -= passed;
    return passed;
  }

  #end(link: Link): void {
    if (!this.#links.delete(link)) return;
    this.activity.note();
    link.requests.close();
    link.replies.close();
    link.client.destroy();
    link.broker.destroy();
  }
}

/** Its port, when it listens. */
function listening(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("close", () => reject(new Error("the server was closed before it listened")));
    server.listen(port, host, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}
