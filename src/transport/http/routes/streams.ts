// Streams (spec HA 2.2).
import { Type as t } from "@sinclair/typebox";
import { IggyError } from "../../../protocol/errors.ts";
import { execute } from "../../../server/index.ts";
import { jsonBody } from "../body.ts";
import { emptyResponse, jsonResponse, requireFound } from "../errors.ts";
import { isNameSize, toIdentifier } from "../identifiers.ts";
import type { HttpRouter } from "../router.ts";
import { bodyFailures, documented } from "../schemas/documented.ts";
import { optionsOf } from "../schemas/options.ts";
import {
  nameBody,
  streamDetailsJson,
  streamDetailsSchema,
  streamHeaderJson,
  streamHeaderSchema,
  streamParams,
} from "../schemas/streams.ts";
import type { HttpServices } from "../services.ts";

const tag = "Streams";

export function addStreamRoutes(router: HttpRouter, { context, config }: HttpServices): void {
  const { maxRequestSizeBytes } = config;

  router.get(
    "/streams",
    async ({ caller }) => {
      const streams = (await execute(context, caller.session, "getStreams", undefined)) ?? [];
      return jsonResponse(streams.map((stream) => streamHeaderJson(stream, caller.isOf09)));
    },
    { detail: documented(tag, "All streams", { status: 200, schema: t.Array(streamHeaderSchema) }, [403]) },
  );

  router.post(
    "/streams",
    async ({ caller, body }) => {
      requireStreamName(body.name);
      const request = { name: body.name, options: optionsOf(body.options) };
      const stream = requireFound(await execute(context, caller.session, "createStream", request));
      return jsonResponse(streamDetailsJson({ ...stream, topics: [] }, caller.isOf09));
    },
    {
      parse: jsonBody(nameBody, maxRequestSizeBytes),
      body: nameBody,
      detail: documented(tag, "Create a stream", { status: 200, schema: streamDetailsSchema }, [
        400,
        403,
        ...bodyFailures,
      ]),
    },
  );

  router.get(
    "/streams/:stream_id",
    async ({ caller, params }) => {
      const stream = await execute(context, caller.session, "getStream", { stream: toIdentifier(params.stream_id) });
      return jsonResponse(streamDetailsJson(requireFound(stream), caller.isOf09));
    },
    {
      params: streamParams,
      detail: documented(tag, "One stream", { status: 200, schema: streamDetailsSchema }, [400, 403, 404]),
    },
  );

  router.put(
    "/streams/:stream_id",
    async ({ caller, params, body }) => {
      const stream = toIdentifier(params.stream_id);
      requireStreamName(body.name);
      const request = { stream, name: body.name, options: optionsOf(body.options) };
      await execute(context, caller.session, "updateStream", request);
      return emptyResponse(204);
    },
    {
      parse: jsonBody(nameBody, maxRequestSizeBytes),
      params: streamParams,
      body: nameBody,
      detail: documented(tag, "Rename a stream", { status: 204 }, [400, 403, 404, ...bodyFailures]),
    },
  );

  router.delete(
    "/streams/:stream_id",
    async ({ caller, params }) => {
      await execute(context, caller.session, "deleteStream", { stream: toIdentifier(params.stream_id) });
      return emptyResponse(204);
    },
    { params: streamParams, detail: documented(tag, "Delete a stream", { status: 204 }, [400, 403, 404]) },
  );

  router.delete(
    "/streams/:stream_id/purge",
    async ({ caller, params }) => {
      await execute(context, caller.session, "purgeStream", { stream: toIdentifier(params.stream_id) });
      return emptyResponse(204);
    },
    {
      params: streamParams,
      detail: documented(tag, "Delete all messages of a stream", { status: 204 }, [400, 403, 404]),
    },
  );
}

function requireStreamName(name: string): void {
  if (!isNameSize(name)) throw new IggyError("InvalidStreamName");
}
