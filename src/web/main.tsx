// The console's page: who is signed in, then what the address says.
import { render } from "preact";
import { App } from "./app/app.tsx";
import { followFinderKey } from "./app/dialogs.ts";
import { followLinks } from "./app/location.ts";
import { followPreferences } from "./app/preferences.ts";
import { followKeys } from "./app/shortcuts.ts";
import { followSession } from "./data/broker.ts";
import { followLive } from "./data/live.ts";
import { refreshHello, refreshSession, renewWhileInUse } from "./data/session.ts";
import "./style/main.css";

/** Between tries to learn who is signed in, while the broker does not answer. */
const retryMs = 2000;

async function start(): Promise<void> {
  try {
    await Promise.all([refreshHello(), refreshSession()]);
  } catch {
    setTimeout(() => void start(), retryMs); // the page says that it is loading
  }
}

followPreferences();
followLinks();
followKeys();
followFinderKey();
followSession();
followLive();
renewWhileInUse();
const place = document.getElementById("app");
if (place !== null) render(<App />, place);
void start();
