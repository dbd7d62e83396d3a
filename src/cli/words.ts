// Every word that `whippet` knows, by what one wants to do with it. The commands behind a word are loaded when it is used, so that the
// overview, the version and the completion of a word come at once.

import type { Word, WordGroup } from "./word.ts";

export const wordGroups: readonly WordGroup[] = [
  {
    title: "Run and look after a server",
    words: [
      { word: "server", summary: "Start a server: what whippet alone does" },
      {
        word: "ping",
        summary: "Measure how long the server takes to answer",
        load: async () => (await import("./commands/ping.ts")).commands,
      },
      {
        word: "stats",
        summary: "Show what the server holds and uses",
        load: async () => (await import("./commands/stats.ts")).commands,
      },
      {
        word: "top",
        summary: "Watch topics, groups and clients as they change",
        load: async () => (await import("./commands/top.ts")).commands,
      },
      {
        word: "cluster",
        alias: "cl",
        summary: "Show the nodes of the cluster",
        load: async () => (await import("./commands/cluster.ts")).commands,
      },
      {
        word: "snapshot",
        summary: "Write an archive about the server and its machine",
        load: async () => (await import("./commands/snapshot.ts")).commands,
      },
      { word: "doctor", summary: "Look through a data directory, say what is damaged, repair what a start repairs" },
      { word: "backup", summary: "Copy everything that a running server has, while it works" },
      { word: "restore", summary: "Make a data directory of a backup" },
      { word: "bench", summary: "Measure a server under load" },
    ],
  },
  {
    title: "Streams and topics",
    words: [
      {
        word: "stream",
        alias: "s",
        summary: "Make, show, change, empty and delete streams",
        load: async () => (await import("./commands/stream.ts")).commands,
      },
      {
        word: "topic",
        alias: "t",
        summary: "Make, show, change, empty and delete topics",
        load: async () => (await import("./commands/topic.ts")).commands,
      },
      {
        word: "partition",
        alias: "p",
        summary: "Add and delete partitions of a topic",
        load: async () => (await import("./commands/partition.ts")).commands,
      },
      {
        word: "segment",
        alias: "seg",
        summary: "Delete the oldest segments of a partition",
        load: async () => (await import("./commands/segment.ts")).commands,
      },
    ],
  },
  {
    title: "Messages and who reads them",
    words: [
      {
        word: "message",
        alias: "m",
        summary: "Send, read and flush messages",
        load: async () => (await import("./commands/message.ts")).commands,
      },
      {
        word: "tail",
        summary: "Show messages as they come",
        load: async () => (await import("./commands/tail.ts")).commands,
      },
      {
        word: "export",
        summary: "Write a topic, or a part of it, to a file",
        load: async () => (await import("./commands/export.ts")).commands,
      },
      {
        word: "import",
        summary: "Send the messages of a file to a topic",
        load: async () => (await import("./commands/import.ts")).commands,
      },
      {
        word: "consumer-group",
        alias: "g",
        summary: "Make, show and delete consumer groups",
        load: async () => (await import("./commands/consumer-group.ts")).commands,
      },
      {
        word: "consumer-offset",
        alias: "o",
        summary: "Show and set where consumers go on",
        load: async () => (await import("./commands/consumer-offset.ts")).commands,
      },
    ],
  },
  {
    title: "Who is there, and who may what",
    words: [
      {
        word: "me",
        summary: "Show this connection and its user",
        load: async () => (await import("./commands/me.ts")).commands,
      },
      {
        word: "client",
        alias: "c",
        summary: "Show who is connected",
        load: async () => (await import("./commands/client.ts")).commands,
      },
      {
        word: "user",
        alias: "u",
        summary: "Make, show, change and delete users",
        load: async () => (await import("./commands/user.ts")).commands,
      },
      {
        word: "pat",
        summary: "Make, list and delete personal access tokens",
        load: async () => (await import("./commands/pat.ts")).commands,
      },
    ],
  },
  {
    title: "This command",
    words: [
      {
        word: "context",
        alias: "ctx",
        summary: "Keep servers under names",
        load: async () => (await import("./commands/context.ts")).commands,
      },
      {
        word: "login",
        alias: "li",
        summary: "Log in, for the commands that follow",
        load: async () => (await import("./commands/login.ts")).commands,
      },
      {
        word: "logout",
        alias: "lo",
        summary: "Log out",
        load: async () => (await import("./commands/logout.ts")).commands,
      },
      {
        word: "completion",
        summary: "Complete words, options and names in a shell",
        load: async () => (await import("./commands/completion.ts")).commands,
      },
    ],
  },
];

export const words: readonly Word[] = wordGroups.flatMap((group) => group.words);
