// What a client and the broker say to each other, as far as faults of the network need to know it: which bytes of replies
// matter, and whether an answer is to come. Frames of 0.8 are followed, over TCP and WebSocket; of all else every byte matters.

import { CommandCode, commandNameOf } from "../protocol/codes.ts";
import { ExtensionCode, extensionNameOf } from "../protocol/extensions/codes.ts";
import { frameHeaderBytes, sdkLengthOverheadBytes } from "../protocol/frame.ts";
import type { BrokerTransport } from "./broker.ts";
import { FrameStream } from "./frame-stream.ts";
import { WebSocketStream } from "./websocket-stream.ts";

/** Logins and look-ups, which a client makes by itself, and again where it gets no answer. */
const ownCodes: ReadonlySet<number> = new Set([
  CommandCode.loginUser,
  CommandCode.loginWithPersonalAccessToken,
  ExtensionCode.getFeatures,
]);

function isOwn(code: number): boolean {
  if (ownCodes.has(code)) return true;
  const name = commandNameOf(code);
  return name === "ping" || name?.startsWith("get") === true;
}

export interface Conversation {
  /** An answer is to come, but for those that wait for messages. */
  readonly isWaiting: boolean;
  /** The client has sent this. */
  asked(bytes: Uint8Array): void;
  /**
   * The broker has answered this. `count` is asked for each piece that matters how many of its bytes may pass; what is returned is how
   * many of all do.
   */
  answered(bytes: Uint8Array, count: (sizeBytes: number) => number): number;
}

export function conversationOver(transport: BrokerTransport): Conversation {
  return transport === "websocket" ? new WebSocketConversation() : new PlainConversation();
}

class PlainConversation implements Conversation {
  /** Codes of the requests that have no whole reply yet; undefined: no frames of 0.8, or not known yet. */
  #asked: number[] | undefined;
  #opening: Uint8Array | undefined = new Uint8Array(0);
  readonly #requests = new FrameStream(({ first, second }) => {
    this.#asked?.push(second);
    return Math.max(0, first - sdkLengthOverheadBytes);
  });
  readonly #replies = new FrameStream(({ second }) => second);

  get isWaiting(): boolean {
    return this.#asked?.some((code) => code !== ExtensionCode.pollWaiting) === true;
  }

  asked(bytes: Uint8Array): void {
    let taken = bytes;
    if (this.#opening !== undefined) {
      taken = joined(this.#opening, bytes);
      if (taken.length < frameHeaderBytes) {
        this.#opening = taken;
        return;
      }
      this.#opening = undefined;
      const second = new DataView(taken.buffer, taken.byteOffset).getUint32(4, true);
      if (commandNameOf(second) !== undefined || extensionNameOf(second) !== undefined) this.#asked = [];
    }
    if (this.#asked === undefined) return;
    for (let at = 0; at < taken.length; ) at = this.#requests.take(taken, at);
  }

  answered(bytes: Uint8Array, count: (sizeBytes: number) => number): number {
    if (this.#asked === undefined) return count(bytes.length);
    for (let at = 0; at < bytes.length; ) {
      const end = this.#replies.take(bytes, at);
      const [code] = this.#asked;
      // Without a question it is the farewell of a broker that stops.
      if (code === undefined || !isOwn(code)) {
        const passed = count(end - at);
        if (passed < end - at) return at + passed;
      }
      if (!this.#replies.isInside) this.#asked.shift();
      at = end;
    }
    return bytes.length;
  }
}

/** The handshake, and what is around the payload, passes uncounted. */
class WebSocketConversation implements Conversation {
  readonly #inner = new PlainConversation();
  readonly #requests = new WebSocketStream();
  readonly #replies = new WebSocketStream();

  get isWaiting(): boolean {
    return this.#inner.isWaiting;
  }

  asked(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const { end, payload } = this.#requests.next(bytes, at);
      if (payload !== undefined) this.#inner.asked(payload);
      at = end;
    }
  }

  answered(bytes: Uint8Array, count: (sizeBytes: number) => number): number {
    for (let at = 0; at < bytes.length; ) {
      const { end, payload } = this.#replies.next(bytes, at);
      const passed = payload === undefined ? end - at : this.#inner.answered(payload, count);
      if (passed < end - at) return at + passed;
      at = end;
    }
    return bytes.length;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
