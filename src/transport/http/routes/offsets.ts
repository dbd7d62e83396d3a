// Consumer offsets (spec HA 2.7), always of single consumers.
import { encodeUtf8 } from "../../../protocol/byte-writer.ts";
import { type ErrorParams, IggyError } from "../../../protocol/errors.ts";
import { type Identifier, numericId } from "../../../protocol/identifier.ts";
import { xxHash32 } from "../../../protocol/xxhash32.ts";
import { execute, requireTarget } from "../../../server/index.ts";
import { jsonBody } from "../body.ts";
import { emptyResponse, jsonResponse, NotFoundError } from "../errors.ts";
import { toIdentifier } from "../identifiers.ts";
import { jsonInteger } from "../json/values.ts";
import type { HttpRouter } from "../router.ts";
import { bodyFailures, documented } from "../schemas/documented.ts";
import { deleteOffsetQuery, getOffsetQuery, offsetParams, offsetSchema, storeOffsetBody } from "../schemas/groups.ts";
import { topicParams } from "../schemas/streams.ts";
import type { HttpServices } from "../services.ts";

const tag = "Consumer offsets";

export function addOffsetRoutes(router: HttpRouter, { context, config }: HttpServices): void {
  router.get(
    "/streams/:stream_id/topics/:topic_id/consumer-offsets",
    async ({ caller, params, query }) => {
      const target = targetOf(params);
      const stored = await execute(context, caller.session, "getConsumerOffset", {
        ...target,
        consumer: consumerOf(query.consumer_id),
        partitionId: Number(query.partition_id ?? 0),
      });
      if (stored === undefined) {
        requireTarget(context, target);
        throw new NotFoundError();
      }
      return jsonResponse({
        partition_id: stored.partitionId,
        current_offset: jsonInteger(stored.currentOffset),
        stored_offset: jsonInteger(stored.storedOffset),
      });
    },
    {
      params: topicParams,
      query: getOffsetQuery,
      detail: documented(tag, "Stored offset of a consumer", { status: 200, schema: offsetSchema }, [400, 403, 404]),
    },
  );

  router.put(
    "/streams/:stream_id/topics/:topic_id/consumer-offsets",
    async ({ caller, params, body }) => {
      const offset = BigInt(body.offset);
      const stored = execute(context, caller.session, "storeConsumerOffset", {
        ...targetOf(params),
        consumer: consumerOf(body.consumer_id),
        partitionId: body.partition_id ?? 0,
        offset,
      });
      await withParams("InvalidOffset", [offset], stored);
      return emptyResponse(204);
    },
    {
      parse: jsonBody(storeOffsetBody, config.maxRequestSizeBytes),
      params: topicParams,
      body: storeOffsetBody,
      detail: documented(tag, "Store an offset", { status: 204 }, [400, 403, 404, ...bodyFailures]),
    },
  );

  router.delete(
    "/streams/:stream_id/topics/:topic_id/consumer-offsets/:consumer_id",
    async ({ caller, params, query }) => {
      const consumer = consumerOf(params.consumer_id);
      const deleted = execute(context, caller.session, "deleteConsumerOffset", {
        ...targetOf(params),
        consumer,
        partitionId: Number(query.partition_id ?? 0),
      });
      await withParams("ConsumerOffsetNotFound", [consumerNumber(consumer.id)], deleted);
      return emptyResponse(204);
    },
    {
      params: offsetParams,
      query: deleteOffsetQuery,
      detail: documented(tag, "Delete a stored offset", { status: 204 }, [400, 403, 404]),
    },
  );
}

function targetOf(params: { readonly stream_id: string; readonly topic_id: string }) {
  return { stream: toIdentifier(params.stream_id), topic: toIdentifier(params.topic_id) };
}

/** Number 1 where none is named (spec HA 2.7). */
function consumerOf(id: string | number | undefined): { readonly kind: "consumer"; readonly id: Identifier } {
  return { kind: "consumer", id: typeof id === "string" ? toIdentifier(id) : numericId(id ?? 1) };
}

/** A named consumer's number is the hash of its name (spec HA 2.7). */
function consumerNumber(id: Identifier): number {
  return id.kind === "numeric" ? id.value : xxHash32(encodeUtf8(id.value));
}

/** An error that comes from another shard has lost its values: they are put back. */
async function withParams(
  name: "InvalidOffset" | "ConsumerOffsetNotFound",
  params: ErrorParams,
  work: Promise<unknown>,
) {
  try {
    await work;
  } catch (error) {
    if (error instanceof IggyError && error.errorName === name) throw new IggyError(name, params);
    throw error;
  }
}
