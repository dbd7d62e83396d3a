import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CommandCode } from "../../src/protocol/codes.ts";
import { encodeRequestFrame, type FrameKind, frameHeaderBytes } from "../../src/protocol/frame.ts";
import {
  HeaderCommand,
  HeaderLayout,
  headerBytes,
  operationOf,
  RequestHeaderLayout,
} from "../../src/protocol/v09/headers.ts";
import { operationFor } from "../../src/protocol/v09/operations.ts";
import { KeptBacklog } from "../../src/transport/backlog.ts";
import { FrameParser, type FramePlan, type FrameSink } from "../../src/transport/frame-parser.ts";

const sendOperation = operationFor("sendMessages");
const Operation09 = { collect: 2, discard: 130 } as const;

/** What the sink of these tests does with a frame, by its code. */
const Code = { collect: 10, target: 101, discard: 20, stop: 30 } as const;

/** Writes down every call; the payload of a send goes to a memory of its own, at an odd position. */
class RecordingSink implements FrameSink {
  readonly calls: string[] = [];
  ready = true;
  /** Frames that are told to wait this many times before they are taken. */
  waits = 0;
  memory = new Uint8Array(0);
  /** Largest `usedBytes` that was asked for, for the frame being read. */
  targetBytesAsked: number[] = [];
  readonly #position = 3;
  #payloadBytes = 0;

  isReady(): boolean {
    return this.ready;
  }

