import { describe, expect, test } from "bun:test";
import { isAllowedOrigin } from "../../src/transport/websocket/origin.ts";

const rules = { allowedOrigins: ["https://app.example.com", "http://10.0.0.7:5173/"], httpPort: 3000 };
const host = "broker.example.com:8092";

describe("which pages may connect", () => {
  test.each([
    ["no browser", null, host],
    ["the broker's own host and port", "http://broker.example.com:8092", host],
    ["the same with TLS", "https://broker.example.com:8092", host],
    ["the dashboard", "http://broker.example.com:3000", host],
    ["the dashboard of a loopback", "http://127.0.0.1:3000", "127.0.0.1:8092"],
    ["an IPv6 host", "http://[::1]:3000", "[::1]:8092"],
    ["upper case", "HTTP://Broker.Example.COM:3000", "BROKER.example.com:8092"],
    ["a proxy at the default port", "https://broker.example.com", "broker.example.com"],
    ["a listed origin", "https://app.example.com", host],
    ["a listed origin written with a slash", "http://10.0.0.7:5173", host],
  ])("%s: yes", (_name, origin, hostHeader) => {
    expect(isAllowedOrigin(origin, hostHeader, rules)).toBe(true);
  });

  test.each([
    ["another site", "https://evil.example", host],
    ["another port of the same host", "http://broker.example.com:8000", host],
    ["another host at the dashboard's port", "http://other.example.com:3000", host],
    ["a listed host with another scheme", "http://app.example.com", host],
    ["a listed name as the beginning of another", "https://app.example.com.evil.example", host],
    ["a sandboxed page", "null", host],
    ["no URL", "broker.example.com:8092", host],
    ["an empty origin", "", host],
    ["no host", "http://broker.example.com:8092", null],
    ["a host that is none", "http://broker.example.com:8092", "a b"],
  ])("%s: no", (_name, origin, hostHeader) => {
    expect(isAllowedOrigin(origin, hostHeader, rules)).toBe(false);
  });

  test("without HTTP no other port is the broker's", () => {
    expect(isAllowedOrigin("http://localhost:0", "localhost:8092", { allowedOrigins: [], httpPort: 0 })).toBe(false);
    expect(isAllowedOrigin("http://localhost:3000", "localhost:8092", { allowedOrigins: [], httpPort: 0 })).toBe(false);
  });

  test("a star allows every page", () => {
    expect(isAllowedOrigin("null", host, { allowedOrigins: ["*"], httpPort: 0 })).toBe(true);
  });
});
