// The part of the recorded conversation of 0.9 that was held over HTTP (tests/golden/conversation-0.9.json), played against the
// running server.
import { describe, expect, test } from "bun:test";
import record from "../golden/conversation-0.9.json" with { type: "json" };
import { useServers } from "../support/server.ts";

const servers = useServers();

interface Message {
  readonly part: string;
  readonly step: string;
  readonly from: string;
  readonly line?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

interface Exchange {
  readonly step: string;
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
  readonly answer: Message;
}

/** Each answer belongs to the oldest request that has none. */
const exchanges: readonly Exchange[] = (() => {
  const asked: Message[] = [];
  const found: Exchange[] = [];
  for (const message of record as readonly Message[]) {
    if (message.part !== "http") continue;
    if (message.from === "client") {
      asked.push(message);
      continue;
    }
    const { step, line = "", body } = asked.shift()!;
    const [method = "", path = ""] = line.split(" ");
    found.push({ step, method, path, body, answer: message });
  }
  return found;
})();

const varying = new Set(["created_at", "token", "expiry", "checksum", "timestamp", "origin_timestamp", "description"]);

/** What is as it was recorded, with the digits of large numbers: what varies from run to run, or is ours, is only named. */
function comparable(text: string): unknown {
  const exact = text.replace(/(?<=[:[,])-?\d{16,}(?=[,}\]])/g, (digits) => `"[${digits}]"`);
  return JSON.parse(exact, (key: string, value: unknown) => {
    if (varying.has(key)) return `<${key}>`;
    // Made by the server.
    if (key === "id" && typeof value === "string") return "<id>";
    return value;
  });
}

test("the record has its exchanges", () => {
  expect(exchanges.map(({ step }) => step)).toHaveLength(16);
});

describe("a client of 0.9 is answered as recorded", async () => {
  const server = await servers.start();
  const address = `http://${server.host}:${server.portOf("http")}`;
  let token = "";

  for (const [index, { step, method, path, body, answer }] of exchanges.entries()) {
    test(`${index} ${step}: ${method} ${path}`, async () => {
      const headers: Record<string, string> = { authorization: `Bearer ${token}` };
      if (body) headers["content-type"] = "application/json";
      const response = await fetch(`${address}${path}`, { method, headers, ...(body ? { body } : {}) });
      const text = await response.text();
      expect(`HTTP/1.1 ${response.status} ${response.statusText}`).toBe(answer.line!);
      const recorded = answer.body ?? "";
      if (!recorded.startsWith("{") && !recorded.startsWith("[")) {
        expect(text).toBe(recorded);
        return;
      }
      expect(comparable(text)).toEqual(comparable(recorded));
      // The order of the members, too.
      expect(namesOf(text)).toEqual(namesOf(recorded));
      if (step === "send") expect(response.headers.get("iggy-durability")).toBe("replicated");
      if (path === "/users/login") token = JSON.parse(text).access_token.token;
    });
  }
});

function namesOf(text: string): string[] {
  return [...text.matchAll(/"(\w+)":/g)].map(([, name]) => name!);
}
