// What a client of 0.9 gets in place of a reply where its login or its session is at fault (spec P9 4.7).
import type { EvictionReasonName } from "../../protocol/v09/headers.ts";

export class Eviction extends Error {
  override readonly name = "Eviction";
  readonly reason: EvictionReasonName;

  constructor(reason: EvictionReasonName, options?: ErrorOptions) {
    super(`the client is sent away: ${reason}`, options);
    this.reason = reason;
  }
}
