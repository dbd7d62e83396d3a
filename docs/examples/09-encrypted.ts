// Encrypted for the broker, too: it stores bytes that only holders of a key can read, the Rust SDK with the same key among them.
import { aes256Gcm, connect, text } from "@whippet/client";

// Base64 of 32 bytes each. The first one encrypts, all are tried to decrypt: so keys can be changed.
const encryption = await aes256Gcm([process.env.NEW_KEY ?? "", process.env.OLD_KEY ?? ""]);
await using client = await connect(process.env.IGGY_URL ?? "iggy://iggy:iggy@localhost:8090");
const records = client.topic("health", "records", text, { encryption });
await records.ensure({ partitionsCount: 1 });
await records.send({ value: "all is well", headers: { "content-type": "text/plain", attempt: 2 } });
for await (const { value, headers } of records.reader({ follow: false })) {
  console.log(value, headers.get("content-type"), headers.get("attempt"));
}
