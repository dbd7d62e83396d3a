import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { createLogger } from "../../src/observability/log.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { encodeRequestFrame } from "../../src/protocol/frame.ts";
import { BufferPool } from "../../src/transport/quic/buffer-pool.ts";
import { announcedFrame } from "../../src/transport/quic/request-frame.ts";
import { decodePreamble, encodePreamble, preambleBytes } from "../../src/transport/quic/sidecar-messages.ts";
import { SidecarProcess } from "../../src/transport/quic/sidecar-process.ts";
import { findSidecarProgram, SidecarUnavailableError } from "../../src/transport/quic/sidecar-program.ts";

describe("the end of a stream's request", () => {
  test("is where its frame ends, whatever follows", () => {
    const codes = fc.constantFrom(
      CommandCode.ping,
      CommandCode.getMe,
      CommandCode.sendMessages,
      CommandCode.createStream,
    );
    const kinds = fc.constantFrom("sdk" as const, "page" as const);
    const payloads = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(codes, kinds, payloads, payloads, (code, kind, payload, rest) => {
        const frame = encodeRequestFrame(code, payload, kind);
        expect(announcedFrame(Buffer.concat([frame, rest]), kind)).toEqual({
          kind: "frame",
          frames: kind,
          totalBytes: frame.byteLength,
          isSend: code === CommandCode.sendMessages,
        });
      }),
    );
  });

  test("is not known before its eight bytes are there", () => {
    const frame = encodeRequestFrame(CommandCode.sendMessages, new Uint8Array(100));
    for (let length = 0; length < 8; length++) {
      expect(announcedFrame(frame.subarray(0, length), "sdk")).toEqual({ kind: "more" });
    }
  });

  test("does not exist for a length below 4, nor where the bytes are those of no protocol", () => {
    for (const length of [0, 1, 2, 3]) {
      expect(announcedFrame(new Uint8Array([length, 0, 0, 0, 1, 0, 0, 0]), "sdk")).toEqual({ kind: "invalid" });
    }
    expect(announcedFrame(new Uint8Array(256), "auto")).toEqual({ kind: "broken" });
  });

  test("any bytes are understood or refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const frame = announcedFrame(bytes, "auto");
        expect(["more", "invalid", "broken", "frame"]).toContain(frame.kind);
        if (frame.kind === "frame") expect(frame.totalBytes).toBeGreaterThanOrEqual(8);
      }),
    );
  });
});

test("a preamble brings the client's address across", () => {
  for (const address of ["127.0.0.1:1", "[::1]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535"]) {
    const preamble = encodePreamble(address);
    expect(preamble).toHaveLength(preambleBytes);
    expect(decodePreamble(preamble)).toBe(address);
  }
});

test("a buffer pool gives the same memory again, keeps a few, and takes no other sizes", () => {
  const pool = new BufferPool(16, 1);
  const first = pool.take();
  const second = pool.take();
  pool.give(first);
  pool.give(second);
  pool.give(new Uint8Array(8));
  expect(pool.take()).toBe(first);
  expect(pool.take()).not.toBe(second);
});

describe("a machine without QUIC", () => {
  test("is told which package it lacks", () => {
    expect(() => findSidecarProgram("sunos", "sparc")).toThrow(SidecarUnavailableError);
    expect(() => findSidecarProgram("sunos", "sparc")).toThrow(/@deno\/sunos-sparc.*not installed/);
  });

  test.each([
    ["that is not there", "/no/such/runtime", /cannot be run/],
    ["that ends at once", "/bin/false", /ended with 1 before it listened/],
  ])("a runtime %s is a reason, not a crash", async (_, runtimePath, expected) => {
    const cacheDirectory = mkdtempSync(join(tmpdir(), "whippet-quic-test-"));
    const sidecar = new SidecarProcess({
      program: { runtimePath, scriptPath: "unused.ts" },
      cacheDirectory,
      certificate: { certPem: "", keyPem: "" },
      log: createLogger({ filter: "off" }),
      start: {
        host: "127.0.0.1",
        port: 0,
        socketPath: join(cacheDirectory, "unused.sock"),
        frames: "auto",
        streamsMax: 1,
        keepAliveMs: undefined,
        idleTimeoutMs: undefined,
      },
    });
    const error: unknown = await sidecar.start().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SidecarUnavailableError);
    expect(String(error)).toMatch(expected);
    await sidecar.stop();
    rmSync(cacheDirectory, { recursive: true });
  });
});
