// Who is signed in, how to leave, and what this browser keeps.
import { useState } from "preact/hooks";
import { root } from "../app/address-text.ts";
import { openAddress } from "../app/location.ts";
import { forget } from "../app/preferences.ts";
import { isReadOnly } from "../data/rights.ts";
import { forgetSchemas } from "../data/schemas.ts";
import { session, signOut } from "../data/session.ts";
import { ErrorNotice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { PasswordDialog } from "../parts/password-dialog.tsx";
import { words } from "../words/en.ts";
import { localTime } from "../words/numbers.ts";
import { users } from "../words/users.ts";
import { Tokens } from "./tokens.tsx";

const text = words.accountPage;

/** Whoever signs in next begins where everybody does, and not with the account of another. */
async function leave(): Promise<void> {
  await signOut();
  openAddress(root);
}

export function AccountPage() {
  const { value } = session;
  const [problem, setProblem] = useState<unknown>(undefined);
  const [isChanging, setIsChanging] = useState(false);
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
          <div class="buttons">
            <button type="button" onClick={() => leave().catch(setProblem)}>
              {words.signOut}
            </button>
            {isReadOnly() ? null : (
              <button type="button" onClick={() => setIsChanging(true)}>
                {users.passwordChange}
              </button>
            )}
          </div>
          <Tokens />
          {isChanging ? (
            <PasswordDialog
              user={{ id: value.session.user.id, username: value.session.user.name }}
              isOwn
              onClose={() => setIsChanging(false)}
            />
          ) : null}
        </>
      )}
      <h2>{text.browser}</h2>
      <p>{text.keeps}</p>
      <button
        type="button"
        onClick={() => {
          forget();
          forgetSchemas().catch(() => undefined); // a browser that keeps nothing has nothing to forget
          setIsForgotten(true);
        }}
      >
        {text.forget}
      </button>
      <p role="status">{isForgotten ? text.forgotten : ""}</p>
    </>
  );
}
