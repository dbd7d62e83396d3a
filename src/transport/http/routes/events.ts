// Server-Sent Events of a partition: its messages as they come (docs/protocol-extensions.md).
import { CommandCode } from "../../../protocol/codes.ts";
import { IggyError } from "../../../protocol/errors.ts";
import { creditBytesMax } from "../../../protocol/extensions/subscribe.ts";
import { numericId } from "../../../protocol/identifier.ts";
import type { PollingStrategy } from "../../../protocol/polling-strategy.ts";
import { createHttpSession, openSubscription, requireLogin, tellRefused } from "../../../server/index.ts";
import { HttpTextError } from "../errors.ts";
import { EventStream, eventsSubscriptionId } from "../events/event-stream.ts";
import { toIdentifier } from "../identifiers.ts";
import type { HttpRouter } from "../router.ts";
import { documented } from "../schemas/documented.ts";
import { eventsQuery, eventsSchema, pollKinds } from "../schemas/messages.ts";
import { partitionParams } from "../schemas/streams.ts";
import type { HttpServices } from "../services.ts";

const tag = "Messages";
const defaultConsumer = numericId(1);
const offsetPattern = /^\d{1,19}$/;

export function addEventRoutes(router: HttpRouter, services: HttpServices): void {
  const { context, events, tokens, peerOf } = services;
  router.get(
    "/streams/:stream_id/topics/:topic_id/partitions/:partition_id/events",
    ({ caller, params, query, request }) => {
      const { consumer_id, kind, value } = query;
      // One of its own: that of the token is shared by all its requests.
      const session = createHttpSession(peerOf(request), caller.session.user);
      const stream = new EventStream({
        session,
        onSent: (sizeBytes) => context.shard.statistics.sent("http", sizeBytes),
        onDelivered: (messagesCount) => context.shard.statistics.delivered(messagesCount),
        onClosed: () => events.delete(stream),
      });
      try {
        requireLogin(session);
        openSubscription(context, session, {
          consumer: { kind: "consumer", id: consumer_id === undefined ? defaultConsumer : toIdentifier(consumer_id) },
          stream: toIdentifier(params.stream_id),
          topic: toIdentifier(params.topic_id),
          partitionId: Number(params.partition_id),
          strategy: lastEvent(request) ?? { kind: pollKinds[kind ?? "offset"], value: BigInt(value ?? 0) },
          count: 0,
          autoCommit: false,
          subscriptionId: eventsSubscriptionId,
          credit: creditBytesMax,
        });
      } catch (error) {
        tellRefused(context, session, CommandCode.pollMessages, error);
        // Too many are open: come again.
        const isFull = error instanceof IggyError && error.errorName === "FeatureUnavailable";
        throw isFull ? new IggyError("CannotEstablishConnection") : error;
      }
      events.add(stream, () => tokens.isCurrent(caller));
      return stream.response();
    },
    {
      params: partitionParams,
      query: eventsQuery,
      detail: documented(
        tag,
        "Messages of a partition as they come",
        {
          status: 200,
          schema: eventsSchema,
          mediaType: "text/event-stream",
          description:
            "An event for each message: its id is the offset, its data the message as in the answer of a poll. With the header " +
            "`Last-Event-ID` it begins behind that offset, whatever the query says. An event `reset` is the last one where the " +
            "partition was purged, an event `error` where the right is gone, or the topic.",
        },
        [400, 403, 404, 503],
      ),
    },
  );
}

/** Where a client goes on that was cut off. */
function lastEvent(request: Request): PollingStrategy | undefined {
  const id = request.headers.get("last-event-id");
  if (id === null || id === "") return undefined;
  if (!offsetPattern.test(id)) throw new HttpTextError(400, "Last-Event-ID is not the offset of a message");
  return { kind: "offset", value: BigInt(id) + 1n };
}
