// Who is signed in, how to leave, and what this browser keeps.
import { useState } from "preact/hooks";
import { root } from "../app/address-text.ts";
import { openAddress } from "../app/location.ts";
import { forget } from "../app/preferences.ts";
import { session, signOut } from "../data/session.ts";
import { ErrorNotice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { words } from "../words/en.ts";
import { localTime } from "../words/numbers.ts";

const text = words.accountPage;

/** Whoever signs in next begins where everybody does, and not with the account of another. */
async function leave(): Promise<void> {
  await signOut();
  openAddress(root);
}

export function AccountPage() {
  const { value } = session;
  const [problem, setProblem] = useState<unknown>(undefined);
  const [isForgotten, setIsForgotten] = useState(false);
  return (
    <>
      <PageHead title={text.title} />
      {problem === undefined ? null : <ErrorNotice error={problem} />}
      {value.kind !== "signedIn" ? null : (
        <>
          <dl>
            <dt>{text.user}</dt>
            <dd>
              {value.session.user.name}
              {value.session.readOnly ? ` (${words.readOnly})` : ""}
            </dd>
            <dt>{text.until}</dt>
            <dd>{localTime(BigInt(value.session.expiresAt)).slice(0, 16)}</dd>
            <dt>{text.version}</dt>
            <dd>
              {words.product} {value.session.broker.version}
            </dd>
          </dl>
          <button type="button" onClick={() => leave().catch(setProblem)}>
            {words.signOut}
          </button>
        </>
      )}
      <h2>{text.browser}</h2>
      <p>{text.keeps}</p>
      <button
        type="button"
        onClick={() => {
          forget();
          setIsForgotten(true);
        }}
      >
        {text.forget}
      </button>
      <p role="status">{isForgotten ? text.forgotten : ""}</p>
    </>
  );
}
