// What the commands of this folder are told from outside, and where they write.

export interface BackupHost {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /** Data. */
  readonly print: (text: string) => void;
  /** What is said about it. */
  readonly say: (text: string) => void;
  /** Replaces the line that it showed before; undefined where nobody looks. */
  readonly showProgress?: ((text: string) => void) | undefined;
  /** The user wants it to end. */
  readonly signal?: AbortSignal | undefined;
  /** From now on nobody looks at `signal`: an interrupt may end the process at once. */
  readonly onUninterruptible?: (() => void) | undefined;
}

/** It cannot be done; the message says why, and what to do. */
export class BackupError extends Error {
  override readonly name = "BackupError";
}
