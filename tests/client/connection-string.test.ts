import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseConnectionString } from "../../src/client/index.ts";

describe("what the Rust SDK reads", () => {
  test.each([
    ["iggy", "tcp"],
    ["iggy+tcp", "tcp"],
    ["iggy+ws", "websocket"],
    ["iggy+http", "http"],
  ])("%s: is %s", (scheme, transport) => {
    expect(parseConnectionString(`${scheme}://iggy:secret@127.0.0.1:7000`)).toMatchObject({
      transport,
      host: "127.0.0.1",
      port: 7000,
      credentials: { username: "iggy", password: "secret" },
      tls: undefined,
      reconnectAttemptsMax: undefined,
      heartbeatMs: undefined,
    });
  });

  test("a credential without a colon is a token, as the server gives them: raw base64", () => {
    const { credentials } = parseConnectionString("iggy://ab+/cd==@localhost:8090");
    expect(credentials).toEqual({ token: "ab+/cd==" });
  });

  test("every option of TCP", () => {
    const url =
      "iggy+tcp://u:p@h:1?tls=true&tls_domain=iggy.example&tls_ca_file=/etc/ca.pem&reconnection_retries=3" +
      "&reconnection_interval=250ms&reestablish_after=1m&heartbeat_interval=1m 30s&nodelay=true";
    expect(parseConnectionString(url)).toMatchObject({
      tls: { serverName: "iggy.example", caFile: "/etc/ca.pem", verify: true },
      reconnectAttemptsMax: 3,
      reconnectIntervalMs: 250,
      heartbeatMs: 90_000,
    });
  });

  test("every option of WebSocket and of HTTP", () => {
    const websocket =
      "iggy+ws://u:p@h:1?heartbeat_interval=5s&reconnection_retries=unlimited&reconnection_interval=1s&reestablish_after=5s" +
      "&read_buffer_size=4096&write_buffer_size=4096&max_write_buffer_size=8192&max_message_size=16384&max_frame_size=16384" +
      "&accept_unmasked_frames=false&tls=false&tls_domain=&tls_ca_file=&tls_validate_certificate=false";
    const unlimited = { tls: undefined, reconnectAttemptsMax: undefined };
    expect(parseConnectionString(websocket)).toMatchObject({ ...unlimited, reconnectIntervalMs: 1000 });
    expect(parseConnectionString("iggy+http://u:p@h:1?heartbeat_interval=7s&retries=3").heartbeatMs).toBe(7000);
  });

  test("of an option that is there twice, under either name, the last one counts", () => {
    const url = "iggy://h?reconnection_retries=2&reconnection_max_retries=0";
    expect(parseConnectionString(url).reconnectAttemptsMax).toBe(0);
  });
});

describe("beyond it", () => {
  test.each([
    ["iggy+tls://h", "tcp", 8090],
    ["iggy+wss://h", "websocket", 8092],
    ["wss://h/", "websocket", 8092],
    ["iggy+https://h", "http", 3000],
    ["https://h", "http", 3000],
  ])("%s has TLS and a port of its own", (url, transport, port) => {
    const tls = { serverName: undefined, caFile: undefined, verify: true };
    expect(parseConnectionString(url)).toMatchObject({ transport, host: "h", port, tls, credentials: undefined });
  });

  test("IPv6, a raw @ and % in a password, encoded characters", () => {
    expect(parseConnectionString("iggy://u:a@b%@[::1]:8091")).toMatchObject({
      host: "::1",
      port: 8091,
      credentials: { username: "u", password: "a@b%" },
    });
    expect(parseConnectionString("iggy://a%3Ab:c%40d@h").credentials).toEqual({ username: "a:b", password: "c@d" });
  });

  test("iggy+quic: is FeatureUnavailable", () => {
    expect(() => parseConnectionString("iggy+quic://h")).toThrow(expect.objectContaining({ code: 5 }));
  });

  test.each([
    ["iggy://h?hartbeat_interval=1s", '"hartbeat_interval" is unknown; did you mean "heartbeat_interval"?'],
    ["iggy://h?reconnection_retry=3", "reconnection_retries"],
    ["iggy+htp://h", 'did you mean "iggy+http:"?'],
    ["localhost:8090", "iggy://localhost:8090"],
    ["iggy://u:@h", "is empty"],
    ["iggy://@h", "before the @"],
    ["iggy://h:0", "1 to 65535"],
    ["iggy://h:65536", "1 to 65535"],
    ["iggy://:8090", "address"],
    ["iggy://::1", "address"],
    ["iggy://h/path", "address"],
    ["iggy://h?tls", "name=value"],
    ["iggy://h?tls=yes", 'cannot be "yes"'],
    ["iggy://h?heartbeat_interval=5 parsecs", "heartbeat_interval"],
    ["iggy://h?a?b", "two question marks"],
  ])("%s is a TypeError that says why", (url, why) => {
    expect(() => parseConnectionString(url)).toThrow(TypeError);
    expect(() => parseConnectionString(url)).toThrow(why);
  });
});

const encoded = fc.string({ minLength: 1, unit: "grapheme" }).filter((text) => text.isWellFormed());
const host = fc.oneof(fc.domain(), fc.ipV4(), fc.constant("localhost"));

test("property: whatever is written percent-encoded is read as it was", () => {
  const parts = { username: encoded, password: encoded, host, port: fc.integer({ min: 1, max: 65_535 }) };
  fc.assert(
    fc.property(fc.record(parts), ({ username, password, host, port }) => {
      const url = `iggy://${encodeURIComponent(username)}:${encodeURIComponent(password)}@${host}:${port}?tls_domain=x`;
      const read = parseConnectionString(url);
      expect(read).toMatchObject({ host, port, credentials: { username, password } });
      expect(read.printed).toBe(`iggy://${encodeURIComponent(username)}:***@${host}:${port}?tls_domain=x`);
    }),
  );
});

test("property: neither what is printed nor an error has the password or the token, whatever else is wrong", () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9@:/+=%?]{1,30}$/).map((text) => `!${text}!`);
  const tail = fc.constantFrom("h", "h:99999", "h?nonsense=1", "", "h/x", "[::1]:1");
  const scheme = fc.constantFrom("iggy://", "iggy+ws://", "igy://", "");
  const user = fc.constantFrom("", "someone:");
  fc.assert(
    fc.property(scheme, user, secret, tail, (scheme, user, secret, tail) => {
      let shown: string;
      try {
        shown = parseConnectionString(`${scheme}${user}${secret}@${tail}`).printed;
      } catch (error) {
        shown = String(error);
      }
      expect(shown).not.toContain(secret);
    }),
  );
});

test("property: any text gives a connection string or a TypeError", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `iggy://${text}`),
      ),
      (url) => {
        try {
          expect(parseConnectionString(url).port).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
        }
      },
    ),
  );
});
