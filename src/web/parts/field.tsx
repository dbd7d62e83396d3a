// A control with its name above it. The name is the label's text alone, not what is chosen.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

export function Field({
  label,
  isInline = false,
  children,
}: {
  readonly label: string;
  readonly isInline?: boolean;
  /** Makes the control, which takes the id. */
  readonly children: (id: string) => ComponentChildren;
}) {
  const id = useId();
  return (
    <div class={isInline ? "field inline" : "field"}>
      <label for={id}>{label}</label>
      {children(id)}
    </div>
  );
}
