// The server itself (spec HA 2.1).

import { Type as t } from "@sinclair/typebox";
import { IggyError } from "../../../protocol/errors.ts";
import { SnapshotCompressionCode, SnapshotTypeCode } from "../../../protocol/records/enumerations.ts";
import { describeOptions, execute, requireLogin } from "../../../server/index.ts";
import { jsonBody } from "../body.ts";
import { jsonResponse, notFoundInsteadOf, requireFound, textResponse } from "../errors.ts";
import type { HttpRouter } from "../router.ts";
import { bodyFailures, documented } from "../schemas/documented.ts";
import { describedOptionJson, describedOptionSchema, optionParams, optionScopes } from "../schemas/options.ts";
import {
  clientDetailsJson,
  clientDetailsSchema,
  clientHeaderJson,
  clientHeaderSchema,
  clientParams,
  clusterJson,
  clusterSchema,
  snapshotBody,
  snapshotCompressions,
  snapshotTypes,
  statsJson,
  statsSchema,
} from "../schemas/system.ts";
import type { HttpServices } from "../services.ts";

const tag = "System";
const text = { status: 200, schema: t.String(), mediaType: "text/plain" } as const;

export function addSystemRoutes(router: HttpRouter, { context, config }: HttpServices): void {
  router.get("/", () => textResponse("Iggy API"), {
    detail: documented(tag, "Name of the API", text, [], { isPublic: true }),
  });

  router.get("/ping", () => textResponse("pong"), {
    detail: documented(tag, "Whether the server answers", text, [], { isPublic: true }),
  });

  router.get(
    "/stats",
    async ({ caller }) => {
      const stats = await execute(context, caller.session, "getStats", undefined);
      return jsonResponse(statsJson(requireFound(stats)));
    },
    { detail: documented(tag, "Numbers about the process and its data", { status: 200, schema: statsSchema }, [403]) },
  );

  router.get(
    "/cluster/metadata",
    async ({ caller }) => {
      const metadata = await execute(context, caller.session, "getClusterMetadata", undefined);
      return jsonResponse(clusterJson(requireFound(metadata)));
    },
    { detail: documented(tag, "Nodes of the cluster", { status: 200, schema: clusterSchema }, []) },
  );

  router.get(
    "/options/:scope",
    ({ caller, params }) => {
      requireLogin(caller.session);
      const scope = optionScopes.find((name) => name === params.scope);
      if (scope === undefined) throw new IggyError("InvalidCommand");
      return jsonResponse(describeOptions(context, scope).map(describedOptionJson));
    },
    {
      params: optionParams,
      detail: documented(
        tag,
        "Options that may be given to a topic, a stream or a user",
        { status: 200, schema: t.Array(describedOptionSchema) },
        [400],
      ),
    },
  );

  router.get(
    "/clients",
    async ({ caller }) => {
      const clients = (await execute(context, caller.session, "getClients", undefined)) ?? [];
      const sorted = clients.toSorted((left, right) => left.clientId - right.clientId);
      return jsonResponse(sorted.map(clientHeaderJson));
    },
    {
      detail: documented(
        tag,
        "Connected clients, without those of HTTP",
        { status: 200, schema: t.Array(clientHeaderSchema) },
        [403],
      ),
    },
  );

  router.get(
    "/clients/:client_id",
    async ({ caller, params }) => {
      const request = { clientId: Number(params.client_id) };
      const found = execute(context, caller.session, "getClient", request);
      // Number 0 is nobody's; here it is unknown like any other (spec HA 2.1).
      return jsonResponse(clientDetailsJson(requireFound(await notFoundInsteadOf("InvalidClientId", found))));
    },
    {
      params: clientParams,
      detail: documented(tag, "One client", { status: 200, schema: clientDetailsSchema }, [400, 403, 404]),
    },
  );

  router.post(
    "/snapshot",
    async ({ caller, body }) => {
      const archive = await execute(context, caller.session, "getSnapshot", {
        compressionCode: SnapshotCompressionCode[snapshotCompressions[body.compression]],
        typeCodes: body.snapshot_types.map((name) => SnapshotTypeCode[snapshotTypes[name]]),
      });
      const headers = {
        "content-type": "application/zip",
        "content-disposition": `attachment; filename="iggy_snapshot_${localTime(new Date(context.clock.nowMicros() / 1000))}.zip"`,
      };
      return new Response(Buffer.from(requireFound(archive)), { headers });
    },
    {
      parse: jsonBody(snapshotBody, config.maxRequestSizeBytes),
      body: snapshotBody,
      detail: documented(
        tag,
        "An archive of facts about the server, for support",
        { status: 200, schema: t.String({ format: "binary" }), mediaType: "application/zip" },
        [400, 403, 503, ...bodyFailures],
      ),
    },
  );
}

/** `20260415_101500` */
function localTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}_${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}
