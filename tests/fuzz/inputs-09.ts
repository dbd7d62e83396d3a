// What clients of 0.9 may send, right at first and then damaged: whole requests, and bytes of which nobody can say where one ends.
// Everything follows from a seed.
import type { Random } from "../../src/platform/random.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { frameBytesMax, HeaderLayout, headerBytes, RequestHeaderLayout } from "../../src/protocol/v09/headers.ts";
import { Operation, operationFor } from "../../src/protocol/v09/operations.ts";
import { parseRegister } from "../../src/protocol/v09/register.ts";
import { requestFrame } from "../protocol/v09/support.ts";
import { buildRecord, resealRecord } from "../storage/kernel/records.ts";
import { sendBody09 } from "../support/client-09.ts";
import { mutate } from "./mutate.ts";

const text = new TextEncoder();
const short = (value: string) => Buffer.concat([Uint8Array.of(value.length), text.encode(value)]);
const version = Uint8Array.of(0, 0x2c, 0, 0);
const client = Buffer.concat([version, short("rust-sdk"), short("0.11.0")]);
/** The name is shorter than any that is looked up. */
const passwordLogin = Buffer.concat([client, short("no"), short("secret"), new Uint8Array(4)]);
const tokenLogin = Buffer.concat([client, short("no such token"), new Uint8Array(4)]);

/** Bodies of registers of both forms. */
export const registerBodies: readonly Uint8Array[] = [passwordLogin, tokenLogin, client];

const target = { kind: "numeric", value: 1 } as const;

/** The body of a send of a few messages, whose checksums are right. */
export function sendBody(random: Random): Uint8Array {
  const record = someRecord(random);
  const count = new DataView(record.buffer, record.byteOffset).getUint32(48, true);
  return sendBody09(target, target, 0, count, record);
}

/** A record of a few messages, as a producer makes it. */
export function someRecord(random: Random): Uint8Array {
  const messages = Array.from({ length: 1 + (random.u32() % 4) }, () => {
    const userHeaders = random.u32() % 3 === 0 ? new Uint8Array(random.u32() % 30).fill(1) : new Uint8Array(0);
    const payload = new Uint8Array(random.u32() % 60).fill(random.u32() % 256);
    return { id: BigInt(random.u32()), payload, userHeaders, originTimestamp: BigInt(random.u32()) << 8n };
  });
  return buildRecord(messages);
}

/** The same with damage, behind which half of the checksums are right again. */
export function damagedRecord(random: Random): Uint8Array {
  const record = random.u32() % 8 === 0 ? someRecord(random) : mutate(someRecord(random), random);
  if (record.byteLength >= headerBytes && random.u32() % 2 === 0) resealRecord(record);
  return record;
}

/** As clients begin, before they log in. */
export const ping09 = requestFrame({ operation: Operation.nonReplicated, code: CommandCode.ping, request: 1n });

interface Ask {
  readonly operation: number;
  readonly code: number;
  readonly body: (random: Random) => Uint8Array;
}

const nothing = () => new Uint8Array(0);
const nonReplicated = (code: number, body = nothing): Ask => ({ operation: Operation.nonReplicated, code, body });
const ownOperation = (operation: number, body: Ask["body"]): Ask => ({ operation, code: 0, body });
const name = () => short("orders");

const asks: readonly Ask[] = [
  ownOperation(Operation.register, (random) => registerBodies[random.u32() % registerBodies.length]!),
  nonReplicated(CommandCode.ping),
  nonReplicated(CommandCode.getMe),
  nonReplicated(CommandCode.getClusterMetadata),
  nonReplicated(CommandCode.loginUser, () => passwordLogin),
  nonReplicated(CommandCode.createStream, name),
  nonReplicated(606, () => new Uint8Array(18).fill(1)),
  ownOperation(operationFor("logoutUser"), nothing),
  ownOperation(operationFor("createStream"), name),
  ownOperation(operationFor("sendMessages"), sendBody),
  ownOperation(operationFor("storeConsumerOffset"), () => new Uint8Array(30).fill(1)),
  ownOperation(64, nothing),
  ownOperation(200, nothing),
  ownOperation(0, nothing),
];

/** Whether a server would look up who that is: it does so slowly, and ever more slowly, by design. */
function isLookedUp(operation: number, body: Uint8Array): boolean {
  if (operation !== Operation.register) return false;
  const parsed = parseRegister(body);
  if (parsed.kind !== "register") return false;
  const { password, token } = parsed.request;
  return token !== undefined || (password !== undefined && Buffer.byteLength(password.username) >= 3);
}

/** A request of a client without a login whose frame is right, whatever is in it. */
export function quickRequest09(random: Random): Uint8Array {
  for (;;) {
    const { operation: asked, code, body: right } = asks[random.u32() % asks.length]!;
    const operation = random.u32() % 16 === 0 ? random.u32() % 256 : asked;
    const body = random.u32() % 3 === 0 ? right(random) : mutate(right(random), random);
    if (isLookedUp(operation, body)) continue;
    return damagedFields(requestFrame({ operation, code, request: BigInt(random.u32()), body }), random);
  }
}

/** The fields of a header that say nothing of where the frame ends. */
const fields = [
  { at: HeaderLayout.reserved, sizeBytes: 66 },
  { at: RequestHeaderLayout.client, sizeBytes: 16 },
  { at: RequestHeaderLayout.requestChecksum, sizeBytes: 16 },
  { at: RequestHeaderLayout.timestamp, sizeBytes: 8 },
  { at: RequestHeaderLayout.session, sizeBytes: 8 },
  { at: RequestHeaderLayout.userId, sizeBytes: 4 },
  { at: RequestHeaderLayout.code, sizeBytes: 4 },
] as const;

/** Other values in up to three fields, of which 0 and all ones are the likeliest. */
export function damagedFields(frame: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  for (let left = random.u32() % 4; left > 0; left--) {
    const { at, sizeBytes } = fields[random.u32() % fields.length]!;
    const kind = random.u32() % 3;
    if (kind < 2) frame.fill(kind * 255, at, at + sizeBytes);
    else frame[at + (random.u32() % sizeBytes)] = random.u32() % 256;
  }
  return frame;
}

const sizes = [0, 1, 255, 256, 257, 512, 65_792, frameBytesMax, frameBytesMax + 1, 0x7fff_ffff, 0xffff_ffff];

/** Bytes of which nobody can say where a request ends: half a header, other commands, other sizes. */
export function broken09(random: Random): Uint8Array {
  const frame = new Uint8Array(quickRequest09(random));
  switch (random.u32() % 5) {
    case 0:
      return frame.slice(0, random.u32() % frame.byteLength);
    case 1:
      new DataView(frame.buffer).setUint32(HeaderLayout.size, sizes[random.u32() % sizes.length]!, true);
      return frame;
    case 2:
      frame[HeaderLayout.command] = random.u32() % 32;
      return frame;
    case 3: {
      // As announced, but for the end.
      new DataView(frame.buffer).setUint32(HeaderLayout.size, frame.byteLength + 1 + (random.u32() % 100_000), true);
      return frame;
    }
    default:
      return mutate(frame, random);
  }
}
