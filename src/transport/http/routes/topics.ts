// Topics (spec HA 2.3).
import { Type as t } from "@sinclair/typebox";
import { IggyError } from "../../../protocol/errors.ts";
import { partitionsPerRequestMax } from "../../../protocol/limits.ts";
import { CompressionCode } from "../../../protocol/records/enumerations.ts";
import type { Option } from "../../../protocol/v09/options.ts";
import { execute, segmentHoldersOf } from "../../../server/index.ts";
import { jsonBody } from "../body.ts";
import { emptyResponse, jsonResponse, notFoundInsteadOf, requireFound } from "../errors.ts";
import { isNameSize, toIdentifier } from "../identifiers.ts";
import type { HttpRouter } from "../router.ts";
import { bodyFailures, documented } from "../schemas/documented.ts";
import { optionsOf, textOption } from "../schemas/options.ts";
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
      return jsonResponse(requireFound(topics).map((topic) => topicHeaderJson(topic, caller.isOf09)));
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
      const settings = { ...settingsOf(body), options: newOptionsOf(body) };
      if (body.partitions_count > partitionsPerRequestMax) throw new IggyError("TooManyPartitions");
      const request = { stream, ...settings, partitionsCount: body.partitions_count };
      const created = execute(context, caller.session, "createTopic", request);
      const topic = requireFound(await notFoundInsteadOf("StreamIdNotFound", created));
      // Who gives options knows them.
      if (caller.isOf09 || settings.options !== undefined) return jsonResponse(topicDetailsJson(topic, true));
      // The binary answer says that new partitions have no segment; they have one, and here it is said (spec HA 2.3).
      const partitions = topic.partitions.map((partition) => ({ ...partition, segmentsCount: 1 }));
      return jsonResponse(topicDetailsJson({ ...topic, partitions }, false));
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
      return jsonResponse(topicDetailsJson(requireFound(topic), caller.isOf09));
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
      const settings = { ...settingsOf(body), options: changedOptionsOf(body) };
      await execute(context, caller.session, "updateTopic", { ...targetOf(params), ...settings });
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
  readonly compression_algorithm: string | null;
  readonly message_expiry: number | bigint | null;
  readonly max_topic_size: number | bigint | null;
  readonly replication_factor?: number | null | undefined;
  readonly options?: Readonly<Record<string, string>> | null | undefined;
}

/** As a client of 0.8 says them; null says nothing. Errors: InvalidTopicName (2014), InvalidReplicationFactor (2018). */
function settingsOf(body: SettingsBody) {
  const replicationFactor = body.replication_factor ?? 1;
  if (!isNameSize(body.name)) throw new IggyError("InvalidTopicName");
  if (replicationFactor === 0) throw new IggyError("InvalidReplicationFactor");
  const { compression_algorithm: compression, message_expiry: expiry, max_topic_size: maxSize } = body;
  return {
    name: body.name,
    ...(compression === null ? {} : { compressionCode: CompressionCode[compressionOf(compression)] }),
    ...(expiry === null ? {} : { messageExpiryMicros: BigInt(expiry) }),
    ...(maxSize === null ? {} : { maxTopicSizeBytes: BigInt(maxSize) }),
    replicationFactor,
  };
}

function compressionOf(text: string): "gzip" | "none" {
  return text.toLowerCase() === "gzip" ? "gzip" : "none";
}

/** Of a new topic the three settings are given where they are not the default (spec P9 12). Undefined: of a client of 0.8. */
function newOptionsOf(body: SettingsBody): readonly Option[] | undefined {
  const isDefault = (value: SettingsBody["message_expiry"]) => value === 0;
  return allOptionsOf(body, {
    compression_algorithm: body.compression_algorithm?.toLowerCase() === "none" ? null : body.compression_algorithm,
    message_expiry: isDefault(body.message_expiry) ? null : body.message_expiry,
    max_topic_size: isDefault(body.max_topic_size) ? null : body.max_topic_size,
  });
}

/** Of a topic that is changed they are given where they are not null. */
function changedOptionsOf(body: SettingsBody): readonly Option[] | undefined {
  const { compression_algorithm, message_expiry, max_topic_size } = body;
  return allOptionsOf(body, { compression_algorithm, message_expiry, max_topic_size });
}

/** Both ways to say it; the options are the newer one. */
function allOptionsOf(
  { options }: SettingsBody,
  settings: Readonly<Record<string, string | number | bigint | null>>,
): readonly Option[] | undefined {
  if (!options) return undefined;
  const given = Object.entries(settings).filter(([key, value]) => value !== null && !(key in options));
  const texts = given.map(([key, value]) => textOption(key, String(value).toLowerCase()));
  return [...texts, ...(optionsOf(options) ?? [])];
}
