// Options of topics, streams and users as JSON (spec P9 12). In requests texts by key, as in the configuration; in replies, of
// which only clients of 0.9 see them, what is in force and whether somebody gave it.
import { type Static, Type as t } from "@sinclair/typebox";
import { encodeUtf8 } from "../../../protocol/byte-writer.ts";
import { HeaderKindCode } from "../../../protocol/user-headers.ts";
import type { OptionDescription } from "../../../protocol/v09/describe-options.ts";
import type { Option, ShownOptions } from "../../../protocol/v09/options.ts";
import { object, oneOfTexts, optional, u8 } from "./kinds.ts";

/** Missing or null: a client of 0.8 asks. */
export const givenOptions = optional(
  t.Record(t.String(), t.String(), { description: "Texts by key; what there is: `GET /options/{scope}`." }),
);

export const shownOptionsSchema = t.Record(t.String(), t.Object({ value: t.String(), explicit: t.Boolean() }), {
  description: "Only in answers to clients of 0.9: those whose login says version 0.11.0 or later.",
});

export const optionScopes = ["topic", "stream", "user"] as const;
export const optionParams = object({ scope: t.String() });

const kinds = Object.keys(HeaderKindCode) as (keyof typeof HeaderKindCode)[];

export const describedOptionSchema = t.Object({
  key: t.String(),
  kind: oneOfTexts(kinds),
  default_value: t.Array(u8, { description: "Bytes, in the kind." }),
  description: t.String(),
});

/** As a request of 0.9 carries them; undefined: none, as in one of 0.8. */
export function optionsOf(given: Static<typeof givenOptions> | undefined): readonly Option[] | undefined {
  return given ? Object.entries(given).map(([key, text]) => textOption(key, text)) : undefined;
}

export function textOption(key: string, text: string): Option {
  return { key, kind: HeaderKindCode.string, value: encodeUtf8(text) };
}

/** Sorted by key. */
export function shownOptionsJson({ explicit, derived }: ShownOptions) {
  const entries = [
    ...explicit.map((option) => [option.key, { value: textOf(option), explicit: true }] as const),
    ...derived.map((option) => [option.key, { value: textOf(option), explicit: false }] as const),
  ];
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}

export function describedOptionJson({ key, kind, defaultValue, description }: OptionDescription) {
  return {
    key,
    kind: kinds.find((name) => HeaderKindCode[name] === kind),
    default_value: [...defaultValue],
    description,
  };
}

/** Of the kinds that options have. */
function textOf({ kind, value }: Option): string {
  if (kind === HeaderKindCode.string) return new TextDecoder().decode(value);
  if (kind === HeaderKindCode.bool) return value[0] === 1 ? "true" : "false";
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return String(value.byteLength === 8 ? view.getBigUint64(0, true) : view.getUint32(0, true));
}
