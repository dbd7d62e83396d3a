import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskError } from "../../src/platform/disk.ts";
import { realDisk } from "../../src/platform/real-disk.ts";

const directory = mkdtempSync(join(tmpdir(), "real-disk-"));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
function newPath(): string {
  return join(directory, `file-${files++}`);
}

function diskErrorOf(work: () => unknown): Partial<DiskError> {
  try {
    work();
  } catch (error) {
    if (error instanceof DiskError) return { operation: error.operation, path: error.path, errorCode: error.errorCode };
    throw error;
  }
  return {};
}

describe("files", () => {
  test("views are written one after the other at the position, whatever their number and size", () => {
    const path = newPath();
    const file = realDisk.open(path, "create");
    const views = Array.from({ length: 2500 }, (_, index) => new Uint8Array(index % 7).fill(index % 251));
    file.write(views, 3);
    file.write([Uint8Array.of(9, 9, 9)], 0);
    file.write([], 1);
    file.write([new Uint8Array(0), new Uint8Array(0)], 1);
    file.close();
    expect(new Uint8Array(readFileSync(path))).toEqual(
      new Uint8Array(Buffer.concat([Uint8Array.of(9, 9, 9), ...views])),
    );
  });

  test("a read says how many bytes were there, at once or later", async () => {
    const file = realDisk.open(newPath(), "create");
    file.write([Uint8Array.of(1, 2, 3, 4, 5)], 0);
    const target = new Uint8Array(4);
    expect(file.read(target, 1)).toBe(4);
    expect([...target]).toEqual([2, 3, 4, 5]);
    expect(file.read(target, 3)).toBe(2);
    expect(file.read(target, 5)).toBe(0);
    expect(file.read(new Uint8Array(0), 0)).toBe(0);
    const later = new Uint8Array(4);
    expect(await file.readAsync(later, 0)).toBe(4);
    expect([...later]).toEqual([1, 2, 3, 4]);
    expect(await file.readAsync(later, 4)).toBe(1);
    expect(await file.readAsync(later, 50)).toBe(0);
    file.close();
  });

  test("a read fills only its view", () => {
    const file = realDisk.open(newPath(), "create");
    file.write([Uint8Array.of(1, 2, 3)], 0);
    const buffer = new Uint8Array(6);
    expect(file.read(buffer.subarray(2, 4), 0)).toBe(2);
    expect([...buffer]).toEqual([0, 0, 1, 2, 0, 0]);
    file.close();
  });

  test("truncate cuts and extends; positions beyond 4 GiB work", () => {
    const file = realDisk.open(newPath(), "create");
    file.write([Uint8Array.of(1, 2, 3)], 0);
    file.truncate(2);
    expect(file.sizeBytes()).toBe(2);
    file.truncate(4);
    const target = new Uint8Array(4);
    file.read(target, 0);
    expect([...target]).toEqual([1, 2, 0, 0]);
    const far = 2 ** 32 + 5;
    file.write([Uint8Array.of(7), Uint8Array.of(8)], far);
    expect(file.sizeBytes()).toBe(far + 2);
    expect(file.read(target, far)).toBe(2);
    expect([...target.subarray(0, 2)]).toEqual([7, 8]);
    file.close();
  });

  test("sync resolves, and a file is for the broker's user only", async () => {
    const path = newPath();
    const file = realDisk.open(path, "create");
    file.write([Uint8Array.of(1)], 0);
    await file.sync();
    file.syncNow();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(file.fd).toBeGreaterThan(2);
    file.close();
  });

  test("after close every call fails and a second close does nothing", async () => {
    const path = newPath();
    const file = realDisk.open(path, "create");
    file.close();
    const other = openSync(newPath(), "w"); // takes over the number of the descriptor
    file.close();
    const closed = { path, errorCode: "EBADF" };
    expect(diskErrorOf(() => file.write([Uint8Array.of(1)], 0))).toEqual({ operation: "write", ...closed });
    expect(diskErrorOf(() => file.read(new Uint8Array(1), 0))).toEqual({ operation: "read", ...closed });
    expect(diskErrorOf(() => file.truncate(0))).toEqual({ operation: "truncate", ...closed });
    expect(diskErrorOf(() => file.sizeBytes())).toEqual({ operation: "size", ...closed });
    expect(diskErrorOf(() => file.syncNow())).toEqual({ operation: "sync", ...closed });
    await expect(file.sync()).rejects.toMatchObject({ operation: "sync", ...closed });
    await expect(file.readAsync(new Uint8Array(1), 0)).rejects.toMatchObject({ operation: "read", ...closed });
    closeSync(other);
  });

  test("a close waits for reads and syncs that are under way", async () => {
    const file = realDisk.open(newPath(), "create");
    file.write([new Uint8Array(1_000_000).fill(5)], 0);
    const target = new Uint8Array(1_000_000);
    const read = file.readAsync(target, 0);
    const sync = file.sync();
    file.close();
    expect(await read).toBe(1_000_000);
    await sync;
    expect(target.every((byte) => byte === 5)).toBe(true);
  });

  test("a write that the system takes only in part goes on where it stopped, then says why", () => {
    const path = newPath();
    const script = `
      import { realDisk } from ${JSON.stringify(join(import.meta.dir, "../../src/platform/real-disk.ts"))};
      const file = realDisk.open(${JSON.stringify(path)}, "create");
      const views = [10, 2000, 0, 3000].map((size, index) => new Uint8Array(size).fill(index + 1));
      try { file.write(views, 0); } catch (error) { console.log(error.operation, error.errorCode); }`;
    // Files may have 4096 bytes: the second writev part ends inside, the rest is refused.
    const shell = `trap '' XFSZ; ulimit -f 4; exec "$0" -e "$1"`;
    const run = Bun.spawnSync(["bash", "-c", shell, process.execPath, script]);
    expect(run.stdout.toString().trim()).toBe("write EFBIG");
    const written = readFileSync(path);
    expect(written.byteLength).toBe(4096);
    expect([...new Set(written.subarray(0, 10)), written[10], written[2009], written[2010], written[4095]]).toEqual([
      1, 2, 2, 4, 4,
    ]);
  });

  test("failures carry operation, path and code", async () => {
    const missing = newPath();
    expect(diskErrorOf(() => realDisk.open(missing, "read"))).toEqual({
      operation: "open",
      path: missing,
      errorCode: "ENOENT",
    });
    expect(diskErrorOf(() => realDisk.open(missing, "readWrite"))).toMatchObject({ errorCode: "ENOENT" });
    const path = newPath();
    realDisk.open(path, "create").close();
    const readOnly = realDisk.open(path, "read");
    expect(diskErrorOf(() => readOnly.write([Uint8Array.of(1)], 0))).toMatchObject({ errorCode: "EBADF" });
    readOnly.close();
    const folder = realDisk.open(directory, "read");
    await expect(folder.readAsync(new Uint8Array(1), 0)).rejects.toMatchObject({
      operation: "read",
      errorCode: "EISDIR",
    });
    folder.close();
  });

  test.skipIf(!existsSync("/dev/full"))("a full disk is ENOSPC", () => {
    const file = realDisk.open("/dev/full", "readWrite");
    expect(diskErrorOf(() => file.write([Uint8Array.of(1)], 0))).toMatchObject({ errorCode: "ENOSPC" });
    expect(diskErrorOf(() => file.write([Uint8Array.of(1), Uint8Array.of(2)], 0))).toMatchObject({
      errorCode: "ENOSPC",
    });
    file.close();
  });
});

