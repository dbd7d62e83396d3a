// A shard as the supervisor sees it, of which number 1 stops turning its event loop for a while.
import { type FromShard, LoopPulse, type ToShard } from "../../../src/shard/index.ts";

declare const self: Worker;

/** How often a stalled shard looks whether somebody has noticed. */
const lookMs = 50;
const post = (message: FromShard) => self.postMessage(message);
let pulse: LoopPulse | undefined;
let shardId = 0;

/** Until it is counted, however long the main thread takes for that. */
function stall(of: LoopPulse): void {
  of.beganCommand(101);
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  while (of.stallsCount === 0) Atomics.wait(nobody, 0, 0, lookMs);
}

self.onmessage = (event: MessageEvent<ToShard>) => {
  const message = event.data;
  switch (message.kind) {
    case "start":
      shardId = message.start.shardId;
      pulse = new LoopPulse(message.start.loops, shardId);
      if (shardId === 0) post({ kind: "metadata", packedState: new SharedArrayBuffer(8), hasSetRootPassword: false });
      post({ kind: "opened" });
      return;
    case "listen":
      post({ kind: "listening", ports: message.ports });
      return;
    case "bound":
      pulse?.start();
      if (shardId === 1 && pulse !== undefined) setTimeout(stall, 100, pulse);
      return;
    case "quiesce":
      post({ kind: "quiesced" });
      return;
    case "close":
      post({ kind: "closed" });
  }
};
post({ kind: "loaded" });
