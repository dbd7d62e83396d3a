// Topics (spec HA 2.3).
import { Type as t } from "@sinclair/typebox";
import { IggyError } from "../../../protocol/errors.ts";
import { partitionsPerRequestMax } from "../../../protocol/limits.ts";
import { CompressionCode } from "../../../protocol/records/enumerations.ts";
import { execute, segmentHoldersOf } from "../../../server/index.ts";
import { jsonBody } from "../body.ts";
import { emptyResponse, jsonResponse, notFoundInsteadOf, requireFound } from "../errors.ts";
import { isNameSize, toIdentifier } from "../identifiers.ts";
import type { HttpRouter } from "../router.ts";
import { bodyFailures, documented } from "../schemas/documented.ts";
import {
  createTopicBody,
  segmentHolderJson,
  segmentHolderSchema,
  streamParams,
  topicDetailsJson,
  topicDetailsSchema,
  topicHeaderJson,
  topicHeaderSchema,
  topicParams,
  updateTopicBody,
} from "../schemas/streams.ts";
import type { HttpServices } from "../services.ts";

const tag = "Topics";

export function addTopicRoutes(router: HttpRouter, { context, config }: HttpServices): void {
  const { maxRequestSizeBytes } = config;

  router.get(
    "/streams/:stream_id/topics",
    async ({ caller, params }) => {
      const topics = await execute(context, caller.session, "getTopics", { stream: toIdentifier(params.stream_id) });
      return jsonResponse(requireFound(topics).map(topicHeaderJson));
    },
    {
      params: streamParams,
      detail: documented(
        tag,
        "All topics of a stream",
        { status: 200, schema: t.Array(topicHeaderSchema) },
        [400, 403, 404],
      ),
    },
  );

  router.post(
    "/streams/:stream_id/topics",
    async ({ caller, params, body }) => {
      const stream = toIdentifier(params.stream_id);
      const settings = settingsOf(body);
      if (body.partitions_count > partitionsPerRequestMax) throw new IggyError("TooManyPartitions");
      const request = { stream, ...settings, partitionsCount: body.partitions_count };
      const created = execute(context, caller.session, "createTopic", request);
      const topic = requireFound(await notFoundInsteadOf("StreamIdNotFound", created));
      // The binary answer says that new partitions have no segment; they have one, and here it is said (spec HA 2.3).
      const partitions = topic.partitions.map((partition) => ({ ...partition, segmentsCount: 1 }));
      return jsonResponse(topicDetailsJson({ ...topic, partitions }));
    },
    {
      parse: jsonBody(createTopicBody, maxRequestSizeBytes),
      params: streamParams,
      body: createTopicBody,
      detail: documented(tag, "Create a topic", { status: 200, schema: topicDetailsSchema }, [
        400,
        403,
        404,
        ...bodyFailures,
      ]),
    },
  );

  router.get(
    "/streams/:stream_id/topics/:topic_id",
    async ({ caller, params }) => {
      const topic = await execute(context, caller.session, "getTopic", targetOf(params));
      return jsonResponse(topicDetailsJson(requireFound(topic)));
    },
    {
      params: topicParams,
      detail: documented(tag, "One topic", { status: 200, schema: topicDetailsSchema }, [400, 403, 404]),
    },
  );

  // One of our own: the original has no way to ask.
  router.get(
    "/streams/:stream_id/topics/:topic_id/segment-holders",
    async ({ caller, params }) => {
      const target = { stream: toIdentifier(params.stream_id), topic: toIdentifier(params.topic_id) };
      return jsonResponse((await segmentHoldersOf(context, caller.session, target)).map(segmentHolderJson));
    },
    {
      params: topicParams,
      detail: documented(
        tag,
        "The consumers whose stored offsets keep segments that were to be removed, one for each such partition",
        { status: 200, schema: t.Array(segmentHolderSchema) },
        [400, 403, 404],
      ),
    },
  );

  router.put(
    "/streams/:stream_id/topics/:topic_id",
    async ({ caller, params, body }) => {
      await execute(context, caller.session, "updateTopic", { ...targetOf(params), ...settingsOf(body) });
      return emptyResponse(204);
    },
    {
      parse: jsonBody(updateTopicBody, maxRequestSizeBytes),
      params: topicParams,
      body: updateTopicBody,
      detail: documented(tag, "Change a topic", { status: 204 }, [400, 403, 404, ...bodyFailures]),
    },
  );

  router.delete(
    "/streams/:stream_id/topics/:topic_id",
    async ({ caller, params }) => {
      await execute(context, caller.session, "deleteTopic", targetOf(params));
      return emptyResponse(204);
    },
    { params: topicParams, detail: documented(tag, "Delete a topic", { status: 204 }, [400, 403, 404]) },
  );

  router.delete(
    "/streams/:stream_id/topics/:topic_id/purge",
    async ({ caller, params }) => {
      await execute(context, caller.session, "purgeTopic", targetOf(params));
      return emptyResponse(204);
    },
    {
      params: topicParams,
      detail: documented(tag, "Delete all messages of a topic", { status: 204 }, [400, 403, 404]),
    },
  );
}

function targetOf(params: { readonly stream_id: string; readonly topic_id: string }) {
  return { stream: toIdentifier(params.stream_id), topic: toIdentifier(params.topic_id) };
}

interface SettingsBody {
  readonly name: string;
  readonly compression_algorithm: string;
  readonly message_expiry: number | bigint;
  readonly max_topic_size: number | bigint;
  readonly replication_factor?: number | null | undefined;
}

/** Errors: InvalidTopicName (2014), InvalidReplicationFactor (2018). */
function settingsOf(body: SettingsBody) {
  const replicationFactor = body.replication_factor ?? 1;
  if (!isNameSize(body.name)) throw new IggyError("InvalidTopicName");
  if (replicationFactor === 0) throw new IggyError("InvalidReplicationFactor");
  return {
    name: body.name,
    compressionCode: CompressionCode[body.compression_algorithm.toLowerCase() === "gzip" ? "gzip" : "none"],
    messageExpiryMicros: BigInt(body.message_expiry),
    maxTopicSizeBytes: BigInt(body.max_topic_size),
    replicationFactor,
  };
}
