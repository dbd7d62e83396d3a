// Which pages of a browser may open a connection. A browser sends the origin of the page; SDKs send none. A page may use the
// broker from its own host and port, from the dashboard, which is the same host at the HTTP port, and from the origins of
// `websocket.allowed_origins`.

export interface OriginRules {
  /** `*` allows every page. */
  readonly allowedOrigins: readonly string[];
  /** Port of the HTTP transport; 0 when it is off. */
  readonly httpPort: number;
}

/** `origin` and `host` are the headers of the request. No origin: not a browser. */
export function isAllowedOrigin(origin: string | null, host: string | null, rules: OriginRules): boolean {
  if (origin === null) return true;
  if (rules.allowedOrigins.includes("*")) return true;
  if (rules.allowedOrigins.some((allowed) => normalised(allowed) === normalised(origin))) return true;
  const page = URL.parse(origin);
  // The page's scheme gives both their default port, as a proxy in front of the broker is reached at one.
  const own = page === null || host === null ? null : URL.parse(`${page.protocol}//${host}`);
  if (page === null || own === null || page.host === "" || page.hostname !== own.hostname) return false;
  return page.host === own.host || (rules.httpPort !== 0 && portOf(page) === rules.httpPort);
}

function normalised(origin: string): string {
  return origin.replace(/\/$/, "").toLowerCase();
}

/** -1 for the default of a scheme that is none of the web's. */
function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : url.protocol === "http:" ? 80 : -1;
}
