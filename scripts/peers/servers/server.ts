// What a measured broker is to the comparisons: something that is installed into a cache folder, started, and stopped.

import type { RunningServer } from "../programs.ts";

/**
 * When a send is answered. `write`: once the message is with the operating system, so that it outlives the end of the broker's process,
 * but not that of the machine. `sync`: once it is on the disk. These are Whippet's own levels; every server says how it is brought to them.
 */
export type Durability = "write" | "sync";

export type PeerServer = {
  readonly name: string;
  readonly version: string;
  /** For the notes of a table: the settings that bring it to each level. */
  readonly durability: Readonly<Record<Durability, string>>;
  /** Installs it into the folder, from the package registries; does nothing where it is there already. */
  install(cache: string): Promise<void>;
  /** Starts it, with an empty directory, on a free port of 127.0.0.1. */
  start(cache: string, durability: Durability): Promise<RunningServer>;
};
