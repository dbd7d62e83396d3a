// The conversation recorded from the original over HTTP (tests/golden/http.json), played against the running server.
import { describe, expect, test } from "bun:test";
import record from "../golden/http.json" with { type: "json" };
import { useServers } from "../support/server.ts";

const servers = useServers();

interface Step {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** JSON; text where it is a string. */
  readonly request: unknown;
  readonly status: number;
  readonly type: string | null;
  readonly body: unknown;
  readonly allow?: readonly string[];
}

const steps: readonly Step[] = record;

/** Answers that differ on purpose: "server default" is resolved when a topic is updated, too (docs/differences.md). */
const resolved = {
  from: '"message_expiry":60000000,"compression_algorithm":"gzip","max_topic_size":0',
  to: "18446744073709551615",
};

const withoutToken = new Set(["login", "refresh", "ping", "root", "metrics", "options"]);

function kindOfToken(name: string): "none" | "alice" | "raw" | "current" | "wrong" {
  if (name === "bad token") return "wrong";
  if (name === "token as bearer") return "raw";
  if (name.startsWith("alice ")) return "alice";
  if (name.endsWith("without token") || withoutToken.has(name.split(" ")[0] ?? "")) return "none";
  return "current";
}

/** Numbers keep their digits: as text in brackets. */
function parseExact(text: string): unknown {
  return JSON.parse(text.replace(/(?<=[:[,])-?\d{16,}(?=[,}\]])/g, (digits) => `"[${digits}]"`));
}

/** Whether the answer is what was recorded, where `<int>` and the like stand for what varies. */
function matches(recorded: unknown, answered: unknown): boolean {
  if (typeof recorded === "string") {
    const isNumber = typeof answered === "number" || (typeof answered === "string" && /^\[\d+\]$/.test(answered));
    if (recorded === "<int>" || recorded === "<port>" || recorded === "<uuid>") return isNumber;
    if (recorded === "<float>") return typeof answered === "number";
    if (recorded === "<str>") return typeof answered === "string";
  }
  if (typeof recorded !== "object" || recorded === null) return recorded === answered;
  if (typeof answered !== "object" || answered === null || Array.isArray(recorded) !== Array.isArray(answered))
    return false;
  // The order of the fields is the original's, too.
  const keys = Object.keys(recorded);
  if (keys.join() !== Object.keys(answered).join()) return false;
  return keys.every((key) => matches(Reflect.get(recorded, key), Reflect.get(answered, key)));
}

test("the record has every route and its errors", () => {
  expect(steps).toHaveLength(140);
});

describe("the HTTP API answers as recorded", async () => {
  const server = await servers.start();
  const address = `http://${server.host}:${server.portOf("http")}`;
  const tokens = { current: "", alice: "", raw: "", first: "", wrong: "abc" };

  for (const [index, step] of steps.entries()) {
    test(`${index} ${step.name}: ${step.method} ${step.path}`, async () => {
      const kind = step.name === "old token after refresh" ? "first" : kindOfToken(step.name);
      const headers: Record<string, string> = kind === "none" ? {} : { authorization: `Bearer ${tokens[kind]}` };
      const request = { method: step.method, headers, body: undefined as string | undefined };
      if (step.request !== null) {
        request.body = typeof step.request === "string" ? step.request : requestText(step);
        if (!step.name.endsWith("no content type")) headers["content-type"] = "application/json";
      }
      const path = step.path.replace("xxxxxxxxxxx...", "x".repeat(256));
      const response = await fetch(`${address}${path}`, request as RequestInit);
      const text = await response.text();

      expect({ status: response.status, body: response.ok ? "" : text }).toEqual({
        status: step.status,
        body: response.ok ? "" : expect.any(String),
      });
      expect(typeOf(response, step)).toBe(step.type);
      if (step.allow !== undefined)
        expect(response.headers.get("allow")?.split(",").toSorted()).toEqual([...step.allow]);
      checkBody(step, text);
      keepTokens(step, text);
    });
  }

  function requestText(step: Step): string {
    const text = JSON.stringify(step.request);
    const saved = step.path === "/personal-access-tokens/login" ? tokens.raw : tokens.first;
    // The largest u64 has lost its digits on the way through JSON.parse.
    return text.replaceAll("18446744073709552000", "18446744073709551615").replace("<saved>", saved);
  }

  function checkBody(step: Step, text: string): void {
    if (step.type === "application/zip") {
      expect(text.slice(0, 2)).toBe("PK");
    } else if (Array.isArray(step.body) && step.name === "metrics") {
      const families = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => `${name} ${type}`);
      expect(families).toEqual(expect.arrayContaining(step.body));
      expect(text.endsWith("# EOF\n")).toBe(true);
    } else if (step.type === "application/json") {
      const recorded = parseExact(
        JSON.stringify(step.body)
          .replaceAll("18446744073709552000", "18446744073709551615")
          .replace(resolved.from, resolved.from.replace(/0$/, resolved.to)),
      );
      const answered = parseExact(text);
      if (!matches(recorded, answered)) expect(answered).toEqual(recorded);
    } else if (typeof step.body === "string") {
      if (step.status < 400 || step.body === "") expect(text).toBe(step.body);
      else expect(text).toStartWith(step.body);
    }
  }

  function keepTokens(step: Step, text: string): void {
    if (step.name === "token create") tokens.raw = JSON.parse(text).token;
    if (step.status !== 200 || typeof step.body !== "object" || !text.includes('"access_token"')) return;
    const { token } = JSON.parse(text).access_token;
    if (step.name === "login alice") tokens.alice = token;
    if (step.name === "login") tokens.first = token;
    if (["login", "refresh", "login again"].includes(step.name)) tokens.current = token;
  }
});

/** Bun's client names a type for an empty body where there is none. */
function typeOf(response: Response, step: Step): string | null {
  const type = response.headers.get("content-type");
  return step.type === null && response.headers.get("content-length") === "0" ? null : type;
}