  plan(code: number, payloadBytes: number): FramePlan {
    if (this.waits > 0) {
      this.waits--;
      return "wait";
    }
    this.calls.push(`plan ${code} ${payloadBytes}`);
    if (payloadBytes < 0) return "discard";
    if (code === Code.target) {
      this.#payloadBytes = payloadBytes;
      this.memory = new Uint8Array(this.#position + payloadBytes);
      this.targetBytesAsked = [];
      return "target";
    }
    if (code === Code.discard) return "discard";
    return code === Code.stop ? "stop" : "collect";
  }

  target(usedBytes: number) {
    this.targetBytesAsked.push(usedBytes);
    return { memory: this.memory, position: this.#position };
  }

  targetComplete(): void {
    const payload = this.memory.subarray(this.#position, this.#position + this.#payloadBytes);
    this.calls.push(`send ${payload.toHex()}`);
  }

  request(code: number, payload: Uint8Array): void {
    this.calls.push(`request ${code} ${payload.toHex()}`);
  }

  discarded(code: number): void {
    this.calls.push(`discarded ${code}`);
  }

  plan09(header: Uint8Array, bodyBytes: number): FramePlan {
    const operation = operationOf(header);
    if (this.waits > 0) {
      this.waits--;
      return "wait";
    }
    this.calls.push(`plan09 ${operation} ${bodyBytes}`);
    if (operation === sendOperation) return "sendHead";
    return operation === Operation09.discard ? "discard" : "collect";
  }

  planSend09(head: Uint8Array | undefined, framesBytes: number): FramePlan {
    this.calls.push(`head ${head?.toHex() ?? "none"} ${framesBytes}`);
    if (head === undefined) return "discard";
    this.#payloadBytes = framesBytes;
    this.memory = new Uint8Array(this.#position + framesBytes);
    this.targetBytesAsked = [];
    return "target";
  }

  request09(body: Uint8Array): void {
    this.calls.push(`request09 ${body.toHex()}`);
  }

  broken(): void {
    this.calls.push("broken");
  }
}

interface Frame {
  readonly code: number;
  readonly payload: Uint8Array;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function encodeAll(frames: readonly Frame[], kind: FrameKind): Uint8Array {
  return joined(frames.map(({ code, payload }) => encodeRequestFrame(code, payload, kind)));
}

/** The calls for `bytes` that arrive in these pieces. */
function callsOf(pieces: readonly Uint8Array[], frames: FrameKind | "auto"): string[] {
  const sink = new RecordingSink();
  const parser = new FrameParser(sink, frames);
  for (const piece of pieces) parser.push(piece.slice());
  return sink.calls;
}

function expectedCalls(frames: readonly Frame[]): string[] {
  return frames.flatMap(({ code, payload }) => {
    const plan = `plan ${code} ${payload.byteLength}`;
    if (code === Code.target) return [plan, `send ${payload.toHex()}`];
    if (code === Code.discard) return [plan, `discarded ${code}`];
    return [plan, `request ${code} ${payload.toHex()}`];
  });
}

function pattern(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 7) & 0xff);
}

const mix: readonly Frame[] = [
  { code: Code.collect, payload: pattern(0) },
  { code: Code.target, payload: pattern(20) },
  { code: Code.target, payload: pattern(0) },
  { code: Code.discard, payload: pattern(9) },
  { code: Code.collect, payload: pattern(31) },
  { code: Code.discard, payload: pattern(0) },
  { code: Code.target, payload: pattern(1) },
];

const frameKinds = ["sdk", "page"] as const;
const frameOf = fc.record({
  code: fc.constantFrom(Code.collect, Code.target, Code.discard),
  payload: fc.uint8Array({ maxLength: 60 }),
});

describe("the same bytes give the same calls", () => {
  test.each(frameKinds)("whole, byte by byte, and cut in two at every position (%s)", (kind) => {
    const bytes = encodeAll(mix, kind);
    const expected = expectedCalls(mix);
    expect(callsOf([bytes], kind)).toEqual(expected);
    expect(
      callsOf(
        [...bytes].map((byte) => Uint8Array.of(byte)),
        kind,
      ),
    ).toEqual(expected);
    for (let cut = 0; cut <= bytes.byteLength; cut++) {
      expect(callsOf([bytes.subarray(0, cut), bytes.subarray(cut)], kind)).toEqual(expected);
    }
  });

  test.each(frameKinds)("cut in three at every pair of positions (%s)", (kind) => {
    const frames = [mix[1]!, mix[3]!, mix[6]!];
    const bytes = encodeAll(frames, kind);
    const expected = expectedCalls(frames).join();
    for (let first = 0; first <= bytes.byteLength; first++) {
      for (let second = first; second <= bytes.byteLength; second++) {
        const pieces = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
        if (callsOf(pieces, kind).join() !== expected) throw new Error(`cut at ${first} and ${second}`);
      }
    }
  });

  test("random frames in random pieces", () => {
    const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(frameOf, { maxLength: 6 }), cuts, fc.constantFrom(...frameKinds), (frames, places, kind) => {
        const bytes = encodeAll(frames, kind);
        const ends = [...places.filter((place) => place < bytes.byteLength), bytes.byteLength].sort((a, b) => a - b);
        const pieces = ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1]!, end));
        expect(callsOf(pieces, kind)).toEqual(expectedCalls(frames));
      }),
    );
  });

  test.each([0, 1, 2, 3])("a length of %d is refused and what follows is read", (length) => {
    const short = new Uint8Array(frameHeaderBytes);
    new DataView(short.buffer).setUint32(0, length, true);
    new DataView(short.buffer).setUint32(4, Code.collect, true);
    const bytes = joined([short, encodeAll(mix, "sdk"), short]);
    const refused = [`plan ${Code.collect} ${length - 4}`, `discarded ${Code.collect}`];
    const expected = [...refused, ...expectedCalls(mix), ...refused];
    for (let cut = 0; cut <= bytes.byteLength; cut++) {
      expect(callsOf([bytes.subarray(0, cut), bytes.subarray(cut)], "sdk")).toEqual(expected);
    }
  });
});

