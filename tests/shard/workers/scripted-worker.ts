// A shard as the supervisor sees it: answers the life-cycle messages, and ends in the way that its name says.
import type { FromShard, ToShard } from "../../../src/shard/index.ts";

declare const self: Worker;

const post = (message: FromShard) => self.postMessage(message);
const ending = process.env.SCRIPTED_ENDING ?? "none";

self.onmessage = (event: MessageEvent<ToShard>) => {
  const message = event.data;
  switch (message.kind) {
    case "start":
      post({ kind: "opened", state: undefined, hasSetRootPassword: message.start.shardId === 0 });
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
