/** Saves one after the other, so that a tick does not fill the disk's queue. All are tried; rejects with the first failure. */
export async function saveAll(partitions: Iterable<{ save(): Promise<void> }>): Promise<void> {
  let failure: { readonly thrown: unknown } | undefined;
  for (const partition of partitions) {
    try {
      await partition.save();
    } catch (thrown) {
      failure ??= { thrown };
    }
  }
  if (failure !== undefined) throw failure.thrown;
}
