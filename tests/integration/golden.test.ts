// The conversation recorded from the original (tests/golden/binary.json), played against the running server.
import { describe, expect, test } from "bun:test";
import { decodeStrict } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { errorTable } from "../../src/protocol/errors.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { useServers } from "../support/server.ts";
import { WireClient, type WireReply } from "../support/wire-client.ts";
import { comparable, damagedMessages, type Step, steps, withoutReserved } from "./golden-record.ts";

const servers = useServers();

/** What the server does not do yet. An entry goes when its command comes: the test that it is refused fails then. */
const unimplementedCodes: ReadonlyMap<number, string> = new Map([
  ...[31, 32, 33, 34, 35, 36, 37].map((code) => [code, "user management comes with the next step"] as const),
  ...[41, 42, 43, 44].map((code) => [code, "access tokens come with the next step"] as const),
  ...[600, 601, 602, 603, 604, 605].map((code) => [code, "consumer groups come with the next step"] as const),
  [CommandCode.deleteSegments, "deleting segments comes with the next step"],
]);

/** Their users and tokens are made by steps that are not done yet. */
const connectionsOfMadeUsers: ReadonlySet<string> = new Set(["c", "d", "e", "f"]);

const consumerCodes: ReadonlySet<number> = new Set([
  CommandCode.pollMessages,
  CommandCode.getConsumerOffset,
  CommandCode.storeConsumerOffset,
  CommandCode.deleteConsumerOffset,
]);
const groupConsumerKind = "02";

/** Without groups no group is known: 5000, and "no offset" where a get hides it (spec SB 13, trap 22). */
function asksForGroup({ code, payload }: Step): boolean {
  return consumerCodes.has(code) && payload?.startsWith(groupConsumerKind) === true;
}

class Conversation {
  readonly #server: { readonly host: string; readonly port: number };
  readonly #frames: "sdk" | "page";
  readonly #connections = new Map<string, WireClient>();
  readonly failures: string[] = [];
  played = 0;

  constructor(server: { readonly host: string; readonly port: number }, frames: "sdk" | "page") {
    this.#server = server;
    this.#frames = frames;
  }

  async play(step: Step): Promise<void> {
    if (connectionsOfMadeUsers.has(step.connection)) return;
    this.played++;
    const { status, payload } = await this.#exchange(step);
    if (unimplementedCodes.has(step.code)) {
      this.#expect(step, "status of a command that is not there yet", status, errorTable.InvalidCommand.code);
    } else if (asksForGroup(step)) {
      const isGet = step.code === CommandCode.getConsumerOffset;
      this.#expect(step, "status for an unknown group", status, isGet ? 0 : errorTable.ConsumerGroupIdNotFound.code);
      this.#expect(step, "reply for an unknown group", payload.length, 0);
    } else {
      this.#expect(step, "status", status, step.status);
      if (step.isFault) this.#compareWithSense(step, payload);
      else this.#compare(step, payload);
      if (step.code === CommandCode.pollMessages && status === 0) {
        this.#expect(step, "damaged messages", damagedMessages(payload).join(), "");
      }
    }
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
  }

  async #exchange({ connection, code, payload }: Step): Promise<WireReply> {
    let client = this.#connections.get(connection);
    if (client === undefined) {
      client = await WireClient.connect(this.#server, this.#frames);
      this.#connections.set(connection, client);
    }
    return client.request(code, Uint8Array.fromHex(payload ?? ""));
  }

  #expect(step: Step, what: string, actual: unknown, expected: unknown): void {
    if (actual === expected) return;
    this.failures.push(`${step.name} (${step.code}): ${what} is ${String(actual)}, not ${String(expected)}`);
  }

  #compare(step: Step, reply: Uint8Array): void {
    const { recorded, answered } = comparable(step, reply);
    this.#expect(step, "reply", answered, recorded);
  }

  /** Where the original is known to be wrong (spec SB 13). */
  #compareWithSense(step: Step, reply: Uint8Array): void {
    switch (step.code) {
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
          addresses.map(() => "tcp").join(),
        );
        return;
      }
      default:
        throw new Error(`${step.name}: nobody has said what the sensible answer is`);
    }
  }
}

const variants = [1, 2].flatMap((shards) => (["sdk", "page"] as const).map((frames) => ({ shards, frames })));

describe.each(variants)("recorded conversation with $frames frames, $shards shard(s)", ({ shards, frames }) => {
  test("answers are the recorded ones (without users, tokens, groups, segments: they come with the next step)", async () => {
    const server = await servers.start({ shards });
    const conversation = new Conversation(server, frames);
    for (const step of steps) await conversation.play(step);
    conversation.close();
    expect(conversation.failures).toEqual([]);
    expect(conversation.played).toBeGreaterThan(270);
    await server.stop();
    expect(server.log).not.toMatch(/ERROR/);
  }, 30_000);
});
