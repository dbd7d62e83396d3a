// The load of the kill tests: producers that pipeline batches over all partitions, and one client that makes and deletes
// topics meanwhile. Each runs until its connection breaks.
import { IggyClient, TcpConnection } from "../../src/client/index.ts";
import { seededRandom } from "../../src/platform/random.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { encodeSendMessages } from "../../src/protocol/message/send-messages.ts";
import { type PartitionLedger, payloadOf } from "./ledger.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export const streamName = "load";
const batchMessagesMax = 8;
const payloadBytesMax = 900;

/** A failure that is the crash itself. */
function isLostConnection(error: unknown): boolean {
  return (
    error instanceof IggyError &&
    (error.errorName === "Disconnected" || error.errorName === "CannotEstablishConnection")
  );
}

/** Sends until the connection breaks, with `window` requests under way; any other failure is thrown. */
export async function produce(
  { host, port }: Address,
  login: Uint8Array,
  producerId: number,
  ledgers: readonly PartitionLedger[],
  window: number,
  seed: number,
): Promise<number> {
  const random = seededRandom(seed);
  const below = (limit: number) => random.u32() % limit;
  const connection = await TcpConnection.connect({ host, port });
  let acknowledgedCount = 0;
  const sendOne = async (): Promise<void> => {
    const ledger = ledgers[below(ledgers.length)]!;
    const count = 1 + below(batchMessagesMax);
    const numbers = Array.from({ length: count }, () => ledger.take(producerId));
    const payload = encodeSendMessages({
      stream: { kind: "string", value: streamName },
      topic: { kind: "numeric", value: ledger.topicId },
      partitioning: { kind: "partition", partitionId: ledger.partitionId },
      messages: numbers.map((number) => ({ payload: payloadOf(producerId, number, below(payloadBytesMax)) })),
    });
    await connection.request(CommandCode.sendMessages, payload);
    ledger.acknowledge(producerId, numbers[0]!, count);
    acknowledgedCount += count;
  };
  // On a busy machine the crash may come before the login is answered.
  const loggedIn = connection.request(CommandCode.loginUser, login);
  const lane = async (): Promise<void> => {
    await loggedIn;
    for (;;) await sendOne();
  };
  const results = await Promise.allSettled(Array.from({ length: window }, lane));
  for (const result of results) {
    if (result.status === "rejected" && !isLostConnection(result.reason)) throw result.reason;
  }
  return acknowledgedCount;
}

/** Topics that come and go; each gets one message that names it. */
export class TopicLedger {
  readonly alive = new Set<string>();
  readonly deleted = new Set<string>();
  /** Topics whose creation or deletion was never answered: both outcomes are right. */
  readonly open = new Set<string>();
  /** Topics whose one message was acknowledged. */
  readonly sent = new Set<string>();

  async run({ host, port }: Address, round: number): Promise<void> {
    const client = await IggyClient.connect({ host, port, reconnect: false });
    try {
      await client.login("iggy", "iggy");
      for (let number = 0; ; number++) await this.#step(client, `round-${round}-${number}`, number % 3 === 2);
    } catch (error) {
      if (!isLostConnection(error)) throw error;
    } finally {
      client.close();
    }
  }

  async #step(client: IggyClient, name: string, isShortLived: boolean): Promise<void> {
    this.open.add(name);
    await client.createTopic(streamName, { name, partitionsCount: 2 });
    this.open.delete(name);
    this.alive.add(name);
    await client.sendMessages({
      stream: streamName,
      topic: name,
      partitioning: { kind: "partition", partitionId: 1 },
      messages: [{ payload: new TextEncoder().encode(name) }],
    });
    this.sent.add(name);
    if (isShortLived) {
      this.alive.delete(name);
      this.open.add(name);
      await client.deleteTopic(streamName, name);
      this.open.delete(name);
      this.deleted.add(name);
    }
    await Bun.sleep(10);
  }
}
