// What probes of containers and load balancers ask: whether the process should be restarted, and whether it should get clients.
// Public, and answered without a look at any data.
import { Type as t } from "@sinclair/typebox";
import type { ServerContext } from "../../../server/index.ts";
import { textResponse } from "../errors.ts";
import type { HttpRouter } from "../router.ts";
import { documented } from "../schemas/documented.ts";
import type { HttpServices } from "../services.ts";

const livePath = "/health/live";
const readyPath = "/health/ready";
export const healthPaths = [livePath, readyPath] as const;

type Readiness = "ready" | "starting" | "stopping" | "stalled";

const tag = "System";
const text = { status: 200, schema: t.String(), mediaType: "text/plain" } as const;

/** Of the whole process, although shard 0 answers: it serves when every shard does. */
export function readinessOf({ shard, hasStarted, isShuttingDown }: ServerContext): Readiness {
  if (isShuttingDown()) return "stopping";
  if (!hasStarted()) return "starting";
  return shard.pulse.isAnyStalled ? "stalled" : "ready";
}

export function addHealthRoutes(router: HttpRouter, { context }: HttpServices): void {
  // The answer itself shows that the event loop turns.
  router.get(livePath, () => textResponse("live"), {
    detail: documented(tag, "Whether the process lives: no answer means that it does not", text, [], {
      isPublic: true,
    }),
  });

  const detail = documented(tag, "Whether every shard serves clients", text, [], { isPublic: true });
  const notReady = {
    description: "The broker starts or stops, or a shard has stalled: the text says which.",
    content: { "text/plain": { schema: t.String() } },
  };
  router.get(
    readyPath,
    () => {
      const readiness = readinessOf(context);
      return textResponse(readiness, readiness === "ready" ? 200 : 503);
    },
    { detail: { ...detail, responses: { ...detail.responses, 503: notReady } } },
  );
}
