// What stands in the place of a list or a page: that it is loading, empty or failed.
import type { ComponentChildren } from "preact";
import { errorText } from "../app/errors.ts";
import { type Loaded, reload } from "../data/loaded.ts";
import { session } from "../data/session.ts";
import { words } from "../words/en.ts";

export function Notice({ children }: { readonly children: ComponentChildren }) {
  return <div class="notice">{children}</div>;
}

export function ErrorNotice({ error }: { readonly error: unknown }) {
  return (
    <div class="notice bad" role="alert">
      <p>{errorText(error)}</p>
      <button type="button" onClick={reload}>
        {words.load.again}
      </button>
    </div>
  );
}

/** What was loaded, or why it is not there. An error behind something that was loaded stands above it. */
export function LoadedPart<T>({
  loaded: { value, error, isLoading },
  children,
}: {
  readonly loaded: Loaded<T>;
  readonly children: (value: T) => ComponentChildren;
}) {
  if (value === undefined && error === undefined) {
    if (session.value.kind === "signedOut") return null; // nothing is on its way
    return (
      <Notice>
        <p aria-busy={isLoading}>{words.load.loading}</p>
      </Notice>
    );
  }
  return (
    <>
      {error === undefined ? null : <ErrorNotice error={error} />}
      {value === undefined ? null : children(value)}
    </>
  );
}
