// A copy of the state as bytes, for other threads: whoever hands it on neither unpacks it nor keeps a copy of its own.
import { deserialize, serialize } from "bun:jsc";
import type { MetadataState } from "./state.ts";

/** All of it, members of groups and the lock of users included; in memory that threads share. */
export function packState(state: MetadataState): SharedArrayBuffer {
  return serialize(state);
}

/** A copy of what was packed, as `structuredClone` would have made it. `packed` comes from `packState` of the same process. */
export function unpackState(packed: SharedArrayBuffer): MetadataState {
  return deserialize(packed) as MetadataState;
}
