import { BatchHeaderLayout, batchChecksumFieldsBytes, MessageFrameLayout } from "../../protocol/v09/batch-layout.ts";

/**
 * The checksum of a batch record (spec P9 8.2) for the kernel in TypeScript: its input is gathered in an array of its
 * own, which grows to the largest record that it has seen.
 */
export class RecordChecksum {
  #input = new Uint8Array(batchChecksumFieldsBytes + 64 * 8);
  #inputView = new DataView(this.#input.buffer);
  #inputBytes = 0;

  /** Begins with the fields of the record at `record`; `count` messages follow. */
  begin(bytes: Uint8Array, record: number, count: number): void {
    const sizeBytes = batchChecksumFieldsBytes + count * 8;
    if (sizeBytes > this.#input.byteLength) {
      this.#input = new Uint8Array(sizeBytes);
      this.#inputView = new DataView(this.#input.buffer);
    }
    this.#input.set(bytes.subarray(record, record + BatchHeaderLayout.checksum));
    this.#inputView.setUint32(BatchHeaderLayout.checksum, count, true);
    this.#inputBytes = batchChecksumFieldsBytes;
  }

  /** The stored checksum of the next frame. */
  add(view: DataView, frame: number): void {
    this.#inputView.setUint32(this.#inputBytes, view.getUint32(frame + MessageFrameLayout.checksum, true), true);
    this.#inputView.setUint32(
      this.#inputBytes + 4,
      view.getUint32(frame + MessageFrameLayout.checksum + 4, true),
      true,
    );
    this.#inputBytes += 8;
  }

  /** XXH3 over the fields and the checksums. */
  end(): bigint {
    return Bun.hash.xxHash3(this.#input.subarray(0, this.#inputBytes));
  }
}
