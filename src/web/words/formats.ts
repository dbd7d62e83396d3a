// Texts of formats and schemas.
import type { DecodeProblem } from "../messages/binary/reader.ts";
import { count } from "./numbers.ts";

export const formatWords = {
  formats: {
    auto: "auto",
    json: "JSON",
    text: "text",
    hex: "hex",
    base64: "base64",
    messagepack: "MessagePack",
    cbor: "CBOR",
    avro: "Avro",
    protobuf: "Protobuf",
  },
  notText: "These bytes are not UTF-8 text. They are shown as hex.",
  notJson: "These bytes are not JSON. They are shown as hex.",
  failed: (format: string, problem: string) => `This does not read as ${format}: ${problem} It is shown as hex.`,
  needsSchema: (format: string) => `${format} is read by a schema. Choose one, or add it.`,
  problems: {
    ends: (position: string) => `it ends too early, at byte ${position}.`,
    rest: (position: string, detail: string) => `it is whole at byte ${position}, and ${detail} bytes follow.`,
    unknown: (position: string, detail: string) => `${detail} at byte ${position} means nothing.`,
    text: (position: string) => `the text at byte ${position} is not UTF-8.`,
    deep: (position: string, detail: string) =>
      `more than ${count(Number(detail))} values are in each other, at byte ${position}.`,
    many: (position: string, detail: string) =>
      `it has more than ${count(Number(detail))} values, at byte ${position}.`,
    value: (position: string, detail: string) =>
      `the value at byte ${position} is not what the schema says (${detail}).`,
    schema: (_: string, detail: string) => `the schema does not do: ${detail}.`,
  } satisfies Readonly<Record<DecodeProblem, (position: string, detail: string) => string>>,
  schema: "Schema",
  noSchema: "none",
  type: "Message type",
  add: "Add a schema…",
  files: "Files: one .avsc, or .proto files, or a descriptor set",
  name: "Name",
  keep: "Keep in this browser",
  kept: "Kept in this browser, and used for this topic.",
  notKept: "This browser keeps nothing for this page: the schema is there until you leave it.",
  remove: "Remove the schema",
  bad: (problem: string) => `These files are no schema: ${problem}`,
  noFiles: "Choose a file.",
} as const;
