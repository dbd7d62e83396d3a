// The console below /ui: its page, its files, what they ask for, and its sockets. Loaded with the first request for any of them.
// The paths are few and whole, so a table finds them; the router of the REST API, with its cross-origin rules, has no part here.
import type { Server } from "bun";
import { isLoopbackName } from "../../../config/address.ts";
import { IggyError } from "../../../protocol/errors.ts";
import { disconnectClient, isServerFault } from "../../../server/index.ts";
import { FirstOfEach } from "../../first-of-each.ts";
import type { Caller } from "../auth/access-tokens.ts";
import { emptyResponse, errorResponse, jsonResponse, NotFoundError, textResponse } from "../errors.ts";
import { pathOf } from "../route-paths.ts";
import type { HttpServices } from "../services.ts";
import { ConsoleAssets } from "./assets.ts";
import { consoleOrigin } from "./console-origin.ts";
import { sessionCookie } from "./cookie.ts";
import { exportOf } from "./export-route.ts";
import { type ConsoleMethods, groupRoutes } from "./group-routes.ts";
import { addConsoleHeaders } from "./headers.ts";
import { isFromOwnPage, isOwnChange, type OwnOrigin } from "./origin.ts";
import { type ReadRoute, readRoutes } from "./read-routes.ts";
import { SessionRoutes } from "./session-routes.ts";
import type { ConsoleSocketData } from "./socket-handler.ts";
import type { ConsoleSockets, SocketKind } from "./sockets.ts";

export interface ConsoleOptions {
  readonly services: HttpServices;
  readonly sockets: ConsoleSockets;
  /** HTTPS is spoken here. */
  readonly isTls: boolean;
  /** Of the listener. */
  readonly port: () => number;
}

const apiPrefix = "/ui/api/";
const assetsPrefix = "/ui/assets/";
const socketPaths: ReadonlyMap<string, SocketKind> = new Map([
  ["/ui/socket", "binary"],
  ["/ui/live", "live"],
]);
/** Of a client id: u32. */
const clientPath = /^clients\/(\d{1,10})$/;
const bearerPattern = /^Bearer (.+)$/i;
/** For those who work on the page: it is bundled anew whenever it is asked for. */
const isWatching = process.env.WHIPPET_UI_WATCH === "1";

const forbiddenOriginBody = {
  id: 403,
  code: "forbidden_origin",
  reason: "Only the console's own page may do this; behind a proxy, http.web_ui_origin says where that page is",
  field: null,
};

export class Console {
  readonly #options: ConsoleOptions;
  readonly #own: OwnOrigin;
  readonly #sessions: SessionRoutes;
  #assets: Promise<ConsoleAssets> | undefined;
  readonly #refused = new FirstOfEach();
  /** Of those who are signed in. */
  readonly #routes: ReadonlyMap<string, ConsoleMethods>;

  constructor(options: ConsoleOptions) {
    const { services, sockets, isTls, port } = options;
    this.#options = options;
    this.#own = { isTls, configured: services.config.webUiOrigin };
    const isSecure = isTls || services.config.webUiOrigin.startsWith("https:");
    this.#sessions = new SessionRoutes(services, sockets.signIns, () => sessionCookie(port(), isSecure));
    this.#routes = groupRoutes(services, sockets.groupLags);
  }

  /** Never rejects; undefined: the request became a socket. */
  async fetch(request: Request, server: Server<ConsoleSocketData>): Promise<Response | undefined> {
    let response: Response | undefined;
    try {
      response = await this.#answer(pathOf(request.url), request, server);
    } catch (error) {
      if (isServerFault(error)) {
        this.#options.services.log.error("request failed", { method: request.method, url: request.url, error });
      }
      response = errorResponse(error);
    }
    if (response !== undefined) addConsoleHeaders(response, this.#isSecureContext(request));
    return response;
  }

  #answer(
    path: string,
    request: Request,
    server: Server<ConsoleSocketData>,
  ): Promise<Response | undefined> | Response | undefined {
    const socketKind = socketPaths.get(path);
    if (socketKind !== undefined) return this.#openSocket(request, server, socketKind);
    if (path.startsWith(apiPrefix)) return this.#api(path.slice(apiPrefix.length), request);
    if (request.method !== "GET" && request.method !== "HEAD") return methodNotAllowed(["GET", "HEAD"]);
    return this.#file(path, request);
  }

  // The page and its files.

