// Where messages are sent: stream, topic, and how the partition is chosen.
import type { Partitioning } from "../../../client/console-client.ts";
import { Field } from "../../parts/field.tsx";
import { publishWords as text } from "../../words/publish.ts";

const ways = ["balanced", "key", "partition"] as const;

/** As typed. */
export type Target = {
  readonly stream: string;
  readonly topic: string;
  readonly way: (typeof ways)[number];
  /** A key or a number. */
  readonly value: string;
};

const keyBytesMax = 255;

/** Undefined where what is typed chooses no partition. */
export function partitioningOf({ way, value }: Target): Partitioning | undefined {
  if (way === "balanced") return { kind: way };
  if (way === "partition") {
    return /^\d{1,9}$/.test(value.trim()) ? { kind: way, partitionId: Number(value) } : undefined;
  }
  const key = new TextEncoder().encode(value);
  return key.length > 0 && key.length <= keyBytesMax ? { kind: way, key } : undefined;
}

export function targetText({ stream, topic, way, value }: Target): string {
  const chosen = way === "balanced" ? "" : `, ${way === "key" ? text.key : text.partition} ${value}`;
  return `${stream}/${topic}${chosen}`;
}

export function TargetFields({
  target,
  onChange,
}: {
  readonly target: Target;
  readonly onChange: (target: Target) => void;
}) {
  return (
    <div class="controls">
      <Field label={text.stream}>
        {(id) => (
          <input
            id={id}
            value={target.stream}
            required
            onInput={({ currentTarget }) => onChange({ ...target, stream: currentTarget.value })}
          />
        )}
      </Field>
      <Field label={text.topic}>
        {(id) => (
          <input
            id={id}
            value={target.topic}
            required
            onInput={({ currentTarget }) => onChange({ ...target, topic: currentTarget.value })}
          />
        )}
      </Field>
      <Field label={text.partitioning}>
        {(id) => (
          <select
            id={id}
            value={target.way}
            onChange={({ currentTarget }) =>
              onChange({ ...target, way: currentTarget.value as Target["way"], value: "" })
            }
          >
            {ways.map((way) => (
              <option key={way} value={way}>
                {text.ways[way]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {target.way === "balanced" ? null : (
        <Field label={target.way === "key" ? text.key : text.partition}>
          {(id) => (
            <input
              id={id}
              value={target.value}
              inputMode={target.way === "partition" ? "numeric" : "text"}
              required
              autocomplete="off"
              onInput={({ currentTarget }) => onChange({ ...target, value: currentTarget.value })}
            />
          )}
        </Field>
      )}
      {target.way === "key" ? <p class="muted problem-line">{text.keyNote}</p> : null}
    </div>
  );
}
