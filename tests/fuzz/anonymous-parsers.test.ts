// What reads the bytes of clients without a login, in process: 718,000 seeded inputs, far more than a million with those of 0.9
// (parsers-09.test.ts) and of the test over sockets. WHIPPET_FUZZ_TIMES=10 multiplies them, WHIPPET_FUZZ_SEED=2 gives others.
import { expect, test } from "bun:test";
import { decodeStrict } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { foreignProtocolOf, proxyV2Signature } from "../../src/protocol/foreign-protocol.ts";
import { detectMessageFrameKind } from "../../src/protocol/frame-detection.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { operationOf } from "../../src/protocol/v09/headers.ts";
import { parseRegister } from "../../src/protocol/v09/register.ts";
import { isSend09 } from "../../src/server/index.ts";
import { isAllowedHost } from "../../src/transport/allowed-hosts.ts";
import { FrameParser, type FramePlan, type FrameSink } from "../../src/transport/frame-parser.ts";
import { jsonBody, publicBodyBytesMax } from "../../src/transport/http/body.ts";
import { HttpTextError } from "../../src/transport/http/errors.ts";
import { JsonShapeError, JsonSyntaxError } from "../../src/transport/http/json/reader.ts";
import { readJson } from "../../src/transport/http/json/values.ts";
import { loginBody, tokenBody } from "../../src/transport/http/schemas/users.ts";
import { anonymousPayloadBytesMax } from "../../src/transport/session-limits.ts";
import { ProxyHeaderError, readProxyHeader } from "../../src/transport/tcp/proxy-header.ts";
import { isAllowedOrigin } from "../../src/transport/websocket/origin.ts";
import { anonymousRequest, broken, framed, fuzzTimes, publicBody } from "./anonymous-inputs.ts";
import { joined } from "./calm.ts";
import { forInputs } from "./for-inputs.ts";
import { mutate } from "./mutate.ts";

const inputs = {
  frames: 330_000,
  bodies: 240_000,
  requests: 18_000,
  names: 80_000,
  strangers: 40_000,
  proxies: 10_000,
} as const;
const timeLimitMs = 120_000 * fuzzTimes;

/** Takes what a connection without a login takes, and decodes logins. */
class AnonymousSink implements FrameSink {
  /** What was read, one word for each call. */
  readonly calls: string[] = [];

  isReady(): boolean {
    return true;
  }

  plan(code: number, payloadBytes: number): FramePlan {
    if (payloadBytes > 16 * 1024 * 1024) return "stop";
    const isRefused = code === CommandCode.sendMessages || payloadBytes < 0 || payloadBytes > anonymousPayloadBytesMax;
    return isRefused ? "discard" : "collect";
  }

  target(): never {
    throw new Error("a send was taken without a login");
  }

  targetComplete(): void {
    throw new Error("a send was taken without a login");
  }

  request(code: number, payload: Uint8Array): void {
    this.calls.push(`${code} ${payload.toHex()} ${decoded(code, payload)}`);
  }

  discarded(code: number): void {
    this.calls.push(`discarded ${code}`);
  }

  plan09(header: Uint8Array, bodyBytes: number): FramePlan {
    if (bodyBytes > 16 * 1024 * 1024) return "stop";
    this.calls.push(`09 ${operationOf(header)}`);
    return isSend09(header) || bodyBytes > anonymousPayloadBytesMax ? "discard" : "collect";
  }

  planSend09(): never {
    throw new Error("a send was taken without a login");
  }

  request09(body: Uint8Array): void {
    this.calls.push(`${body.toHex()} ${JSON.stringify(parseRegister(body))}`);
  }

  broken(): void {
    this.calls.push("broken");
  }
}

/** What a login says, or the error of the table that it is answered with. */
function decoded(code: number, payload: Uint8Array): string {
  try {
    if (code === CommandCode.loginUser) return JSON.stringify(decodeStrict(commandCodecs.loginUser.request, payload));
    if (code !== CommandCode.loginWithPersonalAccessToken) return "";
    return JSON.stringify(decodeStrict(commandCodecs.loginWithPersonalAccessToken.request, payload));
  } catch (error) {
    if (error instanceof IggyError) return error.errorName;
    throw error;
  }
}

test(
  "frames and logins: any bytes are read, and the same whatever pieces they come in",
  async () => {
    await forInputs(inputs.frames, (random) => {
      const kind = random.u32() % 4 === 0 ? "page" : "sdk";
      const bytes = joined([framed(anonymousRequest(random), kind), broken(random)]);
      const [whole, inPieces] = [new AnonymousSink(), new AnonymousSink()];
      // The first message of a WebSocket is detected another way, from the message alone.
      const frames = random.u32() % 2 === 0 ? "auto" : kind;
      new FrameParser(whole, frames).push(bytes.slice());
      const parser = new FrameParser(inPieces, frames);
      for (let start = 0; start < bytes.byteLength; ) {
        const end = start + 1 + (random.u32() % 40);
        parser.push(bytes.slice(start, end));
        start = end;
      }
      if (whole.calls.join() !== inPieces.calls.join()) {
        throw new Error(`${bytes.toHex()}: whole ${whole.calls.join()}; in pieces ${inPieces.calls.join()}`);
      }
      detectMessageFrameKind(bytes);
    });
  },
  timeLimitMs,
);

