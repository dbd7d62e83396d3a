// Payloads as people see them.

const strictText = new TextDecoder("utf-8", { fatal: true });

export const payloadForms = ["text", "hex", "base64", "none"] as const;
/** "text": UTF-8 as it is, anything else in hexadecimal digits. */
export type PayloadForm = (typeof payloadForms)[number];

/** The payload in a form; control characters are left to who writes it. */
export function payloadText(payload: Uint8Array, form: PayloadForm): string {
  switch (form) {
    case "none":
      return "";
    case "base64":
      return Buffer.from(payload).toString("base64");
    case "hex":
      return Buffer.from(payload).toString("hex");
    case "text":
      try {
        return strictText.decode(payload);
      } catch {
        return Buffer.from(payload).toString("hex"); // not UTF-8, which is all that a strict decoder can say
      }
  }
}
