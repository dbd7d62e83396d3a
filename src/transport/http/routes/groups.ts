// Consumer groups (spec HA 2.8). Joining one takes a connection, which HTTP has not.
import { Type as t } from "@sinclair/typebox";
import { IggyError } from "../../../protocol/errors.ts";
import { execute, requireTarget } from "../../../server/index.ts";
import { jsonBody } from "../body.ts";
import { emptyResponse, jsonResponse, NotFoundError, requireFound } from "../errors.ts";
import { isNameSize, toIdentifier } from "../identifiers.ts";
import type { HttpRouter } from "../router.ts";
import { bodyFailures, documented } from "../schemas/documented.ts";
import {
  groupDetailsJson,
  groupDetailsSchema,
  groupHeaderJson,
  groupHeaderSchema,
  groupParams,
} from "../schemas/groups.ts";
import { nameBody, topicParams } from "../schemas/streams.ts";
import type { HttpServices } from "../services.ts";

const tag = "Consumer groups";

export function addGroupRoutes(router: HttpRouter, { context, config }: HttpServices): void {
  router.get(
    "/streams/:stream_id/topics/:topic_id/consumer-groups",
    async ({ caller, params }) => {
      const target = targetOf(params);
      const groups = await execute(context, caller.session, "getConsumerGroups", target);
      if (groups === undefined) requireTarget(context, target);
      return jsonResponse((groups ?? []).map(groupHeaderJson));
    },
    {
      params: topicParams,
      detail: documented(
        tag,
        "All groups of a topic",
        { status: 200, schema: t.Array(groupHeaderSchema) },
        [400, 403, 404],
      ),
    },
  );

  router.post(
    "/streams/:stream_id/topics/:topic_id/consumer-groups",
    async ({ caller, params, body }) => {
      const target = targetOf(params);
      if (!isNameSize(body.name)) throw new IggyError("InvalidConsumerGroupName");
      const group = await execute(context, caller.session, "createConsumerGroup", { ...target, name: body.name });
      return jsonResponse(groupDetailsJson({ ...requireFound(group), members: [] }), 201);
    },
    {
      parse: jsonBody(nameBody, config.maxRequestSizeBytes),
      params: topicParams,
      body: nameBody,
      detail: documented(tag, "Create a group", { status: 201, schema: groupDetailsSchema }, [
        400,
        403,
        404,
        ...bodyFailures,
      ]),
    },
  );

  router.get(
    "/streams/:stream_id/topics/:topic_id/consumer-groups/:group_id",
    async ({ caller, params }) => {
      const target = { ...targetOf(params), group: toIdentifier(params.group_id) };
      const group = await execute(context, caller.session, "getConsumerGroup", target);
      if (group === undefined) {
        requireTarget(context, target);
        throw new NotFoundError();
      }
      return jsonResponse(groupDetailsJson(group));
    },
    {
      params: groupParams,
      detail: documented(
        tag,
        "One group with its members",
        { status: 200, schema: groupDetailsSchema },
        [400, 403, 404],
      ),
    },
  );

  router.delete(
    "/streams/:stream_id/topics/:topic_id/consumer-groups/:group_id",
    async ({ caller, params }) => {
      const target = { ...targetOf(params), group: toIdentifier(params.group_id) };
      await execute(context, caller.session, "deleteConsumerGroup", target);
      return emptyResponse(204);
    },
    { params: groupParams, detail: documented(tag, "Delete a group", { status: 204 }, [400, 403, 404]) },
  );
}

function targetOf(params: { readonly stream_id: string; readonly topic_id: string }) {
  return { stream: toIdentifier(params.stream_id), topic: toIdentifier(params.topic_id) };
}
