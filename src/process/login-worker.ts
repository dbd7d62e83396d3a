// The thread of the login desk: it checks and hashes the passwords of the whole process, and nothing else. The main thread
// hands it a port for each shard.
declare const self: Worker;

import { native } from "../platform/ffi.ts";
import { hashPassword, PasswordMemory, verifyPassword } from "../security/password.ts";
import { LoginDesk } from "../server/logins/login-desk.ts";
import { serveLogins } from "../server/logins/logins.ts";

// Who reads it may have gone; what is written there is not worth the process.
process.stderr.on("error", () => {});

/** Linux: of the calling thread alone, as the number 0 says. */
const ofThread = 0;
/** Where processors are few, messages go before passwords, which still get their share. */
const lessUrgent = 5;
// Where it cannot be set it stays as it is: logins are as urgent as messages then.
native?.setpriority(ofThread, 0, lessUrgent);

/**
 * A hash takes 19 MB, which the runtime would keep for a while, at times beside those of the next one. A whole collection gives
 * them back at once; on this thread, with its small heap, it takes some 3 ms.
 */
function givingBack<T>(work: () => T): T {
  try {
    return work();
  } finally {
    Bun.gc(true);
  }
}

const desk = new LoginDesk({
  nowMs: () => performance.now(),
  verify: (password, passwordHash) => givingBack(() => verifyPassword(password, passwordHash)),
  hash: (password) => givingBack(() => hashPassword(password)),
  memory: new PasswordMemory(),
  schedule: (call, delayMs) => {
    // What shards have sent by then is taken in first.
    if (delayMs < 1) setImmediate(call);
    else setTimeout(call, delayMs);
  },
});

self.onmessage = ({ data: ports }: MessageEvent<readonly MessagePort[]>) => {
  for (const port of ports) serveLogins(port, desk);
  self.postMessage("ready");
};
