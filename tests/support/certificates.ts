// Certificates as an operator has them: in files that change.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CertificatePair, loadOrCreateCertificate } from "../../src/security/certificates.ts";

/** A new pair, which is kept as cert.pem and key.pem in the empty `directory`. */
export function makePair(directory: string): Promise<CertificatePair> {
  return loadOrCreateCertificate(
    { files: undefined, selfSigned: true },
    { directory, nowMs: Date.now(), onMade: () => undefined },
  );
}

/** Two files whose pair can be changed. */
export class CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;

  constructor(directory: string) {
    this.certFile = join(directory, "cert.pem");
    this.keyFile = join(directory, "key.pem");
  }

  install({ certPem, keyPem }: CertificatePair): void {
    writeFileSync(this.certFile, certPem);
    writeFileSync(this.keyFile, keyPem);
  }

  /** The settings with which a transport shows what is in the files. */
  settingsOf(transport: "tcp" | "websocket" | "http"): Readonly<Record<string, string>> {
    const name = `IGGY_${transport.toUpperCase()}_TLS`;
    return {
      [`${name}_ENABLED`]: "true",
      [`${name}_CERT_FILE`]: this.certFile,
      [`${name}_KEY_FILE`]: this.keyFile,
      // HTTP has no such key.
      ...(transport === "http" ? {} : { [`${name}_SELF_SIGNED`]: "false" }),
    };
  }
}
