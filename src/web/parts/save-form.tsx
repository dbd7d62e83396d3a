// A form that is saved on its page: its foot says what went wrong, and one save is under way at a time.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { writeErrorText } from "../app/errors.ts";

export function SaveForm({
  title,
  action,
  isDisabled = false,
  onSave,
  onEnd,
  children,
}: {
  /** Of its fields, for readers. */
  readonly title: string;
  /** What the button does. */
  readonly action: string;
  /** Its fields are only shown, and there is no button. */
  readonly isDisabled?: boolean;
  /** Rejects with what goes wrong: the form says it. */
  readonly onSave: () => Promise<void>;
  /** After each try, whether it went well or not. */
  readonly onEnd?: () => void;
  readonly children: ComponentChildren;
}) {
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [isBusy, setIsBusy] = useState(false);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy) return;
    setIsBusy(true);
    setProblem(undefined);
    onSave()
      .catch((error: unknown) => setProblem(writeErrorText(error)))
      .finally(() => {
        setIsBusy(false);
        onEnd?.();
      });
  };
  return (
    <form onSubmit={submit}>
      <fieldset class="plain" disabled={isDisabled}>
        <legend class="visually-hidden">{title}</legend>
        {children}
        <p role="alert" class="problem">
          {problem}
        </p>
        {isDisabled ? null : (
          <button type="submit" class="primary" aria-disabled={isBusy}>
            {action}
          </button>
        )}
      </fieldset>
    </form>
  );
}
