// What a command knows of the outside: the server that it talks to, who logs in, who may be asked, and when it is to end.

import type { Client, ConnectOptions, Encryption, Instrumentation, Credentials as Login } from "../client/index.bun.ts";
import type { QuicRelay } from "../quic-relay/quic-relay.ts";
import { type Context, Contexts, homeOf, isOpenToOthers } from "./contexts.ts";
import { Credentials, sessionService, sessionTokenName, tokenService } from "./credentials.ts";
import type { GlobalOptions } from "./global-options.ts";
import type { Host } from "./host.ts";
import type { Output } from "./output/output.ts";
import { Problem } from "./problem.ts";
import { Questions } from "./questions.ts";
import { type Target, targetOf, type UrlLogin } from "./target.ts";
import { UsageError } from "./usage-error.ts";

/** Who is meant to log in. */
interface LoginPlan {
  /** Undefined for a token. */
  readonly username: string | undefined;
  /** Asks for a password if it has to. */
  credentials(): Promise<Login>;
  /** It is the token of `whippet login`. */
  readonly isSession: boolean;
}

export interface ConnectChoices {
  /** Log in as well; true if not given. */
  readonly logsIn?: boolean;
  /** The token of `whippet login` does not count. */
  readonly ignoresSession?: boolean;
  /** A lost connection comes back, and the caller ends by itself when the signal aborts. */
  readonly lasts?: boolean;
}

export class Session {
  readonly host: Host;
  readonly options: GlobalOptions;
  readonly contexts: Contexts;
  readonly credentials: Credentials;
  readonly questions: Questions;
  readonly #output: Output;
  #target: Promise<Target> | undefined;
  #knownTarget: Target | undefined;
  #username: string | undefined;
  #relay: QuicRelay | undefined;
  #context: Promise<Context> | undefined;

  constructor(host: Host, options: GlobalOptions, output: Output) {
    this.host = host;
    this.options = options;
    this.#output = output;
    this.contexts = new Contexts(homeOf(host));
    this.credentials = new Credentials(host);
    this.questions = new Questions(host);
  }

  /** Aborts when the user interrupts. */
  get signal(): AbortSignal {
    return this.host.signal;
  }

  /** Who was meant to log in at the last connection; undefined for a token. */
  get username(): string | undefined {
    return this.#username;
  }

  /** Name of the context in use: option, environment, file. */
  async contextName(): Promise<string> {
    return this.options.context ?? (this.host.environment.WHIPPET_CONTEXT || (await this.contexts.activeName()));
  }

  /** The server, once `target` has found it. */
  get knownTarget(): Target | undefined {
    return this.#knownTarget;
  }

  target(): Promise<Target> {
    this.#target ??= this.#findTarget();
    return this.#target;
  }