describe("the first frame decides the kind", () => {
  test.each(frameKinds)("%s, at every cut", (kind) => {
    // A login and what follows it.
    const frames = [
      { code: CommandCode.ping, payload: pattern(0) },
      { code: Code.target, payload: pattern(40) },
      { code: Code.collect, payload: pattern(0) },
    ];
    const bytes = encodeAll(frames, kind);
    for (let cut = 0; cut <= bytes.byteLength; cut++) {
      expect(callsOf([bytes.subarray(0, cut), bytes.subarray(cut)], "auto")).toEqual(expectedCalls(frames));
    }
  });

  test("zero bytes that are no header of 0.9 are the last that is read", () => {
    const bytes = joined([new Uint8Array(49), encodeAll(mix, "sdk")]);
    for (let cut = 0; cut <= bytes.byteLength; cut++) {
      expect(callsOf([bytes.subarray(0, cut), bytes.subarray(cut)], "auto")).toEqual(["broken"]);
    }
  });

  test("the kind and the bytes that wait are known between two frames only", () => {
    const sink = new RecordingSink();
    const parser = new FrameParser(sink, "auto");
    expect(parser.betweenFrames).toBeUndefined();
    const bytes = encodeAll([{ code: CommandCode.ping, payload: pattern(0) }, mix[1]!], "page");
    parser.push(bytes.slice(0, frameHeaderBytes));
    expect(parser.betweenFrames).toEqual({ frames: "page", unread: new Uint8Array(0) });
    for (let end = frameHeaderBytes; end < bytes.byteLength; end++) {
      parser.push(bytes.slice(end, end + 1));
      expect(parser.betweenFrames === undefined).toBe(end < bytes.byteLength - 1);
    }
  });
});

describe("a sink that is not ready", () => {
  test("the header is read, everything else waits and goes on at resume, at every cut", () => {
    const bytes = encodeAll(mix, "sdk");
    for (let cut = 0; cut <= bytes.byteLength; cut++) {
      const sink = new RecordingSink();
      sink.ready = false;
      const parser = new FrameParser(sink, "sdk");
      parser.push(bytes.slice(0, cut));
      parser.push(bytes.slice(cut));
      expect(sink.calls).toEqual([]);
      parser.resume();
      expect(sink.calls).toEqual([]);
      sink.ready = true;
      parser.resume();
      expect(sink.calls).toEqual(expectedCalls(mix));
      expect(parser.backlogBytes).toBe(0);
    }
  });

  test("one frame for each time it is ready", () => {
    const sink = new RecordingSink();
    const parser = new FrameParser(sink, "sdk");
    const original = sink.request.bind(sink);
    sink.request = (code, payload) => {
      original(code, payload);
      sink.ready = false;
    };
    const frames = [1, 2, 3].map((size) => ({ code: Code.collect, payload: pattern(size) }));
    parser.push(encodeAll(frames, "sdk"));
    for (let count = 1; count <= 3; count++) {
      expect(sink.calls).toEqual(expectedCalls(frames.slice(0, count)));
      sink.ready = true;
      parser.resume();
    }
    expect(sink.calls).toEqual(expectedCalls(frames));
  });

  test("a frame that is told to wait is asked again at resume, and nothing is lost", () => {
    fc.assert(
      fc.property(
        fc.array(frameOf, { minLength: 1, maxLength: 5 }),
        fc.nat({ max: 200 }),
        fc.nat({ max: 6 }),
        (frames, place, waits) => {
          const sink = new RecordingSink();
          sink.waits = waits;
          const parser = new FrameParser(sink, "sdk");
          const bytes = encodeAll(frames, "sdk");
          const cut = Math.min(place, bytes.byteLength);
          parser.push(bytes.slice(0, cut));
          parser.push(bytes.slice(cut));
          for (let attempt = 0; attempt <= waits; attempt++) parser.resume();
          expect(sink.calls).toEqual(expectedCalls(frames));
        },
      ),
    );
  });

  test("a request that comes back with more bytes while the parser runs keeps the order", () => {
    const sink = new RecordingSink();
    const parser = new FrameParser(sink, "sdk");
    const late = encodeAll([mix[4]!], "sdk");
    const original = sink.targetComplete.bind(sink);
    let isFirst = true;
    sink.targetComplete = () => {
      original();
      if (isFirst) parser.push(late);
      isFirst = false;
      parser.resume();
    };
    parser.push(encodeAll([mix[1]!, mix[3]!], "sdk"));
    parser.resume();
    expect(sink.calls).toEqual(expectedCalls([mix[1]!, mix[3]!, mix[4]!]));
  });

  test("unread bytes of another shard come first", () => {
    const bytes = encodeAll(mix, "page");
    const sink = new RecordingSink();
    const parser = new FrameParser(sink, "page", new KeptBacklog(bytes.slice(0, 25)));
    parser.push(bytes.slice(25));
    expect(sink.calls).toEqual([]);
    parser.resume();
    expect(sink.calls).toEqual(expectedCalls(mix));
  });
});