/** Whether the engine, which knows more numbers and fewer rules, takes the text. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test(
  "bodies of public routes: what is no JSON is refused as that, what does not fit as that, and nothing else is thrown",
  async () => {
    await forInputs(inputs.bodies, (random) => {
      const text = publicBody(random);
      const schema = random.u32() % 2 === 0 ? loginBody : tokenBody;
      try {
        readJson(text, schema);
        if (!isJson(text)) throw new Error(`taken, and no JSON: ${text}`);
      } catch (error) {
        if (!(error instanceof JsonSyntaxError || error instanceof JsonShapeError)) throw error;
        // The engine alone takes half a pair of surrogates. What else is JSON can only have the wrong shape.
        const isHalfPair = error.message.startsWith("lone surrogate");
        if (error instanceof JsonSyntaxError && !isHalfPair && isJson(text))
          throw new Error(`${error.message}: ${text}`);
      }
    });
  },
  timeLimitMs,
);

test(
  "requests to public routes: 400, 413, 415 or 422, whatever the body and its headers",
  async () => {
    const parse = jsonBody(loginBody, publicBodyBytesMax);
    const types = ["application/json", "application/json;charset=x", "text/plain", "application/vnd.a+json", ""];
    await forInputs(inputs.requests, async (random) => {
      const isLarge = random.u32() % 500 === 0;
      const body = isLarge ? new Uint8Array(publicBodyBytesMax + 1) : mutate(Buffer.from(publicBody(random)), random);
      const headers = { "content-type": types[random.u32() % types.length]! };
      const request = new Request("http://localhost/users/login", { method: "POST", headers, body });
      try {
        await parse({ request });
      } catch (error) {
        if (!(error instanceof HttpTextError)) throw error;
        expect([400, 413, 415, 422]).toContain(error.status);
      }
    });
  },
  timeLimitMs,
);

test(
  "names of hosts and origins: any text is allowed or refused, and no page of another host is allowed",
  async () => {
    const texts = ["http://localhost:8080", "https://broker.example", "null", "http://[::1]:90", "http://a@b:0/?#", ""];
    await forInputs(inputs.names, (random) => {
      const text = () => new TextDecoder().decode(mutate(Buffer.from(texts[random.u32() % texts.length]!), random));
      const [origin, host] = [text(), text().replace(/^https?:\/\//, "")];
      isAllowedHost(host, { isLoopback: random.u32() % 2 === 0, allowedHosts: ["broker.example"] });
      const isAllowed = isAllowedOrigin(origin, host, { allowedOrigins: [], httpPort: 8080 });
      const page = URL.parse(origin);
      const own = URL.parse(`${page?.protocol}//${host}`);
      if (isAllowed && (page === null || page.hostname !== own?.hostname)) throw new Error(`${origin} at ${host}`);
    });
  },
  timeLimitMs,
);

test(
  "first bytes of other protocols: what is decided of a beginning stays so, and no request is one",
  async () => {
    const beginnings = [
      Buffer.from("GET / HTTP/1.1\r\n"),
      Buffer.from("PRI * HTTP/2.0\r\n"),
      Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"),
      Uint8Array.from([...proxyV2Signature, 0x21, 0x11, 0, 12, ...new Uint8Array(12)]),
      Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3),
    ];
    await forInputs(inputs.strangers, (random) => {
      const bytes = mutate(beginnings[random.u32() % beginnings.length]!, random);
      const whole = foreignProtocolOf(bytes);
      for (let end = 1; end < bytes.byteLength; end++) {
        const early = foreignProtocolOf(bytes.subarray(0, end));
        if (early === "more" || early === whole) continue;
        throw new Error(`${bytes.toHex()}: ${early} after ${end} bytes, then ${whole}`);
      }
      const request = framed(anonymousRequest(random));
      if (foreignProtocolOf(request) !== "none") throw new Error(request.toHex());
    });
  },
  timeLimitMs,
);

/** What the header says, as text. */
function headerOf(bytes: Uint8Array): string {
  try {
    return JSON.stringify(readProxyHeader(bytes));
  } catch (error) {
    if (error instanceof ProxyHeaderError) return error.message;
    throw error;
  }
}

test(
  "headers of the PROXY protocol: read or refused, the same whatever pieces they come in, and not past their end",
  async () => {
    const addresses = [...new Uint8Array(4).fill(10), ...new Uint8Array(4).fill(11), 1, 2, 3, 4];
    const headers = [
      Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 1 65535\r\n"),
      Buffer.from("PROXY TCP6 2001:db8::1 ::1 80 443\r\n"),
      Buffer.from("PROXY UNKNOWN\r\n"),
      Uint8Array.from([...proxyV2Signature, 0x21, 0x11, 0, 12, ...addresses]),
      Uint8Array.from([...proxyV2Signature, 0x21, 0x21, 0, 40, ...new Uint8Array(40).fill(7)]),
      Uint8Array.from([...proxyV2Signature, 0x20, 0, 0, 0]),
    ];
    let readCount = 0;
    await forInputs(inputs.proxies, (random) => {
      const header = headers[random.u32() % headers.length]!;
      const bytes = joined([
        random.u32() % 4 === 0 ? header : mutate(header, random),
        framed(anonymousRequest(random)),
      ]);
      const whole = headerOf(bytes);
      for (let end = 0; end < Math.min(bytes.byteLength, 300); end++) {
        const early = headerOf(bytes.subarray(0, end));
        if (early === '"more"' || early === whole) continue;
        throw new Error(`${bytes.toHex()}: ${early} after ${end} bytes, then ${whole}`);
      }
      if (!whole.startsWith("{")) return;
      readCount++;
      const { sizeBytes } = JSON.parse(whole) as { readonly sizeBytes: number };
      if (sizeBytes > bytes.byteLength) throw new Error(`${bytes.toHex()}: ${whole}`);
    });
    expect(readCount).toBeGreaterThan(inputs.proxies / 4);
  },
  timeLimitMs,
);
