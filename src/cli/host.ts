// What the command gets from the process that it runs in. Tests put their own in its place.

import type { Sink } from "./output/sink.ts";

/** What is read from the outside. */
export interface Source {
  readonly isTerminal: boolean;
  /** The next piece; undefined at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** The next line without its end; undefined at the end. */
  line(): Promise<string | undefined>;
  /** Whether a terminal gives every key as it is pressed, and shows none. */
  setRaw(isRaw: boolean): void;
}

/** Where secrets are kept, by service and name. */
export interface SecretStore {
  /** "the key ring", for sentences. */
  readonly place: string;
  get(service: string, name: string): Promise<string | undefined>;
  set(service: string, name: string, secret: string): Promise<void>;
  delete(service: string, name: string): Promise<void>;
}

export interface Host {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homePath: string;
  readonly stdin: Source;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly nowMs: () => number;
  /** The system's key ring; undefined where there is none. */
  keyRing(): Promise<SecretStore | undefined>;
  /** Shows a text with the program of a command line; false if it cannot be started. */
  page(command: string, text: string): Promise<boolean>;
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal;
}
