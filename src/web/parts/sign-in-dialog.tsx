// The sign-in, over the page that somebody wanted to see: its address and what was written in it stay.
import { useEffect, useRef, useState } from "preact/hooks";
import { signInErrorText } from "../app/errors.ts";
import { hello, signIn } from "../data/session.ts";
import { words } from "../words/en.ts";

const text = words.signIn;

export function SignInDialog({ wasOver }: { readonly wasOver: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isToken, setIsToken] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy || !(event.currentTarget instanceof HTMLFormElement)) return;
    const form = new FormData(event.currentTarget);
    const field = (name: string) => String(form.get(name) ?? "");
    const readOnly = form.get("readOnly") !== null;
    const who = isToken
      ? { token: field("token"), readOnly }
      : { username: field("username"), password: field("password"), readOnly };
    setIsBusy(true);
    setProblem(undefined);
    signIn(who)
      .catch((error: unknown) => setProblem(signInErrorText(error, isToken)))
      .finally(() => setIsBusy(false));
  };

  const label = hello.value?.label ?? "";
  const isAlwaysReadOnly = hello.value?.readOnly === true;
  return (
    <dialog ref={dialog} class="sign-in" aria-labelledby="sign-in-title" onCancel={(event) => event.preventDefault()}>
      <form onSubmit={submit}>
        <h2 id="sign-in-title">{label === "" ? text.title : text.titleWith(label)}</h2>
        <p>{wasOver ? text.over : text.intro}</p>
        {isToken ? (
          <label>
            <span>{text.token}</span>
            <input name="token" type="password" autocomplete="current-password" required />
          </label>
        ) : (
          <>
            <label>
              <span>{text.username}</span>
              <input name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required />
            </label>
            <label>
              <span>{text.password}</span>
              <input name="password" type="password" autocomplete="current-password" required />
            </label>
          </>
        )}
        {isAlwaysReadOnly ? null : (
          <label class="tick">
            <input name="readOnly" type="checkbox" />
            <span>{text.readOnly}</span>
          </label>
        )}
        <p role="alert" class="problem">
          {problem}
        </p>
        <div class="buttons">
          <button type="submit" class="primary" aria-disabled={isBusy}>
            {text.submit}
          </button>
          <button type="button" class="link" onClick={() => setIsToken(!isToken)}>
            {isToken ? text.usePassword : text.useToken}
          </button>
        </div>
      </form>
    </dialog>
  );
}
