import { bool, text } from "./fields.ts";

/** The certificate keys that every transport has. The same pair serves all of them by default. */
export const certificateFiles = {
  certFile: text({ default: "certs/iggy_cert.pem", doc: "Certificate chain, PEM." }),
  keyFile: text({ default: "certs/iggy_key.pem", doc: "Private key, PEM." }),
};

/** TLS of the TCP and WebSocket listeners. */
export const tlsKeys = {
  enabled: bool({ default: false, doc: "Accept TLS connections only." }),
  selfSigned: bool({
    default: true,
    doc: "Generate a certificate when the files keep their default names and are missing.",
  }),
  ...certificateFiles,
};
