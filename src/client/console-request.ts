// One question of the console's page over HTTP, with the cookie of the session, and what goes wrong with it.

/** An answer of `/ui/api` that is no success. */
export class ConsoleError extends Error {
  override readonly name = "ConsoleError";
  /** HTTP status; 0: no answer. */
  readonly status: number;
  /** Of the error in the answer's body, as `invalid_credentials`; empty where it has none. */
  readonly code: string;
  /** All of the answer, if it is JSON. */
  readonly body: unknown;

  constructor(status: number, code: string, reason: string, options: { cause?: unknown; body?: unknown } = {}) {
    super(reason, options);
    this.status = status;
    this.code = code;
    this.body = options.body;
  }
}

/** The answer's JSON. `path`: behind `/ui/api/`. Rejects with a ConsoleError. */
export async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await (await request(method, path, body)).json()) as T;
}

/** As `ask`, for answers without a body. */
export async function request(method: string, path: string, body?: unknown): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`/ui/api/${path}`, {
      method,
      ...(method === "GET" ? {} : { headers: { "content-type": "application/json" } }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new ConsoleError(0, "", "no answer", { cause });
  }
  if (response.ok) return response;
  const text = await response.text();
  throw errorOf(response.status, text);
}

function errorOf(status: number, text: string): ConsoleError {
  try {
    const body = JSON.parse(text) as { readonly code?: unknown; readonly reason?: unknown };
    const { code, reason } = body;
    if (typeof code === "string" && typeof reason === "string") return new ConsoleError(status, code, reason, { body });
  } catch {
    // Not JSON: the text itself is the reason.
  }
  return new ConsoleError(status, "", text);
}
