import { IggyError } from "../../protocol/errors.ts";

/**
 * `Disconnected` (8) of a request whose reply did not come. `requestSent` is false if not one byte of the request left
 * this machine: then it was certainly not carried out and may be repeated. Otherwise nobody here can know, and for a
 * command that changes something the caller decides.
 */
export class ConnectionLostError extends IggyError {
  readonly requestSent: boolean;

  constructor(requestSent: boolean, options?: { cause?: unknown }) {
    super("Disconnected", [], options);
    this.name = "ConnectionLostError";
    this.requestSent = requestSent;
    this.message = requestSent
      ? "Disconnected: the connection was lost before the reply came; the request may have been carried out or not"
      : "Disconnected: the connection was lost before the request was sent";
  }
}
