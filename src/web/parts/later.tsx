// A page whose code is fetched when it is first opened, so that the first page waits for nothing that others need.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { words } from "../words/en.ts";
import { Notice } from "./notice.tsx";

/**
 * `load`: the module's import, which resolves with the page, for example `() => import("../pages/log.tsx").then((m) => m.LogPage)`. What
 * cannot be fetched is said with a way to try again: the next opening asks anew.
 */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let page: ComponentType<Props> | undefined;
  return function Later(props: Props) {
    const [, setTurn] = useState(0);
    const [hasFailed, setFailed] = useState(false);
    useEffect(() => {
      if (page !== undefined || hasFailed) return;
      let isCurrent = true;
      load().then(
        (found) => {
          page = found;
          if (isCurrent) setTurn((before) => before + 1);
        },
        () => {
          if (isCurrent) setFailed(true);
        },
      );
      return () => {
        isCurrent = false;
      };
    }, [hasFailed]);
    if (page !== undefined) {
      const Page = page;
      return <Page {...props} />;
    }
    if (!hasFailed) {
      return (
        <Notice>
          <p aria-busy="true">{words.load.loading}</p>
        </Notice>
      );
    }
    return (
      <div class="notice bad" role="alert">
        <p>{words.load.notFetched}</p>
        <button type="button" onClick={() => setFailed(false)}>
          {words.load.again}
        </button>
      </div>
    );
  };
}
