// Headers of every answer below /ui. The page runs no script and no style but its own, is framed by nobody and says nothing of
// where it is to other sites. Nothing here depends on `http.cors`: no page of another origin reads anything below /ui.

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types console",
].join("; ");

const everywhere: Readonly<Record<string, string>> = {
  "content-security-policy": contentSecurityPolicy,
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

/**
 * Adds them. `isSecureContext`: TLS, or a host of this machine; elsewhere browsers do not know Cross-Origin-Opener-Policy, and
 * complain about it.
 */
export function addConsoleHeaders({ headers }: Response, isSecureContext: boolean): void {
  for (const [name, value] of Object.entries(everywhere)) headers.set(name, value);
  if (isSecureContext) headers.set("cross-origin-opener-policy", "same-origin");
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
}
