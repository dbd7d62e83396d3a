import { expect, test } from "bun:test";
import fc from "fast-check";
import { BatchBuffer, batchedBytesOf } from "../../../src/client/producer/batch-buffer.ts";
import { sendHead } from "../../../src/client/producer/request-head.ts";
import { nameId, numericId } from "../../../src/protocol/identifier.ts";
import { encodeSendMessages } from "../../../src/protocol/message/send-messages.ts";

const message = fc.record({
  payload: fc.uint8Array({ maxLength: 3000 }),
  userHeaders: fc.uint8Array({ maxLength: 40 }),
  originMs: fc.integer({ min: 0, max: 8_640_000_000_000 }),
  id: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
});

test("property: a batch is byte for byte what the codec writes, also in memory that was used before", () => {
  const buffer = new BatchBuffer(64);
  fc.assert(
    fc.property(fc.array(message, { maxLength: 40 }), fc.nat(9), (messages, partitionId) => {
      buffer.clear();
      let bytes = 0;
      for (const { payload, userHeaders, originMs, id } of messages) {
        buffer.append(payload, userHeaders, originMs, id);
        bytes += batchedBytesOf(payload, userHeaders);
      }
      expect(buffer.sizeBytes).toBe(bytes);
      const place = { stream: nameId("shop"), topic: numericId(4) };
      const partitioning = { kind: "partition", partitionId } as const;
      const head = sendHead(place.stream, place.topic, partitioning, buffer.messagesCount);
      const expected = encodeSendMessages({
        ...place,
        partitioning,
        messages: messages.map(({ originMs, ...rest }) => ({
          ...rest,
          originTimestampMicros: BigInt(originMs) * 1000n,
        })),
      });
      expect(Buffer.concat([head, ...buffer.parts()]).equals(expected)).toBe(true);
    }),
  );
});
