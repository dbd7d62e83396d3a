// Texts of the finder.
import { counted } from "./numbers.ts";

export const finder = {
  label: "Find a page, stream, topic, group or user",
  list: "Found",
  kinds: { page: "page", action: "action", stream: "stream", topic: "topic", group: "group", user: "user" },
  newStream: "New stream",
  newUser: "New user",
  ownAccount: "Account, tokens and password",
  none: (query: string) => `Nothing is called "${query}".`,
  looking: "Still looking…",
  hits: (count: number, isMore: boolean) => (isMore ? `the first ${count}` : counted(count, "hit")),
  failed: "Not everything could be looked through.",
  keys: "Arrows choose, Enter opens, Esc closes.",
} as const;
