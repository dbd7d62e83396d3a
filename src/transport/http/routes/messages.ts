// Polls, sends and flushes (spec HA 2.6).
import { CommandCode } from "../../../protocol/codes.ts";
import { IggyError } from "../../../protocol/errors.ts";
import { numericId } from "../../../protocol/identifier.ts";
import {
  execute,
  measured,
  requireLogin,
  type Session,
  sendMessages,
  sendMessagesAt,
  tellRefused,
} from "../../../server/index.ts";
import type { FrameBuffer, Shard } from "../../../shard/index.ts";
import { parseBody, readBodyText } from "../body.ts";
import { emptyResponse, HttpTextError, jsonResponse, requireFound } from "../errors.ts";
import { toIdentifier } from "../identifiers.ts";
import { pollResponse } from "../messages/poll-json.ts";
import {
  batchBytes,
  encodeHead,
  parseSendBody,
  partitioningOf,
  type SendBody,
  writeBatch,
} from "../messages/send-body.ts";
import type { HttpRouter } from "../router.ts";
import { bodyFailures, documented, jsonRequest } from "../schemas/documented.ts";
import {
  confirmationsJson,
  confirmationsSchema,
  flushParams,
  polledSchema,
  pollKinds,
  pollQuery,
  sendSchema,
} from "../schemas/messages.ts";
import { topicParams } from "../schemas/streams.ts";
import type { HttpServices } from "../services.ts";

const tag = "Messages";
const defaultConsumer = numericId(1);

interface TopicParams {
  readonly stream_id: string;
  readonly topic_id: string;
}

export function addMessageRoutes(router: HttpRouter, services: HttpServices): void {
  const { context, config } = services;

  router.get(
    "/streams/:stream_id/topics/:topic_id/messages",
    async ({ caller, params, query }) => {
      const { consumer_id, partition_id, kind, value, count, auto_commit } = query;
      const reply = await execute(context, caller.session, "pollMessages", {
        consumer: { kind: "consumer", id: consumer_id === undefined ? defaultConsumer : toIdentifier(consumer_id) },
        stream: toIdentifier(params.stream_id),
        topic: toIdentifier(params.topic_id),
        partitionId: partition_id === undefined ? 0 : Number(partition_id),
        strategy: { kind: pollKinds[kind ?? "offset"], value: BigInt(value ?? 0) },
        count: count === undefined ? 10 : Number(count),
        autoCommit: auto_commit === "true",
      });
      const found = requireFound(reply);
      context.shard.statistics.delivered(found.read.messagesCount);
      return pollResponse(found, (sizeBytes) => context.shard.statistics.sent("http", sizeBytes));
    },
    {
      params: topicParams,
      query: pollQuery,
      detail: documented(tag, "Read messages", { status: 200, schema: polledSchema }, [400, 403, 404]),
    },
  );

  router.post(
    "/streams/:stream_id/topics/:topic_id/messages",
    async ({ caller, params, request }) => {
      const text = await readBodyText(request, config.maxRequestSizeBytes);
      const body = parseBody(text, parseSendBody);
      if (!caller.isOf09) {
        await send(services, caller.session, params, body, sendMessages);
        return emptyResponse(201);
      }
      const sent = await send(services, caller.session, params, body, sendMessagesAt);
      return jsonResponse(confirmationsJson(sent), 201, {
        "iggy-durability": sent.isPersisted ? "persisted" : "replicated",
      });
    },
    {
      // The body is read by the route: it never becomes an object.
      parse: "none",
      params: topicParams,
      detail: {
        ...documented(
          tag,
          "Append messages",
          {
            status: 201,
            schema: confirmationsSchema,
            description: "Done. Clients of 0.9 are told where the messages are; for others there is no body.",
          },
          [400, 403, 404, ...bodyFailures],
        ),
        requestBody: jsonRequest(sendSchema),
      },
    },
  );

  router.get(
    "/streams/:stream_id/topics/:topic_id/messages/flush/:partition_id/:fsync",
    async ({ caller, params }) => {
      await execute(context, caller.session, "flushUnsavedBuffer", {
        stream: toIdentifier(params.stream_id),
        topic: toIdentifier(params.topic_id),
        partitionId: Number(params.partition_id),
        // One client writes `fsync=true` (spec HA 8, trap 7).
        fsync: params.fsync.endsWith("true"),
      });
      return emptyResponse(200);
    },
    {
      params: flushParams,
      detail: documented(tag, "Write what is in memory to the disk", { status: 200 }, [400, 403, 404]),
    },
  );
}

/** Makes the frame that a binary client would have sent, and sends it the same way. */
async function send<T>(
  services: HttpServices,
  session: Session,
  params: TopicParams,
  body: SendBody,
  sendFrame: (shard: Shard, session: Session, buffer: FrameBuffer) => Promise<T>,
): Promise<T> {
  const { context, frameMemory } = services;
  requireLogin(session);
  const stream = toIdentifier(params.stream_id);
  const topic = toIdentifier(params.topic_id);
  const partitioning = partitioningOf(body);
  const count = body.payloads.length;
  if (count === 0) throw new IggyError("InvalidMessagesCount");
  const head = encodeHead(stream, topic, partitioning, count);
  const buffer = await allocate(services, head.length + batchBytes(body));
  try {
    const { memory, position } = buffer;
    memory.set(head, position);
    parseBody(body, (batch) => writeBatch(memory, position + head.length, batch, context.clock.nowMicros()));
    return await measured(context, "sendMessages", () => sendFrame(context.shard, session, buffer));
  } catch (error) {
    tellRefused(context, session, CommandCode.sendMessages, error);
    // For a topic without partitions the handler knows the numbers; the text shows what the path says.
    if (!(error instanceof IggyError) || error.errorName !== "TopicIdNotFound") throw error;
    throw new IggyError("TopicIdNotFound", [stream.value, topic.value]);
  } finally {
    frameMemory.release(buffer);
  }
}

/** Room for a frame; waits for it. */
async function allocate({ frameMemory }: HttpServices, sizeBytes: number): Promise<FrameBuffer> {
  if (sizeBytes > frameMemory.frameBytesMax) {
    throw new HttpTextError(413, "Failed to buffer the request body: length limit exceeded");
  }
  for (;;) {
    const buffer = frameMemory.allocate(sizeBytes);
    if (buffer !== undefined) {
      if (frameMemory.reserve(buffer, sizeBytes)) return buffer;
      frameMemory.release(buffer);
    }
    await new Promise<void>((resolve) => frameMemory.whenFree(resolve));
  }
}
