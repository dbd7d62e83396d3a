// Users, logins and permissions (spec HA 2.9).
import { Type as t } from "@sinclair/typebox";
import type { CommandName } from "../../../protocol/codes.ts";
import { IggyError } from "../../../protocol/errors.ts";
import { passwordBytesMax, passwordBytesMin, userNameBytesMax, userNameBytesMin } from "../../../protocol/limits.ts";
import { UserStatusCode } from "../../../protocol/records/enumerations.ts";
import { createHttpSession, execute, requireBeforehand, tellLogout, tellRefresh } from "../../../server/index.ts";
import type { Caller } from "../auth/access-tokens.ts";
import { isWithin, logInWithPassword } from "../auth/http-logins.ts";
import { isVersionOf09 } from "../auth/login-claims.ts";
import { guardedJsonBody, jsonBody, parseBody, publicBodyBytesMax } from "../body.ts";
import { emptyResponse, jsonResponse, requireFound } from "../errors.ts";
import { toIdentifier } from "../identifiers.ts";
import type { HttpRouter } from "../router.ts";
import { bodyFailures, documented } from "../schemas/documented.ts";
import { optionsOf } from "../schemas/options.ts";
import {
  changePasswordBody,
  createUserBody,
  identityJson,
  identitySchema,
  loginBody,
  permissionsOf,
  tokenBody,
  updatePermissionsBody,
  updateUserBody,
  userDetailsJson,
  userDetailsSchema,
  userHeaderJson,
  userHeaderSchema,
  userParams,
} from "../schemas/users.ts";
import type { HttpServices } from "../services.ts";

const tag = "Users";
const identity = { status: 200, schema: identitySchema } as const;

