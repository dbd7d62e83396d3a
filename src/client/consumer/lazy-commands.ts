// Commands over a connection that is opened when it is first needed.

import type { ConsumerCommands } from "./commands.ts";

/**
 * `open` is called by the first command, and again by the next one if it failed: then what waits for it rejects with its error.
 * `close` ends what was opened, also what is being opened.
 */
export function lazyCommands(open: () => Promise<ConsumerCommands>): ConsumerCommands {
  let opening: Promise<ConsumerCommands> | undefined;
  let known: ConsumerCommands | undefined;
  let isClosed = false;
  const opened = (): Promise<ConsumerCommands> => {
    opening ??= open().then(
      (commands) => {
        known = commands;
        if (isClosed) commands.close();
        return commands;
      },
      (error: unknown) => {
        opening = undefined;
        throw error;
      },
    );
    return opening;
  };
  return {
    poll: async (request) => (await opened()).poll(request),
    waitForMessages: (requests, waitMs, assignment) => known?.waitForMessages?.(requests, waitMs, assignment),
    turn: async () => (await opened()).turn(),
    isMine: async (partitionId) => (await opened()).isMine(partitionId),
    storeOffset: async (partitionId, offset) => (await opened()).storeOffset(partitionId, offset),
    deleteOffset: async (partitionId) => (await opened()).deleteOffset(partitionId),
    storedOffset: async (partitionId) => (await opened()).storedOffset(partitionId),
    createGroup: async () => (await opened()).createGroup(),
    joinGroup: async () => (await opened()).joinGroup(),
    leaveGroup: async () => (await opened()).leaveGroup(),
    partitionsCount: async () => (await opened()).partitionsCount(),
    close() {
      if (isClosed) return;
      isClosed = true;
      // One that could not be opened has told that to whoever asked.
      void opening?.then(
        (commands) => commands.close(),
        () => undefined,
      );
    },
  };
}
