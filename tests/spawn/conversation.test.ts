// Which bytes of replies matter to faults of the network, however they are cut into pieces.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { CommandCode } from "../../src/protocol/codes.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import { encodeErrorFrame, encodeReplyFrame, encodeRequestFrame } from "../../src/protocol/frame.ts";
import { conversationOver } from "../../src/spawn/conversation.ts";

const counted = [
  CommandCode.sendMessages,
  CommandCode.pollMessages,
  CommandCode.createTopic,
  CommandCode.storeConsumerOffset,
  ExtensionCode.sendWithReceipt,
  ExtensionCode.pollWaiting,
];
const free = [CommandCode.loginUser, CommandCode.ping, CommandCode.getTopic, ExtensionCode.getFeatures];

const exchange = fc.record({
  code: fc.constantFrom(...counted, ...free),
  requestBytes: fc.nat(40),
  replyBytes: fc.nat(40),
});

function pieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    parts.push(bytes.subarray(at, at + size));
    at += size;
  }
  return parts;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** As frames of a WebSocket, with a ping between them; `offsets`: where each byte of the payload has come to. */
function overWebSocket(payload: Uint8Array, sizes: readonly number[], isMasked: boolean) {
  const bytes = [...new TextEncoder().encode("GET / HTTP/1.1\r\nhost: a\r\n\r\n")];
  const offsets: number[] = [];
  pieces(payload, sizes).forEach((piece, index) => {
    const mask = isMasked ? [1, 2, 3, index % 256] : [];
    const length = piece.length < 126 ? [piece.length] : [126, piece.length >> 8, piece.length & 255];
    bytes.push(0x89, isMasked ? 0x80 : 0, ...mask);
    bytes.push(index === 0 ? 0x02 : 0x80, (length[0] ?? 0) | (isMasked ? 0x80 : 0), ...length.slice(1), ...mask);
    piece.forEach((byte, at) => {
      offsets.push(bytes.length);
      bytes.push(byte ^ (mask[at % 4] ?? 0));
    });
  });
  return { bytes: new Uint8Array(bytes), offsets };
}

test.each([
  ["tcp"],
  ["websocket"],
] as const)("over %s replies to what a client makes by itself are not counted, all others are, in whatever pieces", (transport) => {
  fc.assert(
    fc.property(
      fc.array(exchange, { minLength: 1, maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }),
      fc.nat(300),
      (exchanges, sizes, frameSizes, budgetBytes) => {
        const carried = (payload: Uint8Array, isMasked: boolean) =>
          transport === "tcp"
            ? { bytes: payload, offsets: [...payload.keys()] }
            : overWebSocket(payload, frameSizes, isMasked);
        const conversation = conversationOver(transport);
        const requests = exchanges.map(({ code, requestBytes }) =>
          encodeRequestFrame(code, new Uint8Array(requestBytes)),
        );
        for (const piece of pieces(carried(joined(requests), true).bytes, sizes)) conversation.asked(piece);
        expect(conversation.isWaiting).toBe(exchanges.some(({ code }) => code !== ExtensionCode.pollWaiting));

        // What should pass: everything up to the counted byte that the budget has no room for.
        let passedPayload = 0;
        let left = budgetBytes;
        for (const { code, replyBytes } of exchanges) {
          const bytes = 8 + replyBytes;
          const passed = free.includes(code as never) ? bytes : Math.min(bytes, left);
          if (!free.includes(code as never)) left -= passed;
          passedPayload += passed;
          if (passed < bytes) break;
        }
        const replies = exchanges.map(({ replyBytes }) => encodeReplyFrame(new Uint8Array(replyBytes)));
        const { bytes: answers, offsets } = carried(joined(replies), false);

        let budget = budgetBytes;
        let actual = 0;
        for (const piece of pieces(answers, sizes)) {
          const passed = conversation.answered(piece, (sizeBytes) => {
            const taken = Math.min(sizeBytes, budget);
            budget -= taken;
            return taken;
          });
          actual += passed;
          if (passed < piece.length) break;
        }
        expect(actual).toBe(offsets[passedPayload] ?? answers.length);
      },
    ),
  );
});

test("without frames of 0.8 every byte counts", () => {
  for (const opening of [new Uint8Array(256), new TextEncoder().encode("GET /streams HTTP/1.1")]) {
    const conversation = conversationOver("tcp");
    conversation.asked(opening); // a client of 0.9 begins with zeros
    expect(conversation.answered(new Uint8Array(10), (sizeBytes) => Math.min(sizeBytes, 3))).toBe(3);
    expect(conversation.isWaiting).toBe(false);
  }
});

test("the farewell of a broker that stops is nobody's answer", () => {
  const conversation = conversationOver("tcp");
  conversation.asked(encodeRequestFrame(CommandCode.ping, new Uint8Array(0)));
  expect(conversation.answered(encodeReplyFrame(new Uint8Array(0)), () => 0)).toBe(8);
  expect(conversation.answered(encodeErrorFrame(8), () => 0)).toBe(0);
});