describe("directories", () => {
  test("are made with parents, listed in order, and removed with everything in them", async () => {
    const top = newPath();
    realDisk.makeDirectory(`${top}/a/b`);
    realDisk.makeDirectory(`${top}/a/b`);
    for (const name of ["z", "c", "10", "9"]) realDisk.open(`${top}/a/${name}`, "create").close();
    expect(realDisk.list(`${top}/a`)).toEqual(["10", "9", "b", "c", "z"]);
    expect(realDisk.list(`${top}/none`)).toEqual([]);
    realDisk.syncDirectory(`${top}/a`);
    await realDisk.removeTree(top);
    expect(realDisk.exists(top)).toBe(false);
    await realDisk.removeTree(top);
  });

  test("rename replaces a file, remove takes a missing one", () => {
    const [from, to] = [newPath(), newPath()];
    realDisk.open(to, "create").close();
    const file = realDisk.open(from, "create");
    file.write([Uint8Array.of(4)], 0);
    realDisk.rename(from, to);
    expect(realDisk.exists(from)).toBe(false);
    expect([...readFileSync(to)]).toEqual([4]);
    file.close();
    realDisk.remove(to);
    realDisk.remove(to);
    expect(realDisk.exists(to)).toBe(false);
  });

  test("failures are DiskErrors", () => {
    const missing = newPath();
    expect(diskErrorOf(() => realDisk.rename(missing, newPath()))).toMatchObject({
      operation: "rename",
      errorCode: "ENOENT",
    });
    // It is opened before it is synced: a directory that cannot be opened is no failed sync.
    expect(diskErrorOf(() => realDisk.syncDirectory(missing))).toMatchObject({
      operation: "open",
      errorCode: "ENOENT",
    });
    expect(diskErrorOf(() => realDisk.remove(directory)).errorCode).toMatch(/EISDIR|EPERM/);
    const file = newPath();
    realDisk.open(file, "create").close();
    expect(diskErrorOf(() => realDisk.makeDirectory(`${file}/below`))).toMatchObject({ errorCode: "ENOTDIR" });
    expect(diskErrorOf(() => realDisk.list(file))).toMatchObject({ operation: "list", errorCode: "ENOTDIR" });
  });
});
