// The metrics as they are now. The server gives an answer that took it long to make once more within the next second; on a
// busy machine any answer may take long.
import { eventually } from "../support/process-facts.ts";
import type { TestServer } from "../support/server.ts";

function requestsCountOf(text: string): number {
  const count = /^http_requests_total (\d+)$/m.exec(text)?.[1];
  if (count === undefined) throw new Error(`no count of requests in: ${text}`);
  return Number(count);
}

/** Asks until an answer counts more requests than the first one did: it was made after this call. */
export async function freshAnswer(ask: () => Promise<string>): Promise<string> {
  const first = requestsCountOf(await ask());
  return eventually("an answer that is made anew", ask, (text) => requestsCountOf(text) > first);
}

/** The same from `/metrics`, where it takes no token. No connection stays. */
export function freshMetrics(server: TestServer): Promise<string> {
  const address = `http://${server.host}:${server.portOf("http")}/metrics`;
  return freshAnswer(async () => (await fetch(address, { headers: { connection: "close" } })).text());
}
