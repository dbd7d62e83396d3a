// A socket at /ui/live: what happens, as it happens. The page opens channels (protocol/console/live.ts); what it sends that is no
// request of these ends the socket.
import type { Logger } from "../../../observability/log.ts";
import type { GroupPlace, GroupsQuery } from "../../../protocol/console/groups.ts";
import {
  type LiveReply,
  type LiveRequest,
  liveLimits,
  type ScanArgs,
  type TailArgs,
} from "../../../protocol/console/live.ts";
import { signedOutCloseCode } from "../../../protocol/console/session.ts";
import { IggyError, toIggyError } from "../../../protocol/errors.ts";
import {
  Changes,
  type Channel,
  createHttpSession,
  type GroupLags,
  holds,
  isServerFault,
  LogChannel,
  lagOf,
  type MetadataEvent,
  Metrics,
  Repeating,
  requireLogin,
  requireVisibleGroup,
  Scan,
  type ScanSlots,
  type ServerContext,
  type Session,
  Tail,
} from "../../../server/index.ts";
import { readRequest } from "./live-requests.ts";
import type { SignIns } from "./sign-ins.ts";
import type { ConsoleSocket, SocketHandler, SocketOpener } from "./socket-handler.ts";

export interface LiveSocketOptions {
  readonly context: ServerContext;
  readonly signIns: SignIns;
  readonly groupLags: GroupLags;
  readonly scanSlots: ScanSlots;
  readonly log: Logger;
  readonly onClosed: (socket: LiveSocket) => void;
}

/** RFC 6455: what came is not what is spoken here. */
const closePolicy = 1008;
const requestBytesMax = 64 * 1024;
/** A socket with more unsent is not written to. */
const unsentBytesMax = 1024 * 1024;
const idBytes = 4;
const lagEveryMs = 2000;
const groupsEveryMs = 5000;

export class LiveSocket implements SocketHandler {
  readonly #options: LiveSocketOptions;
  readonly #opener: SocketOpener;
  readonly #session: Session;
  readonly #channels = new Map<number, Channel>();
  #socket: ConsoleSocket | undefined;
  #forget = (): void => undefined;
  #stopListening = (): void => undefined;

  constructor(options: LiveSocketOptions, opener: SocketOpener) {
    this.#options = options;
    this.#opener = opener;
    this.#session = createHttpSession(opener.address, opener.caller.session.user);
  }

  /** The other end, `ip:port`. */
  get address(): string {
    return this.#opener.address;
  }

