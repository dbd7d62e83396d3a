// How long messages are kept and how large a topic may be: as the server has it, up to a limit, or without one.
import { type Choice, sizeUnits, timeUnits, type Units } from "../data/retention.ts";
import { session } from "../data/session.ts";
import { manage as text } from "../words/manage.ts";
import { Field } from "./field.tsx";

export type RetentionChoice = { readonly keep: Choice; readonly limit: Choice };

export function RetentionFields({
  value: { keep, limit },
  onChange,
}: {
  readonly value: RetentionChoice;
  readonly onChange: (value: RetentionChoice) => void;
}) {
  const { value } = session;
  const retention = value.kind === "signedIn" ? value.session.broker.retention : undefined;
  return (
    <>
      <LimitField
        label={text.keep}
        kinds={text.keepKinds}
        serverValue={BigInt(retention?.messageExpiry ?? 0)}
        amountLabel={text.keepAmount}
        units={timeUnits}
        choice={keep}
        onChange={(next) => onChange({ keep: next, limit })}
      />
      <LimitField
        label={text.limit}
        kinds={text.limitKinds}
        serverValue={BigInt(retention?.maxTopicSize ?? 0)}
        amountLabel={text.limitAmount}
        units={sizeUnits}
        choice={limit}
        onChange={(next) => onChange({ keep, limit: next })}
      />
    </>
  );
}

function LimitField({
  label,
  kinds,
  serverValue,
  amountLabel,
  units,
  choice,
  onChange,
}: {
  readonly label: string;
  readonly kinds: {
    readonly default: (value: bigint) => string;
    readonly limit: string;
    readonly none: string;
  };
  readonly serverValue: bigint;
  readonly amountLabel: string;
  readonly units: Units;
  readonly choice: Choice;
  readonly onChange: (choice: Choice) => void;
}) {
  return (
    <div class="controls">
      <Field label={label}>
        {(id) => (
          <select
            id={id}
            value={choice.kind}
            onChange={({ currentTarget }) => onChange({ ...choice, kind: currentTarget.value as Choice["kind"] })}
          >
            <option value="default">{kinds.default(serverValue)}</option>
            <option value="limit">{kinds.limit}</option>
            <option value="none">{kinds.none}</option>
          </select>
        )}
      </Field>
      {choice.kind === "limit" ? (
        <>
          <Field label={amountLabel}>
            {(id) => (
              <input
                id={id}
                value={choice.amount}
                inputMode="numeric"
                autocomplete="off"
                onInput={({ currentTarget }) => onChange({ ...choice, amount: currentTarget.value })}
              />
            )}
          </Field>
          <Field label={text.unit}>
            {(id) => (
              <select
                id={id}
                value={choice.unit}
                onChange={({ currentTarget }) => onChange({ ...choice, unit: currentTarget.value })}
              >
                {Object.keys(units).map((unit) => (
                  <option key={unit} value={unit}>
                    {unit}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </>
      ) : null}
    </div>
  );
}
