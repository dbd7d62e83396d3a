// The schema by which messages of a topic are read: that of the address, or the one that this browser keeps for the topic.
import { useEffect, useState } from "preact/hooks";
import { DecodeError } from "../messages/binary/reader.ts";
import type { KeptSchema, Schema } from "../messages/schema.ts";
import { readSchemas, schemas } from "./schemas.ts";

export type OpenedSchema = {
  readonly kept: KeptSchema | undefined;
  /** Undefined while it is not open, or cannot be. */
  readonly schema: Schema | undefined;
  readonly error: DecodeError | undefined;
};

const none = { kept: undefined, schema: undefined, error: undefined } as const;

/** `name` empty: that of the topic (`stream/topic`). */
export function useSchema(name: string, topic: string): OpenedSchema {
  const [opened, setOpened] = useState<OpenedSchema>(none);
  useEffect(() => {
    void readSchemas();
  }, []);
  const all = schemas.value ?? [];
  const kept = all.find((schema) => (name === "" ? schema.topics.includes(topic) : schema.name === name));
  useEffect(() => {
    if (kept === undefined) {
      setOpened(none);
      return;
    }
    let isCurrent = true;
    // Its decoders are fetched with the first schema.
    void import("../messages/schema.ts").then(({ openSchema }) => {
      if (!isCurrent) return;
      try {
        setOpened({ kept, schema: openSchema(kept), error: undefined });
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        setOpened({ kept, schema: undefined, error });
      }
    });
    return () => {
      isCurrent = false;
    };
  }, [kept]);
  return opened.kept === kept ? opened : { kept, schema: undefined, error: undefined };
}