  open(socket: ConsoleSocket): void {
    this.#socket = socket;
    const { context, signIns } = this.#options;
    this.#forget = signIns.add(this.#opener.caller, () => this.#signOut());
    this.#stopListening = context.sessions.listen((event) => this.#follow(event));
    if (!this.#isSignedIn()) this.#signOut(); // gone since the handshake
  }

  message(message: string | Uint8Array): void {
    const request = typeof message === "string" && message.length <= requestBytesMax ? readRequest(message) : undefined;
    if (request === undefined) {
      this.#socket?.close(closePolicy, "no request");
      return;
    }
    const { id } = request;
    if (request.op === "open") this.#openChannel(request);
    else if (request.op === "credit") this.#channels.get(id)?.credit(request.n);
    else this.#closeChannel(id);
  }

  drained(): void {
    for (const channel of this.#channels.values()) channel.drained();
  }

  closed(): void {
    this.#forget();
    this.#stopListening();
    for (const id of [...this.#channels.keys()]) this.#closeChannel(id);
    this.#socket = undefined;
    this.#options.onClosed(this);
  }

  /** The server stops. */
  disconnect(): void {
    this.#socket?.close();
  }

  terminate(): void {
    this.#socket?.terminate();
  }

  #openChannel(request: Extract<LiveRequest, { op: "open" }>): void {
    const { id } = request;
    try {
      if (this.#channels.has(id) || this.#channels.size >= liveLimits.channels) throw new IggyError("InvalidCommand");
      this.#channels.set(id, this.#makeChannel(request));
      if (request.channel === "tail") this.#channels.get(id)?.credit(request.credit);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #makeChannel(request: Extract<LiveRequest, { op: "open" }>): Channel {
    const { id } = request;
    const { context } = this.#options;
    switch (request.channel) {
      case "changes":
        return new Changes(context.shard, this.#session, (change) => this.#send({ id, type: "data", ...change }));
      case "metrics":
        return new Metrics(context, this.#session, (at, values) => this.#send({ id, type: "metrics", at, values }));
      case "lag":
        return this.#openLag(id, request.args);
      case "groups":
        return this.#openGroups(id, request.args);
      case "log":
        return new LogChannel(context, this.#session, request.args, this.#reader(id, "log"));
      case "scan":
        return this.#openScan(id, request.args);
      default:
        return this.#openTail(id, request.args);
    }
  }

  #openLag(id: number, args: GroupPlace): Channel {
    const { context } = this.#options;
    const check = () => void requireVisibleGroup(context, this.#session, args);
    const read = () => lagOf(context, this.#session, args);
    return new Repeating({ everyMs: lagEveryMs, check, read }, this.#reader(id, "lag"));
  }

  #openGroups(id: number, args: GroupsQuery): Channel {
    const check = () => requireLogin(this.#session);
    const read = () => this.#options.groupLags.list(this.#session, args);
    return new Repeating({ everyMs: groupsEveryMs, check, read }, this.#reader(id, "groups"));
  }

  #reader(id: number, type: "lag" | "groups" | "log") {
    const socket = this;
    return {
      get takesMore() {
        return socket.#takesMore;
      },
      show: (value: unknown) => socket.#send({ id, type, value } as LiveReply),
      failed: (error: unknown) => socket.#fail(id, error),
    };
  }

  get #takesMore(): boolean {
    return (this.#socket?.getBufferedAmount() ?? unsentBytesMax) < unsentBytesMax;
  }

  #openTail(id: number, args: TailArgs): Tail {
    const socket = this;
    return new Tail(this.#options.context.shard, this.#session, args, {
      get takesMore() {
        return socket.#takesMore;
      },
      batch: (payload) => this.#sendBatch(id, payload),
      skipped: (partition, from, to) => this.#send({ id, type: "skip", partition, from: String(from), to: String(to) }),
      purged: (partition) => this.#send({ id, type: "purged", partition }),
      failed: (error) => this.#fail(id, error),
    });
  }

  #openScan(id: number, args: ScanArgs): Scan {
    const { context, scanSlots } = this.#options;
    return new Scan(context.shard, this.#session, scanSlots, args, {
      found: (payload) => this.#sendBatch(id, payload),
      scanned: (scanned) => {
        this.#closeChannel(id);
        this.#send({ id, type: "scanned", ...scanned });
      },
      failed: (error) => this.#fail(id, error),
    });
  }

  #closeChannel(id: number): void {
    this.#channels.get(id)?.close();
    this.#channels.delete(id);
  }

  /** Rights may have changed: a channel that is not the user's any more ends. */
  #follow(event: MetadataEvent): void {
    if (!this.#isSignedIn()) {
      this.#signOut();
      return;
    }
    for (const [id, channel] of this.#channels) {
      try {
        channel.recheck();
        if (channel instanceof Changes) channel.follow(event);
      } catch (error) {
        this.#fail(id, error);
      }
    }
  }

  #fail(id: number, thrown: unknown): void {
    if (isServerFault(thrown)) this.#options.log.error("a channel of the console failed", { error: thrown });
    const { code, message } = toIggyError(thrown);
    this.#closeChannel(id);
    this.#send({ id, type: "end", error: { code, reason: message } });
  }

  #send(reply: LiveReply): void {
    this.#socket?.sendText(JSON.stringify(reply));
  }

  #sendBatch(id: number, payload: Uint8Array): void {
    const frame = new Uint8Array(idBytes + payload.byteLength);
    new DataView(frame.buffer).setUint32(0, id, true);
    frame.set(payload, idBytes);
    this.#socket?.sendBinary(frame);
  }

  #isSignedIn(): boolean {
    const { user } = this.#session;
    return user !== undefined && holds(this.#options.context.shard, user);
  }

  #signOut(): void {
    this.#socket?.close(signedOutCloseCode, "signed out");
  }
}
