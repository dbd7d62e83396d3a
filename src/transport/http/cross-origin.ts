// Cross-origin requests (spec HA 1.9). The plugin answers who may read a response; what it does differently from the original
// is put right after it: the names in Vary, an answer of 200 to every OPTIONS request, access to private networks.
import { cors } from "@elysiajs/cors";
import type { Config } from "../../config/schema/index.ts";
import type { Logger } from "../../observability/log.ts";
import { FirstOfEach } from "../first-of-each.ts";
import type { HttpRouter } from "./router.ts";

type CorsConfig = Config["http"]["cors"];

const varyNames = "origin, access-control-request-method, access-control-request-headers";

/** Before every other hook: also refused requests carry the headers. */
export function addCrossOriginRules(router: HttpRouter, config: CorsConfig): void {
  const exposedHeaders = config.exposedHeaders.filter((name) => name.trim() !== "");
  router.use(
    cors({
      origin: originRule(config.allowedOrigins),
      methods: config.allowedMethods.join(","),
      allowedHeaders: config.allowedHeaders.join(","),
      exposeHeaders: exposedHeaders.join(","),
      credentials: config.allowCredentials,
      preflight: false,
    }),
  );
  router.onRequest(({ request, set }) => {
    const { headers } = set;
    headers.vary = varyNames;
    const isPreflight = request.method === "OPTIONS";
    if (!isPreflight) {
      delete headers["access-control-allow-methods"];
      delete headers["access-control-allow-headers"];
    }
    if (isPreflight || exposedHeaders.length === 0) delete headers["access-control-expose-headers"];
    if (config.allowPrivateNetwork && request.headers.get("access-control-request-private-network") === "true") {
      headers["access-control-allow-private-network"] = "true";
    }
    return isPreflight ? new Response(null, { status: 200 }) : undefined;
  });
}

/**
 * The browser says nothing to the broker of what it keeps from a page, and to the page not why: so the log names the key that
 * would allow it, once for each origin. A page of the broker's own host and port needs no permission.
 */
export function addRefusedOriginLines(router: HttpRouter, config: CorsConfig, log: Pick<Logger, "warn">): void {
  const rule = config.enabled ? originRule(config.allowedOrigins) : false;
  const refused = new FirstOfEach();
  const key = config.enabled ? "http.cors.allowed_origins" : "http.cors.enabled";
  router.onRequest(({ request }) => {
    const origin = request.headers.get("origin");
    if (origin === null || rule === "*" || (rule !== false && rule(request))) return undefined;
    const host = request.headers.get("host");
    if (URL.parse(origin)?.host === host || !refused.isNew(origin)) return undefined;
    log.warn("refused a page of another origin", { origin, host, hint: `${key} would allow it` });
    return undefined;
  });
}

/** `*` first allows all, an empty list nobody; otherwise the exact text counts. */
function originRule(allowedOrigins: readonly string[]): "*" | false | ((request: Request) => boolean) {
  if (allowedOrigins[0] === "*") return "*";
  if (allowedOrigins.length === 0) return false;
  const allowed = new Set(allowedOrigins);
  return (request) => allowed.has(request.headers.get("origin") ?? "");
}
