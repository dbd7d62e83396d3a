// A shard as the supervisor sees it: answers the life-cycle messages, and ends in the way that its name says.
import type { FromShard, ShardStart, ToShard } from "../../../src/shard/index.ts";

declare const self: Worker;

const post = (message: FromShard) => self.postMessage(message);
const ending = process.env.SCRIPTED_ENDING ?? "none";

/** Shard 0 is ready when every other shard has been told to start. */
async function open({ shardId, shardCount, loops, packedState }: ShardStart): Promise<void> {
  const started = new Int32Array(loops);
  if (shardId === 0) {
    post({ kind: "metadata", packedState: new SharedArrayBuffer(8), hasSetRootPassword: true });
    while (Atomics.load(started, 0) < shardCount - 1) await Bun.sleep(1);
  } else {
    if (packedState?.byteLength !== 8) throw new Error("the metadata of shard 0 is missing");
    Atomics.add(started, 0, 1);
  }
  post({ kind: "opened" });
}

self.onmessage = (event: MessageEvent<ToShard>) => {
  const message = event.data;
  switch (message.kind) {
    case "start":
      void open(message.start);
      return;
    case "listen":
      post({ kind: "listening", ports: { ...message.ports, tcp: message.ports.tcp === 0 ? 4711 : message.ports.tcp } });
      return;
    case "bound":
      if (ending === "throws") throw new Error("this shard is broken");
      if (ending === "exits") process.exit(3);
      if (ending === "says") post({ kind: "failed", reason: "no disk" });
      return;
    case "quiesce":
      post({ kind: "quiesced" });
      return;
    case "close":
      post({ kind: "closed" });
  }
};
post({ kind: "loaded" });