describe("payloads", () => {
  test("a send may be completed from elsewhere", () => {
    const sink = new RecordingSink();
    const parser = new FrameParser(sink, "sdk");
    const bytes = encodeAll([mix[1]!], "sdk");
    parser.push(bytes.slice(0, frameHeaderBytes + 5));
    expect(parser.targetBytesMissing).toBe(15);
    expect(parser.targetBytesReceived).toBe(5);
    expect(parser.isInsideFrame).toBe(true);
    sink.memory.set(bytes.subarray(frameHeaderBytes + 5), 3 + 5);
    parser.advance(10);
    expect(parser.targetBytesMissing).toBe(5);
    parser.advance(5);
    expect(sink.calls).toEqual(expectedCalls([mix[1]!]));
    expect(parser.isInsideFrame).toBe(false);
    parser.push(encodeAll([mix[4]!], "sdk"));
    expect(sink.calls).toEqual(expectedCalls([mix[1]!, mix[4]!]));
  });

  test("room is asked for as bytes arrive, never for what was only announced", () => {
    const sink = new RecordingSink();
    const parser = new FrameParser(sink, "sdk");
    const bytes = encodeAll([{ code: Code.target, payload: pattern(1000) }], "sdk");
    parser.push(bytes.slice(0, frameHeaderBytes + 10));
    parser.push(bytes.slice(frameHeaderBytes + 10, frameHeaderBytes + 300));
    expect(sink.targetBytesAsked).toEqual([10, 300]);
  });

  test("a large control payload in small pieces arrives whole", () => {
    const frames = [{ code: Code.collect, payload: pattern(300_000) }, mix[0]!];
    const bytes = encodeAll(frames, "sdk");
    const pieces: Uint8Array[] = [];
    for (let start = 0; start < bytes.byteLength; start += 7777) pieces.push(bytes.subarray(start, start + 7777));
    expect(callsOf(pieces, "sdk")).toEqual(expectedCalls(frames));
  });

  test("nothing is read after stop", () => {
    const frames = [mix[0]!, { code: Code.stop, payload: pattern(4) }, mix[4]!];
    const expected = [...expectedCalls([mix[0]!]), `plan ${Code.stop} 4`];
    expect(callsOf([encodeAll(frames, "sdk"), encodeAll(mix, "sdk")], "sdk")).toEqual(expected);
    const sink = new RecordingSink();
    const parser = new FrameParser(sink, "sdk");
    parser.push(encodeAll([mix[1]!], "sdk").slice(0, 12));
    parser.stop();
    parser.push(pattern(500));
    parser.resume();
    expect(sink.calls).toEqual(["plan 101 20"]);
    expect(parser.backlogBytes).toBe(0);
  });
});

