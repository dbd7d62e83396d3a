// Partitions and segments (spec HA 2.4, 2.5).
import { IggyError } from "../../../protocol/errors.ts";
import { partitionsPerRequestMax } from "../../../protocol/limits.ts";
import { execute } from "../../../server/index.ts";
import { jsonBody } from "../body.ts";
import { emptyResponse } from "../errors.ts";
import { toIdentifier } from "../identifiers.ts";
import type { HttpRouter } from "../router.ts";
import { bodyFailures, documented } from "../schemas/documented.ts";
import {
  createPartitionsBody,
  deletePartitionsQuery,
  deleteSegmentsQuery,
  partitionParams,
  topicParams,
} from "../schemas/streams.ts";
import type { HttpServices } from "../services.ts";

const tag = "Partitions";

export function addPartitionRoutes(router: HttpRouter, { context, config }: HttpServices): void {
  router.post(
    "/streams/:stream_id/topics/:topic_id/partitions",
    async ({ caller, params, body }) => {
      await execute(context, caller.session, "createPartitions", requestOf(params, body.partitions_count));
      return emptyResponse(201);
    },
    {
      parse: jsonBody(createPartitionsBody, config.maxRequestSizeBytes),
      params: topicParams,
      body: createPartitionsBody,
      detail: documented(tag, "Add partitions", { status: 201 }, [400, 403, 404, ...bodyFailures]),
    },
  );

  router.delete(
    "/streams/:stream_id/topics/:topic_id/partitions",
    async ({ caller, params, query }) => {
      const request = requestOf(params, Number(query.partitions_count));
      await execute(context, caller.session, "deletePartitions", request);
      return emptyResponse(204);
    },
    {
      params: topicParams,
      query: deletePartitionsQuery,
      detail: documented(tag, "Delete the last partitions", { status: 204 }, [400, 403, 404]),
    },
  );

  router.delete(
    "/streams/:stream_id/topics/:topic_id/partitions/:partition_id",
    async ({ caller, params, query }) => {
      await execute(context, caller.session, "deleteSegments", {
        stream: toIdentifier(params.stream_id),
        topic: toIdentifier(params.topic_id),
        partitionId: Number(params.partition_id),
        segmentsCount: Number(query.segments_count),
      });
      return emptyResponse(204);
    },
    {
      params: partitionParams,
      query: deleteSegmentsQuery,
      detail: documented(tag, "Delete the oldest segments of a partition", { status: 204 }, [400, 403, 404]),
    },
  );
}

/** Errors: TooManyPartitions (2015) below 1 and above 1000. */
function requestOf(params: { readonly stream_id: string; readonly topic_id: string }, partitionsCount: number) {
  const stream = toIdentifier(params.stream_id);
  const topic = toIdentifier(params.topic_id);
  if (partitionsCount === 0 || partitionsCount > partitionsPerRequestMax) throw new IggyError("TooManyPartitions");
  return { stream, topic, partitionsCount };
}
