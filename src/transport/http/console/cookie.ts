// The cookie that holds the access token of a session. No script can read it, no other site can make a browser send it, and the
// REST API, whose paths are not below /ui, never gets it. It has no date: it goes with the browser, the token ends by itself.

export interface SessionCookie {
  readonly name: string;
  readonly isSecure: boolean;
}

/** `port`: of the listener; browsers do not tell the cookies of two ports of a host apart (RFC 6265 8.5). */
export function sessionCookie(port: number, isSecure: boolean): SessionCookie {
  return { name: `${isSecure ? "__Secure-" : ""}whippet-${port}`, isSecure };
}

/** The token of a request; undefined without one. */
export function readCookie({ headers }: Request, { name }: SessionCookie): string | undefined {
  for (const pair of (headers.get("cookie") ?? "").split(";")) {
    const [key, value] = pair.trim().split("=", 2);
    if (key === name && value !== undefined && value !== "") return value;
  }
  return undefined;
}

/** Value of Set-Cookie; an empty token takes the cookie away. */
export function writeCookie({ name, isSecure }: SessionCookie, token: string): string {
  const ends = token === "" ? "; Max-Age=0" : "";
  return `${name}=${token}; Path=/ui; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}${ends}`;
}
