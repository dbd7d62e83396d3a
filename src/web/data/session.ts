// Who is signed in, as the broker says it. The cookie is out of reach of this page: what it knows is what it is told.
import { batch, signal } from "@preact/signals";
import {
  type ConsoleHello,
  type ConsoleSession,
  type ConsoleSignIn,
  currentSession,
  signOut as deleteSession,
  hello as fetchHello,
  signIn as postSignIn,
  type SignedIn,
} from "../../client/console-client.ts";

export type SessionState =
  | { readonly kind: "unknown" }
  | { readonly kind: "signedIn"; readonly session: SignedIn }
  /** `wasOver`: somebody was signed in here, and is no longer. */
  | { readonly kind: "signedOut"; readonly wasOver: boolean };

export const session = signal<SessionState>({ kind: "unknown" });
export const hello = signal<ConsoleHello | undefined>(undefined);
/** The broker has another version of this page. */
export const isOutdated = signal(false);

const microsPerMilli = 1000;
const activities = ["pointerdown", "keydown"] as const;
let isRenewing = false;

/** Whether the user may see how the broker does: then the overview is the first page. */
export function mayReadServer(): boolean {
  const { value } = session;
  const rights = value.kind === "signedIn" ? value.session.permissions?.global : undefined;
  return rights?.readServers === true || rights?.manageServers === true;
}

/** Asks who is signed in; what went wrong is told by `connection` in broker.ts, which keeps trying. */
export async function refreshSession(): Promise<void> {
  take(await currentSession());
}

/** Asks what the broker is, and whether it is still the one that this page came from. */
export async function refreshHello(): Promise<void> {
  const next = await fetchHello();
  const known = hello.value?.assets;
  batch(() => {
    if (known !== undefined && known !== next.assets) isOutdated.value = true;
    else hello.value = next;
  });
}

/** Rejects with a ConsoleError. */
export async function signIn(how: ConsoleSignIn): Promise<void> {
  take(await postSignIn(how));
}

/** In every window. Rejects with a ConsoleError. */
export async function signOut(): Promise<void> {
  await deleteSession();
  session.value = { kind: "signedOut", wasOver: false };
}

/** Whoever does something stays signed in: a session is renewed when most of its time is over, and only then. */
export function renewWhileInUse(): void {
  for (const name of activities) document.addEventListener(name, renewIfLate, { passive: true });
}

function renewIfLate(): void {
  const { value } = session;
  if (value.kind !== "signedIn" || isRenewing) return;
  if (Date.now() * microsPerMilli < Number(value.session.renewFrom)) return;
  isRenewing = true;
  postSignIn({ renew: true })
    .then(take, () => refreshSession())
    .catch(() => undefined) // no answer: the next key or click tries again
    .finally(() => {
      isRenewing = false;
    });
}

function take(next: ConsoleSession): void {
  if (next.user !== null) {
    session.value = { kind: "signedIn", session: next };
    return;
  }
  const before = session.value;
  const wasOver = before.kind === "signedIn" || (before.kind === "signedOut" && before.wasOver);
  session.value = { kind: "signedOut", wasOver };
}
