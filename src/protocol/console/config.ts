// The settings of the broker as it runs: GET /ui/api/config. Additive to it are the certificates that transports show.

export type SettingRow = {
  /** `tcp.address`. */
  readonly key: string;
  /** As TOML; of a secret that is set only asterisks; empty: it is not set. */
  readonly value: string;
  /** `program`: what starts the broker has changed it, as to fit a limit of memory. */
  readonly from: "default" | "file" | "environment" | "program";
  /** It differs from the default. */
  readonly isChanged: boolean;
  readonly doc: string;
};

export type ConfigReply = {
  /** In the order of the configuration file. */
  readonly items: readonly SettingRow[];
  /** `endsAt`: µs since the epoch, as decimal text. */
  readonly certificates: readonly { readonly transport: string; readonly endsAt: string }[];
};
