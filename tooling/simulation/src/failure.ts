/** An invariant that did not hold, in virtual time. */
export class Failure extends Error {
  override readonly name = "Failure";
}

export function fail(message: string): never {
  throw new Failure(message);
}
