// Puts a text where it can be pasted from. A page of plain HTTP from another machine has no clipboard of its own; there the old
// way, by a selection, is the only one.

/** Whether it is there now. */
export async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard !== undefined) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not allowed, or the page is not in front: the other way is left.
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  return isCopied;
}

/** Hands bytes to the browser as a file. */
export function downloadBytes(name: string, type: string, parts: readonly (Uint8Array | string)[]): void {
  const url = URL.createObjectURL(new Blob(parts as BlobPart[], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the download has begun by then
}