  async #file(path: string, request: Request): Promise<Response> {
    let assets: ConsoleAssets;
    try {
      if (isWatching && !path.startsWith(assetsPrefix)) this.#assets = undefined;
      assets = await this.#loadedAssets();
    } catch (error) {
      this.#options.services.log.error("the console's page could not be bundled", { error });
      return textResponse(`The console's page could not be bundled.\n${String(error)}\n`, 503);
    }
    if (!path.startsWith(assetsPrefix)) return await assets.page(request);
    return (await assets.file(request, path.slice(assetsPrefix.length))) ?? emptyResponse(404);
  }

  /** The next request tries again where this one did not succeed. */
  #loadedAssets(): Promise<ConsoleAssets> {
    this.#assets ??= ConsoleAssets.load(consoleOrigin);
    const loading = this.#assets;
    loading.catch(() => {
      if (this.#assets === loading) this.#assets = undefined;
    });
    return loading;
  }

  // What the page asks for.

  async #api(name: string, request: Request): Promise<Response> {
    const { method } = request;
    const isRead = method === "GET" || method === "HEAD";
    if (name === "hello") {
      return isRead ? this.#sessions.hello((await this.#loadedAssets()).hash) : methodNotAllowed(["GET", "HEAD"]);
    }
    const methods = this.#routes.get(name);
    const clientId = clientPath.exec(name)?.[1];
    const read = readRoutes.get(name);
    const isKnown = methods !== undefined || read !== undefined || clientId !== undefined;
    if (!isKnown && name !== "session" && name !== "export") throw new NotFoundError();
    const bearer = bearerPattern.exec(request.headers.get("authorization") ?? "")?.[1];
    if (!isRead && bearer === undefined && !isOwnChange(request, this.#own)) return this.#forbiddenOrigin(request);
    const caller =
      bearer === undefined
        ? await this.#sessions.callerOfCookie(request)
        : await this.#options.services.tokens.authenticateAny(bearer);
    if (clientId !== undefined) {
      return method === "DELETE" ? await this.#disconnect(caller, Number(clientId)) : methodNotAllowed(["DELETE"]);
    }
    if (name === "export") {
      const { services, sockets } = this.#options;
      return isRead ? exportOf(services, sockets.signIns, caller, request) : methodNotAllowed(["GET", "HEAD"]);
    }
    if (read !== undefined) {
      return isRead ? await this.#read(read, caller, request) : methodNotAllowed(["GET", "HEAD"]);
    }
    if (methods !== undefined) return await this.#route(methods, request, caller);
    if (isRead) return this.#sessions.show(caller);
    if (method === "POST") return await this.#sessions.signIn(request, caller);
    if (method === "DELETE") return await this.#sessions.signOut(caller);
    return methodNotAllowed(["GET", "HEAD", "POST", "DELETE"]);
  }

  /** A session that changes nothing is answered to GET only. */
  async #route(methods: ConsoleMethods, request: Request, caller: Caller | undefined): Promise<Response> {
    const isRead = request.method === "GET" || request.method === "HEAD";
    const answer = isRead ? methods.GET : methods[request.method as keyof ConsoleMethods];
    if (answer === undefined) {
      const allowed = Object.keys(methods);
      return methodNotAllowed(methods.GET === undefined ? allowed : ["HEAD", ...allowed]);
    }
    if (caller === undefined) throw new IggyError("Unauthenticated");
    if (!isRead && this.#sessions.isReadOnly(caller)) throw new IggyError("Unauthorized");
    return await answer({ request, query: new URL(request.url).searchParams, caller });
  }

  async #read(read: ReadRoute, caller: Caller | undefined, request: Request): Promise<Response> {
    if (caller === undefined) throw new IggyError("Unauthenticated");
    return jsonResponse(await read(this.#options.services, caller.session, new URL(request.url).searchParams));
  }

  async #disconnect(caller: Caller | undefined, clientId: number): Promise<Response> {
    if (caller === undefined) throw new IggyError("Unauthenticated");
    if (this.#sessions.isReadOnly(caller)) throw new IggyError("Unauthorized");
    await disconnectClient(this.#options.services.context, caller.session, clientId);
    return emptyResponse(204);
  }

  async #openSocket(
    request: Request,
    server: Server<ConsoleSocketData>,
    kind: SocketKind,
  ): Promise<Response | undefined> {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      const headers = { upgrade: "websocket", connection: "Upgrade" };
      return new Response("Only WebSocket connections are served here.\n", { status: 426, headers });
    }
    if (!isFromOwnPage(request, this.#own)) return this.#forbiddenOrigin(request);
    const caller = await this.#sessions.callerOfCookie(request);
    if (caller === undefined) return emptyResponse(401);
    const { services, sockets } = this.#options;
    const isReadOnly = this.#sessions.isReadOnly(caller);
    return sockets.upgrade(request, server, kind, { address: services.peerOf(request), caller, isReadOnly });
  }

  /** A page of somebody else, or the own one behind a proxy that nobody has told the broker of: once for each. */
  #forbiddenOrigin({ headers }: Request): Response {
    const [origin, host] = [headers.get("origin"), headers.get("host")];
    if (this.#refused.isNew(`${origin} ${host}`)) {
      const hint = "behind a proxy, http.web_ui_origin says where the console's page is";
      this.#options.services.log.warn("refused what is not the console's own page", { origin, host, hint });
    }
    return Response.json(forbiddenOriginBody, { status: 403 });
  }

  #isSecureContext(request: Request): boolean {
    if (this.#own.isTls || this.#own.configured.startsWith("https:")) return true;
    const host = URL.parse(`http://${request.headers.get("host") ?? ""}`)?.hostname ?? "";
    return isLoopbackName(host) || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
  }
}

function methodNotAllowed(methods: readonly string[]): Response {
  return new Response(null, { status: 405, headers: { allow: methods.join(",") } });
}
