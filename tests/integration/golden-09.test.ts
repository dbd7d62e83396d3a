// The conversation of clients of 0.9 with the original, played against the running server.
import { describe, expect, test } from "bun:test";
import { useServers } from "../support/server.ts";
import { WireClient09 } from "../support/wire-client-09.ts";
import { describeAnswer, type Exchange, recordedExchanges, tokenOf, withToken } from "./golden-09-record.ts";

const servers = useServers();

/** Where the answer is another one, and why. */
const reasons = {
  silent: "the original says nothing and its client waits for 30 s (spec P9 7.2)",
  served: "this server can flush (spec P9 6.4)",
  missing: "some clients look anew after these errors only (spec P9 6.4)",
  one: "there is one stream more: the request with the number 0 was carried out",
} as const;

/** By part and step. */
const differences: Readonly<Record<string, readonly [answer: RegExp, reason: keyof typeof reasons]>> = {
  "python: send to a missing partition": [/status 3007$/, "missing"],
  "python: send to a missing topic": [/status 2010$/, "missing"],
  "python: flush": [/ empty$/, "served"],
  "by hand: replicated request before login (session 0)": [/status 40$/, "silent"],
  "by hand: session 0 on a bound connection": [/status 40$/, "silent"],
  "by hand: request 0 on a bound connection": [/"name":"eight"/, "silent"],
  "by hand: send, two counts differ": [/status 3$/, "silent"],
  "by hand: send, wrong batch checksum": [/status 4039$/, "silent"],
  "by hand: send, no messages": [/status 4009$/, "silent"],
  "by hand: unknown operation 200": [/status 3$/, "silent"],
  "by hand: operation 0": [/status 3$/, "silent"],
  "by hand: client id 0": [/status 3$/, "silent"],
  "by hand: command 1 (protocol ping)": [/^closed$/, "silent"],
  "by hand: right request checksum": [/"name":"nine"/, "one"],
  "by hand: get streams, operation 2, client id of somebody else": [/"name":"eight"/, "one"],
};

class Conversation {
  readonly failures: string[] = [];
  readonly #port: number;
  readonly #connections = new Map<string, WireClient09>();
  /** The raw token of the last reply that had one. */
  #token: Uint8Array | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async play(exchange: Exchange): Promise<void> {
    const { part, connection, step, request, answer } = exchange;
    const client = this.#connections.get(connection) ?? (await WireClient09.connect(this.#port));
    this.#connections.set(connection, client);
    const reply = await client.exchange(this.#token === undefined ? request : withToken(request, this.#token));
    this.#token = tokenOf(request, reply) ?? this.#token;
    const answered = describeAnswer(request, reply);
    const recorded = describeAnswer(request, answer);
    const difference = differences[`${part}: ${step}`];
    const isRight = difference === undefined ? answered === recorded : difference[0].test(answered);
    if (!isRight) this.failures.push(`${part}: ${step}\n  recorded ${recorded}\n  answered ${answered}`);
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
  }
}

describe.each([
  { shards: 1, moves: "true" },
  { shards: 2, moves: "true" },
  { shards: 2, moves: "false" },
])("recorded conversation of 0.9, $shards shard(s), connections that move: $moves", ({ shards, moves }) => {
  test.each([
    ["python", 153],
    ["python high level", 19],
    ["by hand", 54],
  ])(
    "%s",
    async (part, count) => {
      const server = await servers.start({ shards, env: { IGGY_TCP_SOCKET_MIGRATION: moves } });
      const conversation = new Conversation(server.portOf("tcp"));
      const exchanges = recordedExchanges(part);
      expect(exchanges.length).toBe(count);
      for (const exchange of exchanges) await conversation.play(exchange);
      conversation.close();
      expect(conversation.failures).toEqual([]);
      await server.stop();
      expect(server.log).not.toMatch(/ERROR/);
    },
    120_000,
  );
});

test("every difference is one of a step", () => {
  const steps = new Set(
    ["python", "python high level", "by hand"].flatMap(recordedExchanges).map(({ part, step }) => `${part}: ${step}`),
  );
  expect(Object.keys(differences).filter((name) => !steps.has(name))).toEqual([]);
});
