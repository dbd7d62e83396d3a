/** A stream of bytes to the outside. */
export interface Sink {
  readonly isTerminal: boolean;
  /** Size of the terminal; undefined where there is none. */
  readonly size: { readonly columns: number; readonly rows: number } | undefined;
  /** Resolves when it may be written again. */
  write(data: string | Uint8Array): Promise<void>;
}