export function addUserRoutes(router: HttpRouter, services: HttpServices): void {
  const { context, config, tokens, events, peerOf } = services;
  const { maxRequestSizeBytes } = config;
  const mayAsk =
    (name: CommandName) =>
    ({ caller }: { readonly request: Request; readonly caller: Caller }) =>
      requireBeforehand(context, caller.session, name);

  router.post(
    "/users/login",
    async ({ body, request }) => {
      const { version, context: clientContext, ...credentials } = body;
      const login = await logInWithPassword(context, peerOf(request), {
        ...credentials,
        version: version ?? undefined,
        context: clientContext ?? undefined,
      });
      return jsonResponse(identityJson(await tokens.issue(login, isVersionOf09(version))));
    },
    {
      parse: jsonBody(loginBody, Math.min(publicBodyBytesMax, maxRequestSizeBytes)),
      body: loginBody,
      detail: documented(tag, "Log in with a password", identity, [400, ...bodyFailures], { isPublic: true }),
    },
  );

  router.delete(
    "/users/logout",
    async ({ caller }) => {
      try {
        await tokens.revoke(caller);
      } finally {
        events.recheck();
      }
      tellLogout(context, caller.session);
      return emptyResponse(204);
    },
    { detail: documented(tag, "Revoke the access token of this request", { status: 204 }, [400]) },
  );

  router.post(
    "/users/refresh-token",
    async ({ body, request }) => {
      const token = await tokens.refresh(body.token);
      tellRefresh(context, token.userId, peerOf(request));
      return jsonResponse(identityJson(token));
    },
    {
      parse: jsonBody(tokenBody, Math.min(publicBodyBytesMax, maxRequestSizeBytes)),
      body: tokenBody,
      detail: documented(tag, "Exchange an access token for a new one", identity, [400, ...bodyFailures], {
        isPublic: true,
        mayBe401: true,
      }),
    },
  );

  router.get(
    "/users",
    async ({ caller }) => {
      const users = (await execute(context, caller.session, "getUsers", undefined)) ?? [];
      return jsonResponse(users.map((user) => userHeaderJson(user, caller.isOf09)));
    },
    { detail: documented(tag, "All users", { status: 200, schema: t.Array(userHeaderSchema) }, [403]) },
  );

  router.post(
    "/users",
    async ({ caller, body }) => {
      requireUserName(body.username);
      requirePassword(body.password);
      const permissions = body.permissions ? parseBody(body.permissions, permissionsOf) : undefined;
      const user = await execute(context, caller.session, "createUser", {
        username: body.username,
        password: body.password,
        statusCode: UserStatusCode[body.status],
        permissions,
        options: optionsOf(body.options),
      });
      return jsonResponse(userDetailsJson(requireFound(user), caller.isOf09));
    },
    {
      parse: guardedJsonBody(createUserBody, maxRequestSizeBytes, mayAsk("createUser")),
      body: createUserBody,
      detail: documented(tag, "Create a user", { status: 200, schema: userDetailsSchema }, [400, 403, ...bodyFailures]),
    },
  );

  router.get(
    "/users/:user_id",
    async ({ caller, params }) => {
      const user = await execute(context, caller.session, "getUser", { user: toIdentifier(params.user_id) });
      return jsonResponse(userDetailsJson(requireFound(user), caller.isOf09));
    },
    {
      params: userParams,
      detail: documented(tag, "One user with permissions", { status: 200, schema: userDetailsSchema }, [400, 403, 404]),
    },
  );

  router.put(
    "/users/:user_id",
    async ({ caller, params, body }) => {
      const user = toIdentifier(params.user_id);
      const username = body.username ?? undefined;
      if (username !== undefined) requireUserName(username);
      const statusCode = body.status ? UserStatusCode[body.status] : undefined;
      const options = optionsOf(body.options);
      await execute(context, caller.session, "updateUser", { user, username, statusCode, options });
      return emptyResponse(204);
    },
    {
      parse: jsonBody(updateUserBody, maxRequestSizeBytes),
      params: userParams,
      body: updateUserBody,
      detail: documented(tag, "Change name or status of a user", { status: 204 }, [400, 403, 404, ...bodyFailures]),
    },
  );

  router.delete(
    "/users/:user_id",
    async ({ caller, params }) => {
      await execute(context, caller.session, "deleteUser", { user: toIdentifier(params.user_id) });
      return emptyResponse(204);
    },
    { params: userParams, detail: documented(tag, "Delete a user", { status: 204 }, [400, 403, 404]) },
  );

  router.put(
    "/users/:user_id/permissions",
    async ({ caller, params, body }) => {
      const user = toIdentifier(params.user_id);
      const permissions = body.permissions ? parseBody(body.permissions, permissionsOf) : undefined;
      await execute(context, caller.session, "updatePermissions", { user, permissions });
      return emptyResponse(204);
    },
    {
      parse: guardedJsonBody(updatePermissionsBody, maxRequestSizeBytes, mayAsk("updatePermissions")),
      params: userParams,
      body: updatePermissionsBody,
      detail: documented(tag, "Replace the permissions of a user", { status: 204 }, [400, 403, 404, ...bodyFailures]),
    },
  );

  router.put(
    "/users/:user_id/password",
    async ({ caller, params, body, request }) => {
      const user = toIdentifier(params.user_id);
      requirePassword(body.current_password);
      requirePassword(body.new_password);
      await execute(context, createHttpSession(peerOf(request), caller.session.user), "changePassword", {
        user,
        currentPassword: body.current_password,
        newPassword: body.new_password,
      });
      return emptyResponse(204);
    },
    {
      parse: jsonBody(changePasswordBody, maxRequestSizeBytes),
      params: userParams,
      body: changePasswordBody,
      detail: documented(tag, "Change a password", { status: 204 }, [400, 403, 404, ...bodyFailures]),
    },
  );
}

function requireUserName(name: string): void {
  if (!isWithin(name, userNameBytesMin, userNameBytesMax)) throw new IggyError("InvalidUsername");
}

function requirePassword(password: string): void {
  if (!isWithin(password, passwordBytesMin, passwordBytesMax)) throw new IggyError("InvalidPassword");
}
