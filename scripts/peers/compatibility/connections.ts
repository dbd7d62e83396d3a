// What a client finds out when it connects, and how it comes back.

import { AuthenticationError, ConnectionError, connect } from "../../../src/client/index.bun.ts";
import { errorNameOf, eventually, same, type Work } from "./work.ts";

export const connectionWorks: readonly Work[] = [
  {
    name: "the probe finds what the server can do beyond 0.8",
    async run({ client, isOriginal, place }) {
      same("transport", client.server.transport, place.transport);
      same("username", client.server.username, "iggy");
      const names = [...client.server.features];
      if (isOriginal) same("features", names, []);
      else if (place.transport !== "http" && names.length === 0) throw new Error("Whippet has features");
      if (isOriginal) same("features when asked for", await errorNameOf(client.features()), "InvalidCommand");
    },
  },
  {
    name: "a wrong password is refused, a port on which nobody listens is said",
    async run({ url }) {
      const wrong = await connect(url.replace("iggy:iggy@", "iggy:wrong@")).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (!(wrong instanceof AuthenticationError)) throw wrong;
      const nobody = await connect(url.replace(/:\d+$/, ":9")).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (!(nobody instanceof ConnectionError)) throw nobody;
      same("says what is likely", nobody.hint.length > 10, true);
    },
  },
  {
    name: "tokens log in",
    async run({ client, url, stream }) {
      const token = await client.createPersonalAccessToken(stream, 3_600_000_000n);
      await using other = await connect(url.replace("iggy:iggy@", `${encodeURIComponent(token)}@`));
      same("streams", (await other.getStreams()).length >= 0, true);
      await client.deletePersonalAccessToken(stream);
    },
  },
  {
    name: "a connection that was cut comes back, logged in",
    wants: ["cuts"],
    async run({ client, wire }) {
      const kinds: string[] = [];
      const events = (async () => {
        for await (const { kind } of client.events()) kinds.push(kind);
      })();
      for (let count = 0; count < 3; count++) {
        wire?.cut();
        await eventually("it knows", () => kinds.filter((kind) => kind === "disconnected").length > count);
        same("stream", await client.getStream("no-such-stream"), undefined);
      }
      await client.close();
      await events;
    },
  },
];
