// Reply to a send (spec P9 8.3): where its messages are.
//
//   confirmations  u32 (1)
//   stream id, topic id, partition id  u32 each
//   base offset    u64, of the first message

const confirmationBytes = 24;

/** Body of the reply. `baseOffset` is a whole number below 2^53. */
export function encodeConfirmation(
  streamId: number,
  topicId: number,
  partitionId: number,
  baseOffset: number,
): Uint8Array {
  const body = new Uint8Array(confirmationBytes);
  const view = new DataView(body.buffer);
  view.setUint32(0, 1, true);
  view.setUint32(4, streamId, true);
  view.setUint32(8, topicId, true);
  view.setUint32(12, partitionId, true);
  view.setUint32(16, baseOffset >>> 0, true);
  view.setUint32(20, Math.floor(baseOffset / 2 ** 32), true);
  return body;
}
