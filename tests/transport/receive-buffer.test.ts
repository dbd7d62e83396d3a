import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ReceiveBuffer, ReceiveBufferFullError } from "../../src/transport/websocket/receive-buffer.ts";

const baseBytes = 128 * 1024;

describe("the receive buffer of a WebSocket connection", () => {
  test("takes no memory before anything waits, then the base size", () => {
    const buffer = new ReceiveBuffer();
    expect(buffer.capacityBytes).toBe(0);
    buffer.append(new Uint8Array(1));
    expect(buffer.capacityBytes).toBe(baseBytes);
  });

  test("grows by steps of the base size up to 64 MiB", () => {
    const buffer = new ReceiveBuffer();
    buffer.append(new Uint8Array(baseBytes));
    expect(buffer.capacityBytes).toBe(baseBytes);
    buffer.append(new Uint8Array(1));
    expect(buffer.capacityBytes).toBe(2 * baseBytes);
    buffer.append(new Uint8Array(5 * baseBytes));
    expect(buffer.capacityBytes).toBe(7 * baseBytes);
    buffer.append(new Uint8Array(64 * 1024 * 1024 - buffer.sizeBytes));
    expect(buffer.capacityBytes).toBe(64 * 1024 * 1024);
    expect(() => buffer.append(new Uint8Array(1))).toThrow(ReceiveBufferFullError);
    expect(buffer.sizeBytes).toBe(64 * 1024 * 1024);
  });

  test("goes back to the base size when it is over four times as large and all is used", () => {
    const buffer = new ReceiveBuffer();
    buffer.append(new Uint8Array(4 * baseBytes));
    buffer.consume(4 * baseBytes);
    expect(buffer.capacityBytes).toBe(4 * baseBytes);
    buffer.append(new Uint8Array(4 * baseBytes + 1));
    buffer.consume(4 * baseBytes);
    expect(buffer.capacityBytes).toBe(5 * baseBytes);
    buffer.consume(1);
    expect(buffer.capacityBytes).toBe(baseBytes);
  });

  test("keeps a copy: the caller may use its bytes again", () => {
    const buffer = new ReceiveBuffer();
    const bytes = Uint8Array.of(1, 2, 3);
    buffer.append(bytes);
    bytes.fill(9);
    expect(buffer.peek()).toEqual(Uint8Array.of(1, 2, 3));
  });

  test("whatever is appended and consumed, it holds what a list of bytes would, within its limits", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("append" as const), size: fc.nat({ max: 400 }) }),
      fc.record({ kind: fc.constant("consume" as const), size: fc.nat({ max: 400 }) }),
      fc.record({ kind: fc.constant("clear" as const), size: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const buffer = new ReceiveBuffer(64, 1000);
        let model: number[] = [];
        let next = 0;
        for (const { kind, size } of steps) {
          if (kind === "clear") {
            buffer.clear();
            model = [];
          } else if (kind === "consume") {
            const count = Math.min(size, model.length);
            buffer.consume(count);
            model = model.slice(count);
          } else {
            const bytes = Uint8Array.from({ length: size }, () => next++ % 251);
            if (model.length + size > 1000) {
              expect(() => buffer.append(bytes)).toThrow(ReceiveBufferFullError);
            } else {
              buffer.append(bytes);
              model.push(...bytes);
            }
          }
          expect([...buffer.peek()]).toEqual(model);
          expect(buffer.sizeBytes).toBe(model.length);
          expect(buffer.capacityBytes).toBeLessThanOrEqual(1000);
          if (model.length === 0) expect(buffer.capacityBytes).toBeLessThanOrEqual(4 * 64);
        }
      }),
    );
  });
});
