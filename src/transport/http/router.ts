// The Elysia instance that the route files add to. Paths are strict and unknown fields of a body are ignored, as in the
// original (spec HA 1.6, 1.8).
import { Elysia } from "elysia";
import { createHttpSession } from "../../server/index.ts";
import type { Caller } from "./auth/access-tokens.ts";

/** On public paths. A command that needs a login refuses it. */
const nobody: Caller = {
  session: createHttpSession("", undefined),
  tokenId: "",
  issuedSeconds: 0,
  authSeconds: 0,
  expirySeconds: 0,
  endSeconds: 0,
  isOf09: false,
  console: undefined,
};

export function createRouter() {
  return new Elysia({ strictPath: true, normalize: false }).decorate("caller", nobody);
}

export type HttpRouter = ReturnType<typeof createRouter>;
