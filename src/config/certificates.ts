// Which certificate each transport shows (spec SB 9.1). HTTPS has no self_signed key; the broker's own pair serves it too
// where nobody named a file, as for TCP and WebSocket.
import type { Config } from "./schema/index.ts";
import { certificateFiles } from "./schema/tls.ts";

export type TlsTransport = "tcp" | "websocket" | "quic" | "http";

/** Where a transport's pair comes from: files, if they are given, else or without them the broker's own pair. */
export interface TransportCertificate {
  readonly files: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly selfSigned: boolean;
}

/** An entry for every transport that needs a certificate. */
export function certificatesNeeded(config: Config): Partial<Record<TlsTransport, TransportCertificate>> {
  const { tcp, websocket, quic, http } = config;
  const needed: Partial<Record<TlsTransport, TransportCertificate>> = {};
  if (tcp.enabled && tcp.tls.enabled) needed.tcp = choiceOf(tcp.tls, tcp.tls.selfSigned);
  if (websocket.enabled && websocket.tls.enabled) needed.websocket = choiceOf(websocket.tls, websocket.tls.selfSigned);
  if (http.enabled && http.tls.enabled) needed.http = choiceOf(http.tls, true);
  if (quic.enabled) {
    const { certificate } = quic;
    needed.quic = certificate.selfSigned ? { files: undefined, selfSigned: true } : choiceOf(certificate, false);
  }
  return needed;
}

function choiceOf(
  { certFile, keyFile }: { readonly certFile: string; readonly keyFile: string },
  selfSigned: boolean,
): TransportCertificate {
  // Files that somebody named must be there: another certificate than the one that was meant helps nobody.
  return { files: { certFile, keyFile }, selfSigned: selfSigned && !areNamedFiles({ certFile, keyFile }) };
}

/** Whether somebody has chosen other files than the defaults. */
export function areNamedFiles({ certFile, keyFile }: { readonly certFile: string; readonly keyFile: string }): boolean {
  return certFile !== certificateFiles.certFile.defaultValue || keyFile !== certificateFiles.keyFile.defaultValue;
}
