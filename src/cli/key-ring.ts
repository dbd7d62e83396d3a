// The system's key ring, where there is one: servers and containers have none.

import type { SecretStore } from "./host.ts";

/** A key ring that waits for somebody to unlock it is as good as none. */
const answerMs = 3_000;

/** `choice`: "file" leaves the key ring alone (WHIPPET_CREDENTIALS). */
export async function keyRing(choice: string | undefined): Promise<SecretStore | undefined> {
  if (choice === "file") return undefined;
  try {
    await inTime(Bun.secrets.get({ service: "whippet", name: "is-there" }));
  } catch {
    return undefined; // no library, no daemon, or nobody who answers
  }
  return {
    place: "the key ring",
    get: async (service, name) => (await inTime(Bun.secrets.get({ service, name }))) ?? undefined,
    set: (service, name, value) => inTime(Bun.secrets.set({ service, name, value })),
    async delete(service, name) {
      await inTime(Bun.secrets.delete({ service, name }));
    },
  };
}

function inTime<T>(promise: Promise<T>): Promise<T> {
  const late = Bun.sleep(answerMs).then(() => {
    throw new Error("the key ring does not answer");
  });
  return Promise.race([promise, late]);
}
