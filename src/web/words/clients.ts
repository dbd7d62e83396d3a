// Texts of the pages of clients.
import { counted } from "./numbers.ts";

export const clientsText = {
  title: "Clients",
  summary: (shown: number, all: number) =>
    shown === all ? counted(all, "client") : `${shown} of ${counted(all, "client")}`,
  columns: { id: "Client", user: "User", address: "Address", transport: "Transport", groups: "Groups" },
  user: "User",
  transport: "Transport",
  any: "any",
  nobody: "nobody yet",
  userById: (id: number) => `user ${id}`,
  note: "Clients of HTTP are not connected between two requests, and are not listed.",
  none: "No client is like that.",
  one: (id: number) => `Client ${id}`,
  gone: (id: number) => `Client ${id} is not connected any more.`,
  own: "This is the connection of this window.",
  groupsTitle: "Consumer groups",
  noGroups: "It is a member of no consumer group.",
  group: "Group",
  topic: "Topic",
  unseen: (kind: string, id: number) => `${kind} ${id}`,
  disconnect: "Disconnect…",
  disconnectTitle: (id: number) => `Disconnect client ${id}`,
  disconnectAction: (id: number) => `Disconnect client ${id}`,
  disconnectText: (who: string, address: string) =>
    `The connection of ${who} from ${address} is cut, and its partitions go to other members of its groups. Most clients connect again by themselves: to keep a user out, disable the user.`,
  disconnected: (id: number) => `Client ${id} is disconnected.`,
} as const;
