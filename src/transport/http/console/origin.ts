// Who may act with the cookie of the console. A browser sends the cookie along with what any page of the same site asks for, and
// a site is a host whatever the port: so what changes something, and every socket, has to come from the console's own page.

export interface OwnOrigin {
  readonly isTls: boolean;
  /** `http.web_ui_origin`: where browsers reach the broker, if a proxy changes the host or ends TLS; empty: as they say. */
  readonly configured: string;
}

/** The origin of the console's page, as the browser that sent the request knows it; undefined without a host. */
export function ownOriginOf({ headers }: Request, { isTls, configured }: OwnOrigin): string | undefined {
  if (configured !== "") return configured;
  const host = headers.get("host");
  return host === null || host === "" ? undefined : `${isTls ? "https" : "http"}://${host.toLowerCase()}`;
}

/** Whether a socket is opened by the console's own page. */
export function isFromOwnPage(request: Request, own: OwnOrigin): boolean {
  const origin = request.headers.get("origin");
  return origin !== null && origin.toLowerCase() === ownOriginOf(request, own);
}

/**
 * Whether a request that changes something is one of the console's own page. Forms have other content types; browsers say where
 * a request comes from, but in pages of plain HTTP from another machine, where the origin has to do.
 */
export function isOwnChange(request: Request, own: OwnOrigin): boolean {
  const { headers } = request;
  if (!/^application\/json\s*(?:;|$)/i.test(headers.get("content-type") ?? "")) return false;
  const site = headers.get("sec-fetch-site");
  return site === null ? isFromOwnPage(request, own) : site === "same-origin";
}
