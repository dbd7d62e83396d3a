// The PROXY protocol, versions 1 and 2: whose connection it is that a load balancer makes.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CommandCode } from "../../src/protocol/codes.ts";
import { ProxyHeaderError, readProxyHeader } from "../../src/transport/tcp/proxy-header.ts";
import { useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";

const servers = useServers();
const text = (value: string) => new TextEncoder().encode(value);
const signature = text("\r\n\r\n\0\r\nQUIT\n");

/** A header of version 2 with any bytes behind its head. */
function version2(command: number, family: number, body: readonly number[]): Uint8Array {
  return Uint8Array.of(...signature, command, family, body.length >> 8, body.length & 0xff, ...body);
}

const ipv4Body = [192, 0, 2, 7, 10, 0, 0, 1, 0xc0, 0x01, 0x1f, 0x9a];
const ipv6Body = [
  ...[0x20, 1, 0xd, 0xb8],
  ...new Array<number>(11).fill(0),
  9,
  ...new Array<number>(16).fill(1),
  0,
  80,
  0,
  81,
];

const good: readonly (readonly [name: string, header: Uint8Array, source: object | undefined])[] = [
  ["1, IPv4", text("PROXY TCP4 192.0.2.7 10.0.0.1 49153 8090\r\n"), { host: "192.0.2.7", port: 49153 }],
  ["1, IPv6", text("PROXY TCP6 2001:db8::9 ::1 80 81\r\n"), { host: "2001:db8::9", port: 80 }],
  ["1, unknown", text("PROXY UNKNOWN\r\n"), undefined],
  ["1, unknown with words", text("PROXY UNKNOWN a b c d e f\r\n"), undefined],
  ["2, IPv4", version2(0x21, 0x11, ipv4Body), { host: "192.0.2.7", port: 49153 }],
  ["2, IPv4 and extensions", version2(0x21, 0x11, [...ipv4Body, 4, 0, 2, 7, 7]), { host: "192.0.2.7", port: 49153 }],
  ["2, IPv6", version2(0x21, 0x21, ipv6Body), { host: "2001:db8::9", port: 80 }],
  ["2, a check of the balancer", version2(0x20, 0x00, []), undefined],
  ["2, a Unix socket", version2(0x21, 0x31, new Array<number>(216).fill(1)), undefined],
];

const bad: readonly (readonly [name: string, header: Uint8Array, reason: string])[] = [
  ["none", text("GET / HTTP/1.1\r\n"), "there is none"],
  ["a line without end", text(`PROXY TCP4 ${"1".repeat(107)}`), "its line is too long"],
  ["a line that ends late", text(`PROXY UNKNOWN ${"x".repeat(100)}\r\n`), "its line is too long"],
  ["a bare line feed", text("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n"), "its line does not end as one"],
  ["another family", text("PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n"), "its family is none of TCP4, TCP6 and UNKNOWN"],
  ["a mixed family", text("PROXY TCP4 ::1 2.2.2.2 1 2\r\n"), "an address is not of its family"],
  ["no address", text("PROXY TCP4\r\n"), "an address is not of its family"],
  ["a port too many", text("PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n"), "its ports are not two ports"],
  ["a large port", text("PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n"), "its ports are not two ports"],
  ["version 3", version2(0x31, 0x11, ipv4Body), "its version is not 2"],
  ["another command", version2(0x22, 0x11, ipv4Body), "its command is unknown"],
  ["short addresses", version2(0x21, 0x11, ipv4Body.slice(1)), "it is too short for its addresses"],
  ["too long", Uint8Array.of(...signature, 0x21, 0x11, 0xff, 0xff), "it is too long"],
];

function reasonOf(bytes: Uint8Array): string | undefined {
  try {
    readProxyHeader(bytes);
    return undefined;
  } catch (error) {
    if (!(error instanceof ProxyHeaderError)) throw error;
    return error.message;
  }
}

describe("the header", () => {
  test.each(good)("%s: is read as soon as it is whole, whatever comes behind it", (_, header, source) => {
    for (let size = 0; size < header.length; size++) expect(readProxyHeader(header.subarray(0, size))).toBe("more");
    const whole = { source, sizeBytes: header.length };
    expect(readProxyHeader(header)).toEqual(whole as never);
    expect(readProxyHeader(Uint8Array.of(...header, 4, 0, 0, 0, 1))).toEqual(whole as never);
  });

  test.each(bad)("%s: is refused with the reason", (_, header, reason) => expect(reasonOf(header)).toBe(reason));

  test("any bytes are refused, or more is asked for up to the bound, or a header is read", () => {
    const start = fc.constantFrom(
      new Uint8Array(0),
      text("PROXY "),
      text("PROXY TCP4 "),
      text("PROXY TCP6 ::1 "),
      signature,
    );
    const changed = fc.tuple(fc.constantFrom(...good), fc.nat(), fc.nat(255)).map(([[, header], at, byte]) => {
      const copy = header.slice();
      copy[at % copy.length] = byte;
      return copy;
    });
    const any = fc
      .tuple(start, fc.uint8Array({ maxLength: 300 }))
      .map(([head, tail]) => Uint8Array.of(...head, ...tail));
    fc.assert(
      fc.property(fc.oneof(changed, any), (bytes) => {
        if (reasonOf(bytes) !== undefined) return;
        const header = readProxyHeader(bytes);
        if (header === "more") expect(bytes.length).toBeLessThan(4096);
        else expect(header.sizeBytes).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 20_000 },
    );
  });
});

const trusted = { IGGY_TCP_PROXY_PROTOCOL_TRUSTED: "[10.0.0.0/8, 127.0.0.1]" };

/** A record of a client as `getMe` has it holds its address as text. */
async function addressAsSeen(client: WireClient): Promise<string> {
  const { payload } = await client.request(CommandCode.getMe);
  return new TextDecoder().decode(payload);
}

test.each([
  [1, good[0]![1]],
  [2, good[4]![1]],
] as const)("version %d: the client has its own address, in the audit too", async (_, header) => {
  const server = await servers.start({ shards: 2, env: trusted });
  const client = await WireClient.connect(server);
  // In three pieces, the last of which holds a request.
  client.write(header.subarray(0, 9));
  client.write(header.subarray(9, 20));
  client.write(header.subarray(20), client.frame(CommandCode.ping));
  expect(await client.receive()).toMatchObject({ status: 0 });
  await client.login();
  expect(await addressAsSeen(client)).toContain("192.0.2.7:49153");
  await client.request(CommandCode.createStream, Uint8Array.of(6, ...text("orders")));
  await server.logged(/audit .*orders.*address=192\.0\.2\.7:49153/);
  client.close();
  await server.stop();
});

test("the limit of an address counts clients, not the balancer's connections", async () => {
  const server = await servers.start({ env: { ...trusted, IGGY_CONNECTIONS_MAX_PER_ADDRESS: "1" } });
  const clients = [];
  for (const host of ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) {
    const client = await WireClient.connect(server);
    client.write(text(`PROXY TCP4 ${host} 10.0.0.1 1 2\r\n`));
    await client.login();
    clients.push(client);
  }
  const second = await WireClient.connect(server);
  second.write(text("PROXY TCP4 192.0.2.3 10.0.0.1 5 2\r\n"), second.frame(CommandCode.ping));
  await second.ended();
  await server.logged(/refused a client: there are too many address=192\.0\.2\.3:5 key=connections\.max_per_address/);
  for (const client of clients) client.close();
  await server.stop();
});

test("a listed peer without a good header, or with none in time, is closed with a line; others need none", async () => {
  const server = await servers.start({ env: { ...trusted, IGGY_CONNECTIONS_TLS_HANDSHAKE_TIMEOUT: "1 s" } });
  for (const [, header, reason] of bad) {
    const client = await WireClient.connect(server);
    client.write(header);
    await client.ended();
    await server.logged(`reason="${reason}"`);
  }
  const plain = await WireClient.connect(server);
  plain.write(plain.frame(CommandCode.ping));
  await plain.ended();
  const silent = await WireClient.connect(server);
  await silent.ended();
  await server.logged('reason="it did not come in time"');
  const gone = await WireClient.connect(server);
  gone.endSending();
  await gone.ended();

  const other = await WireClient.connect(server, "sdk", { localAddress: "127.0.0.2" });
  await other.login();
  expect(await addressAsSeen(other)).toContain("127.0.0.2:");
  other.close();
  const { stdout } = await server.stop();
  expect(stdout).not.toMatch(/ERROR/);
});
