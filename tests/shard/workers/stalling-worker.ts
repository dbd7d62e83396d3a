// A shard as the supervisor sees it, of which number 1 stops turning its event loop for a while.
import { type FromShard, LoopPulse, type ToShard } from "../../../src/shard/index.ts";

declare const self: Worker;

const stallMs = 6500;
const post = (message: FromShard) => self.postMessage(message);
let pulse: LoopPulse | undefined;
let shardId = 0;

function stall(): void {
  pulse?.beganCommand(101);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stallMs);
}

self.onmessage = (event: MessageEvent<ToShard>) => {
  const message = event.data;
  switch (message.kind) {
    case "start":
      shardId = message.start.shardId;
      pulse = new LoopPulse(message.start.loops, shardId);
      post({ kind: "opened", state: undefined, hasCreatedRoot: false });
      return;
    case "listen":
      post({ kind: "listening", ports: message.ports });
      return;
    case "bound":
      pulse?.start();
      if (shardId === 1) setTimeout(stall, 100);
      return;
    case "quiesce":
      post({ kind: "quiesced" });
      return;
    case "close":
      post({ kind: "closed" });
  }
};
