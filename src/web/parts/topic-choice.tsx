// A stream and one of its topics, chosen from lists that the user may see.
import { useLoaded } from "../data/loaded.ts";
import { topicsOf } from "../data/object-names.ts";
import { ownPermissions } from "../data/rights.ts";
import { visibleStreams } from "../data/streams.ts";
import { users as text } from "../words/users.ts";
import { Field } from "./field.tsx";

export type ChosenTopic = {
  readonly streamId: number | undefined;
  /** Undefined: the whole stream, or nothing yet. */
  readonly topicId: number | undefined;
};

type Named = { readonly id: number; readonly name: string };

export function TopicChoice({
  value,
  onChange,
  none,
}: {
  readonly value: ChosenTopic;
  /** With the names, as they are shown. */
  readonly onChange: (value: ChosenTopic, stream: string, topic: string) => void;
  /** What no topic means. */
  readonly none: string;
}) {
  const { streamId, topicId } = value;
  const streams = useLoaded("choice", "", (from) => visibleStreams(from, ownPermissions()), { kinds: ["stream"] });
  const topics = useLoaded(
    `choice ${streamId}`,
    "",
    async (from) => (streamId === undefined ? [] : await topicsOf(from, streamId)),
    { kinds: ["topic"] },
  );
  const nameOf = (all: readonly Named[] | undefined, id: number | undefined) =>
    all?.find((one) => one.id === id)?.name ?? "";
  const stream = nameOf(streams.value, streamId);
  return (
    <>
      <Select
        label={text.addStream}
        none={text.choose}
        all={streams.value ?? []}
        value={streamId}
        onChange={(id) => onChange({ streamId: id, topicId: undefined }, nameOf(streams.value, id), "")}
      />
      <Select
        label={text.addTopic}
        none={none}
        all={topics.value ?? []}
        value={topicId}
        onChange={(id) => onChange({ streamId, topicId: id }, stream, nameOf(topics.value, id))}
      />
    </>
  );
}

function Select({
  label,
  none,
  all,
  value,
  onChange,
}: {
  readonly label: string;
  readonly none: string;
  readonly all: readonly Named[];
  readonly value: number | undefined;
  readonly onChange: (id: number | undefined) => void;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <select
          id={id}
          value={value ?? ""}
          onChange={({ currentTarget: { value: chosen } }) => onChange(chosen === "" ? undefined : Number(chosen))}
        >
          <option value="">{none}</option>
          {all.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