describe("requests of 0.9", () => {
  /** A frame; the header has nothing but what a parser looks at. */
  function frame09(operation: number, body: Uint8Array): Uint8Array {
    const frame = new Uint8Array(headerBytes + body.byteLength);
    new DataView(frame.buffer).setUint32(HeaderLayout.size, frame.byteLength, true);
    frame[HeaderLayout.command] = HeaderCommand.request;
    frame[RequestHeaderLayout.operation] = operation;
    frame.set(body, headerBytes);
    return frame;
  }

  /** Length of the metadata, the metadata, a batch header, frames. */
  function sendBody(metadata: Uint8Array, frames: Uint8Array): Uint8Array {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, metadata.byteLength, true);
    return joined([length, metadata, new Uint8Array(256).fill(7), frames]);
  }

  const body = fc.uint8Array({ maxLength: 600 });
  const frame = fc.oneof(
    body.map((bytes) => ({
      bytes: frame09(Operation09.collect, bytes),
      calls: [`plan09 2 ${bytes.length}`, `request09 ${bytes.toHex()}`],
    })),
    body.map((bytes) => ({
      bytes: frame09(Operation09.discard, bytes),
      calls: [`plan09 130 ${bytes.length}`, "discarded 0"],
    })),
    fc.tuple(fc.uint8Array({ maxLength: 300 }), body).map(([metadata, frames]) => {
      const whole = sendBody(metadata, frames);
      const head = whole.subarray(0, whole.length - frames.length);
      return {
        bytes: frame09(sendOperation, whole),
        calls: [
          `plan09 ${sendOperation} ${whole.length}`,
          `head ${head.toHex()} ${frames.length}`,
          `send ${frames.toHex()}`,
        ],
      };
    }),
    // A body that holds no head: too short for the length, for what it announces, or with a length that no head has.
    fc
      .oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc
          .uint8Array({ minLength: 4, maxLength: 200 })
          .map((bytes) => joined([new Uint8Array([255, 255, 255, 255]), bytes])),
      )
      .map((whole) => ({
        bytes: frame09(sendOperation, whole),
        calls: [
          `plan09 ${sendOperation} ${whole.length}`,
          `head none ${whole.length < 4 ? whole.length : whole.length - 4}`,
          "discarded 0",
        ],
      })),
  );

  test("are taken whatever pieces they come in, and however often they have to wait", () => {
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 300 })),
        fc.nat(3),
        (frames, sizes, waits) => {
          const sink = new RecordingSink();
          const parser = new FrameParser(sink, "auto");
          sink.waits = waits;
          const bytes = joined(frames.map((one) => one.bytes));
          for (let start = 0, piece = 0; start < bytes.length; piece++) {
            const end = start + (sizes[piece % Math.max(1, sizes.length)] ?? bytes.length);
            parser.push(bytes.slice(start, end));
            start = end;
          }
          for (let left = waits; left > 0; left--) parser.resume();
          expect(sink.calls).toEqual(frames.flatMap((one) => one.calls));
          expect(parser.betweenFrames?.frames).toBe("0.9");
          expect(parser.isInsideFrame).toBe(false);
        },
      ),
    );
  });

  test("end the connection where nothing behind them can be read", () => {
    const wrongCommand = frame09(Operation09.collect, new Uint8Array(4));
    wrongCommand[HeaderLayout.command] = HeaderCommand.reply;
    const tooSmall = frame09(Operation09.collect, new Uint8Array(4));
    tooSmall[HeaderLayout.size] = 255;
    tooSmall[HeaderLayout.size + 1] = 0;
    // One byte more than the largest.
    const tooLarge = frame09(Operation09.collect, new Uint8Array(4));
    new DataView(tooLarge.buffer, tooLarge.byteOffset).setUint32(HeaderLayout.size, 64 * 1024 * 1024 + 1, true);
    for (const bad of [wrongCommand, tooSmall, tooLarge]) {
      const sink = new RecordingSink();
      const parser = new FrameParser(sink, "auto");
      parser.push(joined([frame09(Operation09.collect, new Uint8Array(1)), bad]));
      parser.push(frame09(Operation09.collect, new Uint8Array(1)));
      expect(sink.calls).toEqual(["plan09 2 1", "request09 00", "broken"]);
    }
  });
});
