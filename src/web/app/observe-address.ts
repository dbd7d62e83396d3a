// Addresses of the pages that show how the broker does: overview, log, server.
import { type LogLevelName, logLevelNames } from "../../client/console-client.ts";
import { queryOf, root } from "./address-text.ts";

/** How far back charts go. */
export type Range = "15m" | "1h" | "24h" | "30d";
export const ranges: readonly Range[] = ["15m", "1h", "24h", "30d"];
const rangeDefault: Range = "1h";

const levelDefault: LogLevelName = "info";

export type OverviewPage = { readonly kind: "overview"; readonly range: Range };

export type LogPage = {
  readonly kind: "log";
  /** And all that are worse. */
  readonly level: LogLevelName;
  /** Part of the program, with all below it; empty: all. */
  readonly target: string;
  readonly q: string;
  /** The line that was linked to, with those before it; empty: the newest. */
  readonly at: string;
  /** New lines are shown as they come. */
  readonly isLive: boolean;
};

/** `q`: words of a setting. */
export type ServerPage = { readonly kind: "server"; readonly q: string };

export type ObservePage = OverviewPage | LogPage | ServerPage;

const kinds: ReadonlySet<string> = new Set<ObservePage["kind"]>(["overview", "log", "server"]);

export const overview: OverviewPage = { kind: "overview", range: rangeDefault };
export const newestLog: LogPage = { kind: "log", level: levelDefault, target: "", q: "", at: "", isLive: true };

export function isObservePage(page: { readonly kind: string }): page is ObservePage {
  return kinds.has(page.kind);
}

/** `parts`: of the path behind /ui, decoded. Undefined: the address is none of these pages'. */
export function readObserveAddress(parts: readonly string[], query: URLSearchParams): ObservePage | undefined {
  if (parts.length !== 1) return undefined;
  switch (parts[0]) {
    case "overview":
      return { kind: "overview", range: ranges.find((range) => range === query.get("range")) ?? rangeDefault };
    case "log": {
      const at = /^[\w.-]{1,64}$/.exec(query.get("at") ?? "")?.[0] ?? "";
      return {
        kind: "log",
        level: logLevelNames.find((level) => level === query.get("level")) ?? levelDefault,
        target: query.get("target") ?? "",
        q: query.get("q") ?? "",
        at,
        isLive: at === "" && query.get("live") !== "0",
      };
    }
    case "server":
      return { kind: "server", q: query.get("q") ?? "" };
    default:
      return undefined;
  }
}

export function writeObserveAddress(page: ObservePage): string {
  switch (page.kind) {
    case "overview":
      return `${root}/overview${queryOf({ range: page.range === rangeDefault ? "" : page.range })}`;
    case "log": {
      const { level, target, q, at, isLive } = page;
      const live = isLive || at !== "" ? "" : "0";
      return `${root}/log${queryOf({ level: level === levelDefault ? "" : level, target, q, at, live })}`;
    }
    default:
      return `${root}/server${queryOf({ q: page.q })}`;
  }
}
