/** Microseconds since the Unix epoch, fine enough to subtract between processes of one machine. */
export function nowMicros(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}
