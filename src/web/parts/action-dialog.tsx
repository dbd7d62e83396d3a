// A dialog that does one thing: its button says what. What cannot be taken back needs the name typed.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { writeErrorText } from "../app/errors.ts";
import { reload } from "../data/loaded.ts";
import { words } from "../words/en.ts";
import { manage } from "../words/manage.ts";

export function ActionDialog({
  title,
  action,
  isDanger = false,
  typedName,
  children,
  onSubmit,
  onClose,
}: {
  readonly title: string;
  /** What the button does. */
  readonly action: string;
  readonly isDanger?: boolean;
  /** Has to be typed first. */
  readonly typedName?: string;
  readonly children?: ComponentChildren;
  /** Rejects with what goes wrong: the dialog says it and stays. A resolved one ends it. */
  readonly onSubmit: (form: FormData) => Promise<void>;
  readonly onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const [typed, setTyped] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    // A dialog that is taken out of the page gives no focus back.
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const isReady = typedName === undefined || typed === typedName;

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy || !isReady || !(event.currentTarget instanceof HTMLFormElement)) return;
    setIsBusy(true);
    setProblem(undefined);
    onSubmit(new FormData(event.currentTarget)).then(
      () => {
        reload();
        onClose();
      },
      (error: unknown) => {
        setProblem(writeErrorText(error));
        setIsBusy(false);
        reload(); // it may have been done
      },
    );
  };

  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <form class="stacked" onSubmit={submit}>
        <h2 id={titleId}>{title}</h2>
        {children}
        {typedName === undefined ? null : (
          <label>
            <span>{manage.typeName(typedName)}</span>
            <input
              value={typed}
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              onInput={({ currentTarget }) => setTyped(currentTarget.value)}
            />
          </label>
        )}
        <p role="alert" class="problem">
          {problem}
        </p>
        <div class="buttons">
          <button type="submit" class={isDanger ? "danger" : "primary"} aria-disabled={isBusy || !isReady}>
            {action}
          </button>
          <button type="button" onClick={onClose}>
            {words.cancel}
          </button>
        </div>
      </form>
    </dialog>
  );
}
