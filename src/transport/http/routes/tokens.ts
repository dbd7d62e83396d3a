// Personal access tokens (spec HA 2.10), always those of the caller.
import { Type as t } from "@sinclair/typebox";
import { encodeUtf8 } from "../../../protocol/byte-writer.ts";
import { IggyError } from "../../../protocol/errors.ts";
import { tokenNameBytesMax, tokenNameBytesMin } from "../../../protocol/limits.ts";
import { execute } from "../../../server/index.ts";
import { logInWithToken } from "../auth/http-logins.ts";
import { jsonBody, publicBodyBytesMax } from "../body.ts";
import { emptyResponse, jsonResponse, requireFound } from "../errors.ts";
import { isNameSize } from "../identifiers.ts";
import type { HttpRouter } from "../router.ts";
import { bodyFailures, documented } from "../schemas/documented.ts";
import {
  createTokenBody,
  identityJson,
  identitySchema,
  tokenBody,
  tokenEntryJson,
  tokenEntrySchema,
  tokenParams,
  tokenSchema,
} from "../schemas/users.ts";
import type { HttpServices } from "../services.ts";

const tag = "Personal access tokens";

export function addTokenRoutes(router: HttpRouter, { context, config, tokens, peerOf }: HttpServices): void {
  const { maxRequestSizeBytes } = config;

  router.post(
    "/personal-access-tokens/login",
    async ({ body, request }) => {
      const login = await logInWithToken(context, peerOf(request), body.token);
      return jsonResponse(identityJson(await tokens.issue(login)));
    },
    {
      parse: jsonBody(tokenBody, Math.min(publicBodyBytesMax, maxRequestSizeBytes)),
      body: tokenBody,
      detail: documented(
        tag,
        "Log in with a personal access token",
        { status: 200, schema: identitySchema },
        [400, 404, ...bodyFailures],
        { isPublic: true, mayBe401: true },
      ),
    },
  );

  router.get(
    "/personal-access-tokens",
    async ({ caller }) => {
      const entries = (await execute(context, caller.session, "getPersonalAccessTokens", undefined)) ?? [];
      return jsonResponse(entries.map(tokenEntryJson));
    },
    { detail: documented(tag, "Own tokens", { status: 200, schema: t.Array(tokenEntrySchema) }, [404]) },
  );

  router.post(
    "/personal-access-tokens",
    async ({ caller, body }) => {
      requireTokenName(body.name);
      const expiryMicros = BigInt(body.expiry);
      const reply = await execute(context, caller.session, "createPersonalAccessToken", {
        name: body.name,
        expiryMicros,
      });
      return jsonResponse({ token: requireFound(reply).token });
    },
    {
      parse: jsonBody(createTokenBody, maxRequestSizeBytes),
      body: createTokenBody,
      detail: documented(tag, "Create a token", { status: 200, schema: tokenSchema }, [400, 404, ...bodyFailures]),
    },
  );

  router.delete(
    "/personal-access-tokens/:name",
    async ({ caller, params }) => {
      if (!isNameSize(params.name)) throw new IggyError("ResourceNotFound", [params.name]);
      await execute(context, caller.session, "deletePersonalAccessToken", { name: params.name });
      return emptyResponse(204);
    },
    { params: tokenParams, detail: documented(tag, "Delete a token", { status: 204 }, [400, 404]) },
  );
}

function requireTokenName(name: string): void {
  const sizeBytes = encodeUtf8(name).length;
  if (sizeBytes < tokenNameBytesMin || sizeBytes > tokenNameBytesMax) {
    throw new IggyError("InvalidPersonalAccessTokenName");
  }
}