  async #findTarget(): Promise<Target> {
    this.#knownTarget = targetOf(this.options, this.host.environment.WHIPPET_URL, await this.#readContext());
    return this.#knownTarget;
  }

  #readContext(): Promise<Context> {
    this.#context ??= this.contextName().then((name) => this.contexts.get(name));
    return this.#context;
  }

  /** The encryption of payloads; undefined without a key. */
  async encryption(): Promise<Encryption | undefined> {
    const key = this.options.encryptionKey ?? (await this.#readContext()).encryption_key;
    if (key === undefined) return undefined;
    const { aes256Gcm, IggyError } = await import("../client/index.bun.ts");
    try {
      return await aes256Gcm(key);
    } catch (error) {
      if (!IggyError.is(error, "InvalidEncryptionKey")) throw error;
      throw new Problem("the encryption key is not 32 bytes in base64", { exitCode: 2 });
    }
  }

  /** Who would log in; undefined where nothing says so. */
  async loginPlan(ignoresSession = false): Promise<LoginPlan | undefined> {
    const { token, tokenName, username, password } = this.options;
    const target = await this.target();
    const context = await this.#readContext();
    if (token !== undefined) return tokenPlan(token);
    if (tokenName !== undefined) return this.#keptTokenPlan(target, tokenName);
    if (username !== undefined) return this.#userPlan(target, username, password);
    const { login, isOfContext } = target;
    const ofUrl = login === undefined ? undefined : this.#urlPlan(target, login, password);
    // Of the command or the environment: before everything else that is known. A name without a password waits for a login that is kept.
    const isWhole = login !== undefined && ("token" in login || (password ?? login.password) !== undefined);
    if (isWhole && !isOfContext) return ofUrl;
    const { IGGY_USERNAME, IGGY_PASSWORD } = this.host.environment;
    if (IGGY_USERNAME && IGGY_PASSWORD !== undefined) return this.#userPlan(target, IGGY_USERNAME, IGGY_PASSWORD);
    if (isWhole) return ofUrl;
    const kept = ignoresSession
      ? undefined
      : await this.credentials.get(sessionService(target.address), sessionTokenName);
    if (kept !== undefined) return { ...tokenPlan(kept), isSession: true };
    if (ofUrl !== undefined) return ofUrl;
    if (context.token !== undefined) return tokenPlan(context.token);
    if (context.token_name !== undefined) return this.#keptTokenPlan(target, context.token_name);
    if (context.username !== undefined) return this.#userPlan(target, context.username, password ?? context.password);
    return undefined;
  }

  #urlPlan(target: Target, login: UrlLogin, password: string | undefined): LoginPlan {
    if ("token" in login) return tokenPlan(login.token);
    return this.#userPlan(target, login.username, password ?? login.password);
  }

  async #keptTokenPlan({ address }: Target, name: string): Promise<LoginPlan> {
    const token = await this.credentials.get(tokenService(address), name);
    if (token === undefined) throw new Problem(`no token "${name}" is kept here for ${address}`, { exitCode: 4 });
    return tokenPlan(token);
  }

  #userPlan({ address }: Target, username: string, password: string | undefined): LoginPlan {
    return {
      username,
      isSession: false,
      credentials: async () => ({
        username,
        password: password ?? (await this.questions.password(`Password for ${username} at ${address}: `)),
      }),
    };
  }

  /** Opens a client. Problem with exit code 4 where nobody is named who could log in. */
  async connect({ logsIn = true, ignoresSession = false, lasts = false }: ConnectChoices = {}): Promise<Client> {
    const target = await this.target();
    const plan = logsIn ? await this.loginPlan(ignoresSession) : undefined;
    if (logsIn && plan === undefined) {
      // Where nobody answers, a login would not help.
      await (await this.connect({ logsIn: false })).close();
      throw noCredentials(target);
    }
    this.#username = plan?.username;
    await this.#warnOfOpenFile();
    const credentials = await plan?.credentials();
    const { connect, IggyError } = await import("../client/index.bun.ts");
    const timeoutMs = this.options.timeout === undefined ? undefined : Number(this.options.timeout / 1000n);
    const options: ConnectOptions = {
      ...(credentials === undefined ? {} : { credentials }),
      // The way to the relay of QUIC is clear; the relay checks the certificate.
      ...(target.transport === "quic" ? {} : await this.#tls()),
      ...(timeoutMs === undefined ? {} : { requestTimeoutMs: timeoutMs, connectTimeoutMs: timeoutMs }),
      ...(lasts ? {} : { reconnect: false, signal: this.signal }),
      ...(this.options.debug === undefined
        ? {}
        : { instrumentation: await this.#debugHooks(this.options.debug, target) }),
    };
    try {
      return await connect(target.transport === "quic" ? await this.#relayUrl(target) : target.url, options);
    } catch (error) {
      // Of a connection string that cannot be read; this one has no password in it.
      if (error instanceof TypeError && error.message.startsWith(`${target.url}: `))
        throw new UsageError(error.message);
      // The file or the key ring must not offer it again.
      const isRefused = IggyError.is(
        error,
        "Unauthenticated",
        "InvalidPersonalAccessToken",
        "PersonalAccessTokenExpired",
      );
      const isGone = isRefused || IggyError.is(error, "ResourceNotFound", "InvalidCredentials");
      if (!plan?.isSession || !isGone) throw error;
      await this.credentials.forget(sessionService(target.address), sessionTokenName);
      throw new Problem(`the login at ${target.address} has ended`, {
        exitCode: 4,
        hints: ["Log in again: whippet login"],
      });
    }
  }

  /** Ends what was started beside the clients. */
  async close(): Promise<void> {
    await this.#relay?.stop();
  }

  async #debugHooks(path: string, { url }: Target): Promise<Instrumentation> {
    const { debugHooks } = await import("./debug-file.ts");
    return debugHooks(path, url);
  }

  /** Through a process that speaks QUIC, which nothing in this one can; one for all clients of a command. */
  async #relayUrl({ address, quic }: Target): Promise<string> {
    const { ca } = (await this.#tls()).tls ?? {};
    if (this.options.insecure)
      throw new Problem("QUIC always checks the certificate: trust it with --ca cert.pem", { exitCode: 2 });
    const { startQuicRelay } = await import("../quic-relay/quic-relay.ts");
    const colon = address.lastIndexOf(":");
    this.#relay ??= await startQuicRelay({
      host: address.slice(0, colon).replace(/^\[|\]$/g, ""),
      port: Number(address.slice(colon + 1)),
      serverName: quic.serverName ?? "localhost",
      ...(ca === undefined ? {} : { ca }),
    }).catch((cause: unknown) => {
      throw new Problem(cause instanceof Error ? cause.message : String(cause), { cause });
    });
    return `iggy://127.0.0.1:${this.#relay.port}`;
  }

  async #tls(): Promise<Pick<ConnectOptions, "tls">> {
    const { ca, insecure } = this.options;
    if (ca.length === 0 && !insecure) return {};
    const { readFile } = await import("node:fs/promises");
    const certificates = await Promise.all(
      ca.map((path) =>
        readFile(path, "utf8").catch((cause: unknown) => {
          throw new Problem(`the file ${path} of --ca cannot be read`, { exitCode: 2, cause });
        }),
      ),
    );
    const wrong = certificates.findIndex((text) => !text.includes("-----BEGIN CERTIFICATE-----"));
    if (wrong >= 0) throw new Problem(`the file ${ca[wrong]} of --ca has no certificate in PEM`, { exitCode: 2 });
    return {
      tls: { ...(insecure ? { verify: false } : {}), ...(ca.length > 0 ? { ca: certificates.join("\n") } : {}) },
    };
  }

  async #warnOfOpenFile(): Promise<void> {
    const { path } = this.contexts;
    if (await isOpenToOthers(path)) await this.#output.warn(`${path} can be read by others: chmod 600 ${path}`);
  }
}

function tokenPlan(token: string): LoginPlan {
  return { username: undefined, isSession: false, credentials: async () => ({ token }) };
}

function noCredentials({ address }: Target): Problem {
  return new Problem(`nobody is named who could log in at ${address}`, {
    exitCode: 4,
    hints: [
      "Log in: whippet -u NAME login        Or with each command: -u NAME, --token TOKEN, IGGY_USERNAME and IGGY_PASSWORD",
    ],
  });
}
