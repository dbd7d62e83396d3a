// The HTTP API: what happens to every request before its route (count, cross-origin rules, access token) and to everything that
// is thrown. The routes themselves are in routes/; they build the requests of the binary protocol and go through the same
// handlers.
import { isLoopbackHost, parseListenAddress } from "../../config/address.ts";
import type { Logger } from "../../observability/log.ts";
import { isServerFault } from "../../server/index.ts";
import { isAllowedHost, refusedHostText } from "../allowed-hosts.ts";
import { FirstOfEach } from "../first-of-each.ts";
import { addCrossOriginRules, addRefusedOriginLines } from "./cross-origin.ts";
import { emptyResponse, errorResponse, HttpTextError, NotFoundError, textResponse } from "./errors.ts";
import { metricsType } from "./metrics.ts";
import { makeOpenApiText } from "./openapi.ts";
import { createMethodLookup, hidingPaths, pathOf, pathSearchStart } from "./route-paths.ts";
import { createRouter, type HttpRouter } from "./router.ts";
import { addEventRoutes } from "./routes/events.ts";
import { addGroupRoutes } from "./routes/groups.ts";
import { addHealthRoutes, healthPaths } from "./routes/health.ts";
import { addMessageRoutes } from "./routes/messages.ts";
import { addOffsetRoutes } from "./routes/offsets.ts";
import { addPartitionRoutes } from "./routes/partitions.ts";
import { addStreamRoutes } from "./routes/streams.ts";
import { addSystemRoutes } from "./routes/system.ts";
import { addTokenRoutes } from "./routes/tokens.ts";
import { addTopicRoutes } from "./routes/topics.ts";
import { addUserRoutes } from "./routes/users.ts";
import { getOffsetQuery } from "./schemas/groups.ts";
import { eventsQuery, pollQuery } from "./schemas/messages.ts";
import { deletePartitionsQuery, deleteSegmentsQuery } from "./schemas/streams.ts";
import type { FetchHandler, HttpServices } from "./services.ts";

const metricsPath = "/metrics";
/** Spec HA 1.3, the document that says so, and what probes ask. */
const publicPaths = new Set([
  "/",
  ...healthPaths,
  metricsPath,
  "/openapi",
  "/ping",
  "/ui",
  "/users/login",
  "/users/refresh-token",
  "/personal-access-tokens/login",
]);
/** Of all routes; others are ignored. */
const queryNames: ReadonlySet<string> = new Set(
  [pollQuery, eventsQuery, getOffsetQuery, deletePartitionsQuery, deleteSegmentsQuery].flatMap(({ properties }) =>
    Object.keys(properties),
  ),
);
/** The scheme in any case (RFC 9110 11.1). */
const bearerPattern = /^Bearer /i;
const bearerPrefixLength = "Bearer ".length;

/** `fetchConsole`: answers for what is below /ui; undefined where there is no console. */
export function createHttpApp(services: HttpServices, fetchConsole: FetchHandler | undefined): FetchHandler {
  const { config } = services;
  const router = createRouter();
  if (config.metrics.enabled) router.onRequest(() => services.metrics.countRequest());
  const refusalOfHost = createHostRule(services);
  // Before everything else: what a rebound name asks for is not even looked at.
  router.onRequest(({ request }) => refusalOfHost(request));
  addRefusedOriginLines(router, config.cors, services.log);
  if (config.cors.enabled) addCrossOriginRules(router, config.cors);
  addAuthentication(router, services);
  addHidingPaths(router);
  addQueryRule(router);
  addErrorAnswers(router, services);
  addSystemRoutes(router, services);
  addHealthRoutes(router, services);
  addUserRoutes(router, services);
  addTokenRoutes(router, services);
  addStreamRoutes(router, services);
  addTopicRoutes(router, services);
  addPartitionRoutes(router, services);
  addMessageRoutes(router, services);
  addEventRoutes(router, services);
  addOffsetRoutes(router, services);
  addGroupRoutes(router, services);
  addOwnRoutes(router, services);
  const { fetch } = router.compile();
  const { statistics } = services.context.shard;
  const isLogged = services.log.isEnabled("debug");
  const ofConsole: FetchHandler = (request, server) => {
    if (config.metrics.enabled) services.metrics.countRequest();
    return refusalOfHost(request) ?? fetchConsole?.(request, server);
  };
  return async (given, server) => {
    const startedMs = performance.now();
    const request = withFullHost(given);
    statistics.received("http", announcedBytesOf(request));
    const isOfConsole = fetchConsole !== undefined && /^\/ui(?:\/|$)/.test(pathOf(request.url));
    const response = await (isOfConsole ? ofConsole(request, server) : fetch(request));
    if (response === undefined) return undefined;
    statistics.sent("http", Number(response.headers.get("content-length") ?? 0));
    if (isLogged) logRequest(services.log, request, response.status, performance.now() - startedMs);
    return response;
  };
}

/** Without the query: nothing secret is in a path. */
function logRequest(log: Logger, request: Request, status: number, elapsedMs: number): void {
  const fields = { method: request.method, path: pathOf(request.url), status, elapsedMs: Math.round(elapsedMs) };
  log.debug("answered a request", fields);
}

