import { expect, test } from "bun:test";
import fc from "fast-check";
import { pollBytesMax09 } from "../../../src/server/v09/poll-size.ts";

const mebibyte = 1024 * 1024;

test("a reply of records stays below the frame that clients read, whatever the messages are", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("tcp", "quic"),
      fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      fc.integer({ min: 64, max: 5000 }),
      (transport, count, messageBytes) => {
        const bytesMax = pollBytesMax09(transport as "tcp" | "quic", count);
        const messages = Math.min(count, Math.floor(bytesMax / messageBytes));
        // Each message a record of its own: 304 bytes in place of 64.
        const replyBytes = 256 + 16 + messages * (messageBytes + 240);
        expect(replyBytes).toBeLessThanOrEqual(transport === "quic" ? 10_000_000 : 64 * mebibyte);
        expect(bytesMax).toBeGreaterThan(2_000_000);
      },
    ),
  );
});
