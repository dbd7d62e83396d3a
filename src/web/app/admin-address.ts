// Addresses of the pages that manage things: settings of streams and topics, clients, users.
import { encode, queryOf, root } from "./address-text.ts";

export type ClientsPage = {
  readonly kind: "clients";
  readonly q: string;
  /** Name of a user, or id where the name is not known; empty: any. */
  readonly user: string;
  /** Empty: any. */
  readonly transport: string;
};

/** What a new user is to be able to do first: of one topic. */
export type Task = "read" | "poll" | "send" | "manage";
export const tasks: readonly Task[] = ["read", "poll", "send", "manage"];

export type NewUserPage = {
  readonly kind: "newUser";
  /** Undefined: not chosen yet. */
  readonly topic: { readonly stream: string; readonly topic: string } | undefined;
  readonly task: Task;
};

export type AdminPage =
  | ClientsPage
  | NewUserPage
  | { readonly kind: "client"; readonly clientId: number }
  | { readonly kind: "users"; readonly q: string }
  | { readonly kind: "user"; readonly name: string }
  | { readonly kind: "streamSettings"; readonly stream: string }
  | { readonly kind: "topicSettings"; readonly stream: string; readonly topic: string };

const kinds: ReadonlySet<string> = new Set<AdminPage["kind"]>([
  "clients",
  "client",
  "users",
  "newUser",
  "user",
  "streamSettings",
  "topicSettings",
]);
const u32Max = 2 ** 32 - 1;
const newName = "new";

export const allClients: ClientsPage = { kind: "clients", q: "", user: "", transport: "" };

export function isAdminPage(page: { readonly kind: string }): page is AdminPage {
  return kinds.has(page.kind);
}

/** `parts`: of the path behind /ui, decoded. Undefined: the address is none of these pages'. */
export function readAdminAddress(parts: readonly string[], query: URLSearchParams): AdminPage | undefined {
  const [first, second, third, fourth, fifth] = parts;
  if (first === "streams" && second !== undefined && third === "settings" && parts.length === 3) {
    return { kind: "streamSettings", stream: second };
  }
  if (first === "streams" && second !== undefined && third === "topics" && fourth !== undefined) {
    return fifth === "settings" && parts.length === 5
      ? { kind: "topicSettings", stream: second, topic: fourth }
      : undefined;
  }
  if (parts.length > 2) return undefined;
  const value = (name: string) => query.get(name) ?? "";
  if (first === "clients") {
    if (second === undefined) {
      return { kind: "clients", q: value("q"), user: value("user"), transport: value("transport") };
    }
    const clientId = /^\d{1,10}$/.test(second) ? Number(second) : Number.NaN;
    return clientId <= u32Max ? { kind: "client", clientId } : undefined;
  }
  if (first !== "users") return undefined;
  if (second === undefined) return { kind: "users", q: value("q") };
  // A user may have that name, too.
  if (second !== newName || value("of") === "user") return { kind: "user", name: second };
  const [stream, topic] = value("for").split("/").map(decodeOrEmpty);
  return {
    kind: "newUser",
    topic: stream && topic ? { stream, topic } : undefined,
    task: tasks.find((task) => task === value("task")) ?? "read",
  };
}

export function writeAdminAddress(page: AdminPage): string {
  switch (page.kind) {
    case "clients":
      return `${root}/clients${queryOf({ q: page.q, user: page.user, transport: page.transport })}`;
    case "client":
      return `${root}/clients/${page.clientId}`;
    case "users":
      return `${root}/users${queryOf({ q: page.q })}`;
    case "user":
      return `${root}/users/${encode(page.name)}${page.name === newName ? "?of=user" : ""}`;
    case "newUser": {
      const { topic, task } = page;
      const wanted = topic && [topic.stream, topic.topic].map(encodeURIComponent).join("/");
      return `${root}/users/${newName}${queryOf({ for: wanted ?? "", task: task === "read" ? "" : task })}`;
    }
    case "streamSettings":
      return `${root}/streams/${encode(page.stream)}/settings`;
    default:
      return `${root}/streams/${encode(page.stream)}/topics/${encode(page.topic)}/settings`;
  }
}

function decodeOrEmpty(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return ""; // percent signs that encode nothing
  }
}
