// Which requests the console takes for those of its own page.
import { describe, expect, test } from "bun:test";
import { readCookie, sessionCookie, writeCookie } from "../../src/transport/http/console/cookie.ts";
import { isFromOwnPage, isOwnChange, type OwnOrigin } from "../../src/transport/http/console/origin.ts";

const plain: OwnOrigin = { isTls: false, configured: "" };
const secure: OwnOrigin = { isTls: true, configured: "" };
const proxied: OwnOrigin = { isTls: false, configured: "https://broker.example" };

function request(headers: Readonly<Record<string, string>>): Request {
  return new Request("http://127.0.0.1:3000/ui/api/session", { method: "POST", headers });
}

describe("a socket is opened by the console's page", () => {
  test.each([
    [plain, "http://127.0.0.1:3000", "127.0.0.1:3000", true],
    [plain, "http://127.0.0.1:3001", "127.0.0.1:3000", false],
    [plain, "https://127.0.0.1:3000", "127.0.0.1:3000", false],
    [plain, "http://localhost:3000", "127.0.0.1:3000", false],
    [plain, "http://BROKER:3000", "broker:3000", true],
    [plain, "http://[::1]:3000", "[::1]:3000", true],
    [plain, "null", "127.0.0.1:3000", false],
    [secure, "https://broker", "broker", true],
    [secure, "http://broker", "broker", false],
    [proxied, "https://broker.example", "10.0.0.7:3000", true],
    [proxied, "http://10.0.0.7:3000", "10.0.0.7:3000", false],
    [proxied, "https://broker.example.evil", "10.0.0.7:3000", false],
  ])("%o: origin %s at %s: %p", (own, origin, host, expected) => {
    expect(isFromOwnPage(request({ origin, host }), own)).toBe(expected);
  });

  test("and by nobody without an origin", () => {
    expect(isFromOwnPage(request({ host: "127.0.0.1:3000" }), plain)).toBe(false);
  });
});

describe("a change is asked for by the console's page", () => {
  const json = "application/json";
  const own = { origin: "http://127.0.0.1:3000", host: "127.0.0.1:3000", "content-type": json };
  test.each([
    [{ ...own, "sec-fetch-site": "same-origin" }, true],
    [{ ...own, "sec-fetch-site": "same-site" }, false],
    [{ ...own, "sec-fetch-site": "cross-site" }, false],
    [{ ...own, "sec-fetch-site": "none" }, false],
    [own, true],
    [{ ...own, origin: "http://127.0.0.1:3001" }, false],
    [{ host: own.host, "content-type": json }, false],
    [{ ...own, "content-type": "text/plain" }, false],
    [{ ...own, "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin" }, false],
    [{ ...own, "content-type": "application/json; charset=utf-8" }, true],
    [{ ...own, "content-type": "application/jsonp" }, false],
  ])("%o: %p", (headers, expected) => {
    expect(isOwnChange(request(headers), plain)).toBe(expected);
  });
});

describe("the cookie", () => {
  test("is for the console alone, and over TLS only where there is TLS", () => {
    expect(writeCookie(sessionCookie(3000, false), "abc")).toBe(
      "whippet-3000=abc; Path=/ui; HttpOnly; SameSite=Strict",
    );
    expect(writeCookie(sessionCookie(3000, true), "abc")).toBe(
      "__Secure-whippet-3000=abc; Path=/ui; HttpOnly; SameSite=Strict; Secure",
    );
    expect(writeCookie(sessionCookie(3000, false), "")).toEndWith("; Max-Age=0");
  });

  test("is found among others, by its whole name", () => {
    const cookie = sessionCookie(3000, false);
    expect(readCookie(request({ cookie: "a=b; whippet-3000=x.y.z; c=d" }), cookie)).toBe("x.y.z");
    expect(readCookie(request({ cookie: "whippet-3001=x; xwhippet-3000=y; whippet-3000=" }), cookie)).toBeUndefined();
    expect(readCookie(request({}), cookie)).toBeUndefined();
  });
});
