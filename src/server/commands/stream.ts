// Streams (spec BP 4.7, SB 5). What is missing is answered before what is not allowed (spec SB 7.3).
import { entriesById, findStream, requireStream } from "../../metadata/index.ts";
import { command } from "../command.ts";
import { requireRight } from "../rights.ts";
import { requireNoOptions } from "../topic-options.ts";
import { streamDetails, streamHeader } from "../views.ts";

export const streamCommands = [
  command("getStream", ({ shard, topicDefaults }, session, { stream: identifier }) => {
    const stream = findStream(shard.state, identifier);
    if (stream === undefined) return undefined;
    requireRight(shard, session, "getStream", stream.id);
    return streamDetails(shard.counters, stream, topicDefaults);
  }),

  command("getStreams", ({ shard }, session) => {
    requireRight(shard, session, "getStreams");
    return entriesById(shard.state.streams).map((stream) => streamHeader(shard.counters, stream));
  }),

  command("createStream", async ({ shard }, session, request) => {
    requireNoOptions(request.options);
    requireRight(shard, session, "createStream");
    const created = await shard.control({ kind: "createStream", request: { name: request.name } });
    const { streamId, createdAtMicros, name } = created;
    return {
      id: streamId,
      createdAtMicros: BigInt(createdAtMicros),
      topicsCount: 0,
      sizeBytes: 0n,
      messagesCount: 0n,
      name,
    };
  }),

  command("updateStream", async ({ shard }, session, request) => {
    const { stream, name } = request;
    requireNoOptions(request.options);
    requireRight(shard, session, "updateStream", requireStream(shard.state, stream).id);
    await shard.control({ kind: "updateStream", request: { stream, name } });
    return undefined;
  }),

  command("deleteStream", async ({ shard }, session, request) => {
    requireRight(shard, session, "deleteStream", requireStream(shard.state, request.stream).id);
    await shard.control({ kind: "deleteStream", request });
    return undefined;
  }),

  command("purgeStream", async ({ shard }, session, request) => {
    requireRight(shard, session, "purgeStream", requireStream(shard.state, request.stream).id);
    await shard.control({ kind: "purgeStream", request });
    return undefined;
  }),
];
