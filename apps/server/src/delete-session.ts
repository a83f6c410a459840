import { lmdbStore } from "@tidewire/store-lmdb";
import type { DeleteSessionOptions } from "./args.ts";
import { UsageError } from "./errors.ts";
import { storeFailure } from "./store.ts";

/** `tidewire delete-session DIR CLIENT_ID`: ends a session in a data directory that no broker uses. */
export async function deleteSession({ directory, clientId }: DeleteSessionOptions): Promise<void> {
  const store = lmdbStore({ directory });
  try {
    const { sessions } = await store.open();
    const session = [...sessions].find((kept) => kept.clientId === clientId);
    if (session === undefined) {
      throw new UsageError(`there is no session ${JSON.stringify(clientId)} in ${directory}`, "look at its spelling");
    }
    store.deleteSession(clientId);
    await store.commit();
    const { username, subscriptions, queuedCount } = session;
    const owner = username === undefined ? "" : ` of user ${JSON.stringify(username)}`;
    process.stdout.write(
      `deleted the session ${JSON.stringify(clientId)}${owner}: ` +
        `${subscriptions.length} subscriptions, ${queuedCount} messages that waited\n`,
    );
  } catch (error) {
    throw error instanceof UsageError ? error : storeFailure(directory, error);
  } finally {
    await store.close();
  }
}
