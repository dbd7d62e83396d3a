// What the console's page reads as JSON: by name below /ui/api, for who is signed in. A read is given the query of the address, and
// answers with a value or throws.
import type { ConfigReply } from "../../../protocol/console/config.ts";
import { historyLimits } from "../../../protocol/console/history.ts";
import { logLevelNames, logLimits } from "../../../protocol/console/log.ts";
import { expiryOf } from "../../../security/certificates.ts";
import { healthOf, historyOf, logOf, type Session, settingsFor } from "../../../server/index.ts";
import { HttpTextError } from "../errors.ts";
import type { HttpServices } from "../services.ts";

export type ReadRoute = (services: HttpServices, session: Session, query: URLSearchParams) => unknown;

const microsPerMilli = 1000;
const microsPerSecond = 1_000_000n;
const hourMs = 3_600_000;
const pointsDefault = 300;
const linesDefault = 200;

export const readRoutes: ReadonlyMap<string, ReadRoute> = new Map<string, ReadRoute>([
  ["health", (services, session) => healthOf(services.context, session, certificateEnds(services))],
  [
    "history",
    ({ context }, session, query) => {
      const [stream, topic] = [query.get("stream"), query.get("topic")];
      const toMs = timeOf(query, "to") ?? context.clock.nowMicros() / microsPerMilli;
      return historyOf(context, session, {
        series: (query.get("series") ?? "").split(",").filter((name) => name !== ""),
        topic: stream === null || topic === null ? undefined : { stream, topic },
        // `ago`: before now, by the clock of the broker, which that of a browser need not agree with.
        fromMs: timeOf(query, "from") ?? toMs - (timeOf(query, "ago") ?? hourMs),
        toMs,
        points: countOf(query, "points", historyLimits.points) ?? pointsDefault,
      });
    },
  ],
  [
    "config",
    async (services, session): Promise<ConfigReply> => ({
      items: await settingsFor(services.context, session),
      certificates: [...certificateEnds(services)].map(([transport, seconds]) => ({
        transport,
        endsAt: String(BigInt(seconds) * microsPerSecond),
      })),
    }),
  ],
  [
    "log",
    ({ context }, session, query) => {
      const [before, at] = [query.get("before"), query.get("at")];
      const asked = query.get("level") ?? "info";
      const level = logLevelNames.find((name) => name === asked);
      if (level === undefined) throw new HttpTextError(400, `level must be one of ${logLevelNames.join(", ")}`);
      return logOf(context, session, {
        level,
        target: query.get("target") ?? "",
        q: query.get("q") ?? "",
        limit: countOf(query, "limit", logLimits.lines) ?? linesDefault,
        ...(before === null ? {} : { before }),
        ...(at === null ? {} : { at }),
      });
    },
  ],
]);

/** In seconds of Unix time, of each transport that shows one. */
function certificateEnds({ certificates }: HttpServices): ReadonlyMap<string, number> {
  return new Map(Object.entries(certificates()).map(([transport, { certPem }]) => [transport, expiryOf(certPem)]));
}

/** µs since the epoch in the query, or a time that has passed, as ms. Throws HttpTextError. */
export function timeOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,18}$/.test(text)) throw new HttpTextError(400, `${name} must be a time in µs`);
  return Number(text) / microsPerMilli;
}

/** From 1 on; more than `max` is `max`. Throws HttpTextError. */
export function countOf(query: URLSearchParams, name: string, max: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new HttpTextError(400, `${name} must be a whole number from 1 to ${max}`);
  return Math.min(Number(text), max);
}