/** 0 where no length is announced, or none that is a number: given twice, it reads "5, 5". */
function announcedBytesOf(request: Request): number {
  const text = request.headers.get("content-length");
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

/**
 * The router looks for the path behind the eleventh character of the URL, which may be too late for a short host. A request
 * without a host (HTTP/1.0) or with an empty one (RFC 9110 7.2) has a URL that begins with its path: probes of load balancers
 * send such requests.
 */
function withFullHost(request: Request): Request {
  const { url } = request;
  const pathStart = url.startsWith("/") ? 0 : url.indexOf("/", "https://".length);
  if (pathStart >= pathSearchStart) return request;
  return Object.defineProperty(request, "url", { value: `http://localhost${url.slice(pathStart)}` });
}

/** The answer to a request for a host name that the broker does not have; undefined: it has it. */
function createHostRule({ config, log }: HttpServices): (request: Request) => Response | undefined {
  const host = parseListenAddress(config.address)?.host ?? "";
  const rules = { isLoopback: isLoopbackHost(host), allowedHosts: config.allowedHosts };
  const refused = new FirstOfEach();
  return (request) => {
    const name = request.headers.get("host");
    if (isAllowedHost(name, rules)) return undefined;
    if (refused.isNew(name ?? ""))
      log.warn("refused a request for a host name that http.allowed_hosts lacks", { host: name });
    return textResponse(refusedHostText, 403);
  };
}

/** Before routing and parsing: an unknown path without a token is 401 (spec HA 1.3). */
function addAuthentication(router: HttpRouter, { config, tokens }: HttpServices): void {
  router.onRequest(async (context) => {
    const { request } = context;
    const path = pathOf(request.url);
    const isPublic = publicPaths.has(path) && !(path === metricsPath && config.metrics.requireToken);
    if (isPublic) return undefined;
    const header = request.headers.get("authorization");
    if (header === null || !bearerPattern.test(header)) return emptyResponse(401);
    const caller = await tokens.authenticate(header.slice(bearerPrefixLength));
    if (caller === undefined) return emptyResponse(401);
    context.caller = caller;
    return undefined;
  });
}

/** `GET /users/login` does not ask for a user of that name (spec HA 1.8). */
function addHidingPaths(router: HttpRouter): void {
  router.onRequest(({ request }) => {
    const method = hidingPaths.get(pathOf(request.url));
    return method === undefined || method === request.method ? undefined : methodNotAllowed([method]);
  });
}

/** A parameter may be given once (spec HA 1.6); the router would take the last of several. */
function addQueryRule(router: HttpRouter): void {
  router.onRequest(({ request }) => {
    const start = request.url.indexOf("?");
    if (start < 0) return;
    const seen = new Set<string>();
    for (const name of new URLSearchParams(request.url.slice(start)).keys()) {
      if (queryNames.has(name) && seen.has(name)) {
        throw new HttpTextError(400, `Failed to deserialize query string: duplicate field \`${name}\``);
      }
      seen.add(name);
    }
  });
}

function methodNotAllowed(methods: readonly string[]): Response {
  return new Response(null, { status: 405, headers: { allow: methods.join(",") } });
}

function addErrorAnswers(router: HttpRouter, { log }: HttpServices): void {
  let methodsOf: ((path: string) => readonly string[]) | undefined;
  router.onError(({ code, error, request }) => {
    if (code === "NOT_FOUND") {
      methodsOf ??= createMethodLookup(router.routes);
      const methods = methodsOf(pathOf(request.url));
      return methods.length === 0 ? emptyResponse(404) : methodNotAllowed(methods);
    }
    if (code === "VALIDATION") return errorResponse(validationError(error.type, error.valueError));
    // What a parser threw comes wrapped.
    const thrown = code === "PARSE" ? error.cause : error;
    if (thrown instanceof HttpTextError || thrown instanceof NotFoundError) return errorResponse(thrown);
    if (isServerFault(thrown)) log.error("request failed", { method: request.method, url: request.url, error: thrown });
    return errorResponse(thrown);
  });
}

/** Of a path or a query; bodies are checked by their parsers (spec HA 1.7). */
function validationError(
  part: string,
  fault: { readonly path: string; readonly message: string; readonly value?: unknown } | undefined,
): HttpTextError {
  const name = fault?.path.slice(1).replaceAll("/", ".") ?? "";
  const detail = `${name === "" ? "" : `${name}: `}${fault?.message ?? "invalid value"}`;
  if (part === "params") {
    const reason = fault?.value === null ? `Invalid UTF-8 in \`${name}\`` : `Cannot parse \`${name}\``;
    return new HttpTextError(400, `Invalid URL: ${reason}`);
  }
  return new HttpTextError(400, `Failed to deserialize query string: ${detail}`);
}

/** Metrics and the document. */
function addOwnRoutes(router: HttpRouter, { config, metrics }: HttpServices): void {
  const hidden = { detail: { hide: true } };
  if (config.metrics.enabled) {
    const answer = async ({ request }: { readonly request: Request }) =>
      new Response(await metrics.text(), { headers: { "content-type": metricsType(request.headers.get("accept")) } });
    router.get(config.metrics.endpoint, answer, hidden);
  }
  let document: string | undefined;
  router.get(
    "/openapi",
    () => {
      document ??= makeOpenApiText(router);
      return new Response(document, { headers: { "content-type": "application/json" } });
    },
    hidden,
  );
}
