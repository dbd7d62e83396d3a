// The conversation recorded from the original (tests/golden/binary.json), played against the running server.
import { describe, expect, test } from "bun:test";
import { decodeStrict } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { errorCodes } from "../../src/protocol/errors.ts";
import { TransportCode } from "../../src/protocol/records/enumerations.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { WireClient, type WireReply } from "../support/wire-client.ts";
import { comparable, damagedMessages, type Step, steps, withoutReserved, withTransport } from "./golden-record.ts";

const servers = useServers();

class Conversation {
  readonly #server: { readonly host: string; readonly port: number };
  readonly #transport: "tcp" | "websocket";
  readonly #frames: "sdk" | "page";
  readonly #connections = new Map<string, WireClient>();
  /** Reply that holds a raw token: a length byte and the text, as a login with a token wants it. */
  #token: Uint8Array = new Uint8Array(0);
  readonly failures: string[] = [];
  played = 0;

  constructor(server: TestServer, transport: "tcp" | "websocket", frames: "sdk" | "page") {
    this.#server = { host: server.host, port: server.portOf(transport) };
    this.#transport = transport;
    this.#frames = frames;
  }

  async play(step: Step): Promise<void> {
    this.played++;
    const { status, payload } = await this.#exchange(step);
    if (step.isFault) {
      this.#compareWithSense(step, status, payload);
    } else {
      this.#expect(step, "status", status, step.status);
      if (step.code === CommandCode.createPersonalAccessToken && status === 0) this.#compareToken(step, payload);
      else this.#compare(step, payload);
    }
    if (step.savesToken) this.#token = payload;
    if (step.code === CommandCode.pollMessages && status === 0) {
      this.#expect(step, "damaged messages", damagedMessages(payload).join(), "");
    }
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
  }

  async #exchange({ connection, code, payload }: Step): Promise<WireReply> {
    let client = this.#connections.get(connection);
    if (client === undefined) {
      client = await WireClient.connect(this.#server, this.#frames, { transport: this.#transport });
      this.#connections.set(connection, client);
    }
    return client.request(code, payload === null ? this.#token : Uint8Array.fromHex(payload));
  }

  #expect(step: Step, what: string, actual: unknown, expected: unknown): void {
    if (actual === expected) return;
    this.failures.push(`${step.name} (${step.code}): ${what} is ${String(actual)}, not ${String(expected)}`);
  }

  #compare(step: Step, reply: Uint8Array): void {
    const isClient = (step.code === CommandCode.getMe || step.code === CommandCode.getClient) && step.reply !== "";
    const expected = isClient ? withTransport(step, TransportCode[this.#transport]) : step;
    const { recorded, answered } = comparable(expected, reply);
    this.#expect(step, "reply", answered, recorded);
  }

  /** The record leaves the text out: 50 random bytes in base64 behind its length. */
  #compareToken(step: Step, reply: Uint8Array): void {
    const text = new TextDecoder().decode(reply.subarray(1));
    const isToken = reply[0] === text.length && /^[A-Za-z0-9+/]{67}=$/.test(text);
    this.#expect(step, "whether the reply is a raw token", isToken, true);
  }

  /** Where the original is known to be wrong (spec SB 13). */
  #compareWithSense(step: Step, status: number, reply: Uint8Array): void {
    const isSnapshot = step.code === CommandCode.getSnapshot;
    this.#expect(step, "status", status, isSnapshot ? errorCodes.Unauthorized : step.status);
    switch (step.code) {
      case CommandCode.getSnapshot:
        return; // unlike in the original, not for everyone who is logged in
      case CommandCode.pollMessages:
        this.#compare(withoutReserved(step), reply);
        return;
      case CommandCode.getMe:
        this.#expect(step, "user", decodeStrict(commandCodecs.getMe.reply, reply).userId, 0);
        return;
      case CommandCode.getClients: {
        // Every connection once, with the user that it logged in as.
        const clients = decodeStrict(commandCodecs.getClients.reply, reply);
        const addresses = [...this.#connections.values()].map((connection) => connection.address).toSorted();
        this.#expect(
          step,
          "addresses",
          clients
            .map(({ address }) => address)
            .toSorted()
            .join(),
          addresses.join(),
        );
        this.#expect(step, "users", clients.map(({ userId }) => userId).join(), addresses.map(() => 0).join());
        this.#expect(step, "client ids", new Set(clients.map(({ clientId }) => clientId)).size, addresses.length);
        this.#expect(
          step,
          "transports",
          clients.map(({ transport }) => transport).join(),
          addresses.map(() => this.#transport).join(),
        );
        return;
      }
      default:
        throw new Error(`${step.name}: nobody has said what the sensible answer is`);
    }
  }
}

const variants = [1, 2].flatMap((shards) =>
  (["tcp", "websocket"] as const).flatMap((transport) =>
    (["sdk", "page"] as const).map((frames) => ({ shards, transport, frames })),
  ),
);

describe.each(variants)("recorded conversation over $transport with $frames frames, $shards shard(s)", (variant) => {
  const { shards, transport, frames } = variant;
  test("every answer is the recorded one", async () => {
    const server = await servers.start({ shards });
    const conversation = new Conversation(server, transport, frames);
    for (const step of steps) await conversation.play(step);
    conversation.close();
    expect(conversation.failures).toEqual([]);
    expect(conversation.played).toBe(327);
    await server.stop();
    expect(server.log).not.toMatch(/ERROR/);
  }, 120_000);
});
