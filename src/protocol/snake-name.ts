// Names as HTTP bodies, metrics and spans write them.

/** `StreamIdNotFound` -> `stream_id_not_found` (spec BP 5), `sendMessages` -> `send_messages`. */
export function snakeNameOf(name: string): string {
  return name.replace(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}
