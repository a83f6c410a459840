import type { Publication } from "@tidewire/broker";

/** A publication that records of the next commit refer to. */
export interface StagedBody {
  readonly publication: Publication;
  /** True until it was committed once: the database does not have it. */
  readonly fresh: boolean;
  /** Staged references; those already in the database are not counted here. */
  references: number;
}

/**
 * Who refers to which publication, as far as it is staged. A publication gets its id with the first reference. One that
 * ends up with a single small record goes into that record, and one whose last reference is withdrawn before the
 * commit is never written.
 */
export class StagedBodies {
  readonly staged: Map<number, StagedBody> = new Map();
  readonly #inlineBytes: number;
  #nextId: number;

  constructor(nextId: number, inlineBytes: number) {
    this.#nextId = nextId;
    this.#inlineBytes = inlineBytes;
  }

  refer(publication: Publication): void {
    const id = publication.storedId;
    const body = id === undefined ? undefined : this.staged.get(id);
    if (body !== undefined) {
      body.references += 1;
      return;
    }
    const fresh = id === undefined;
    publication.storedId = id ?? this.#takeId();
    this.staged.set(publication.storedId, { publication, fresh, references: 1 });
  }

  #takeId(): number {
    const id = this.#nextId;
    this.#nextId += 1;
    return id;
  }

  /** Takes back a reference that is staged and not yet committed. */
  withdraw(publication: Publication): void {
    const id = publication.storedId!;
    const body = this.staged.get(id)!;
    body.references -= 1;
    if (body.references > 0) {
      return;
    }
    this.staged.delete(id);
    if (body.fresh) {
      body.publication.storedId = undefined;
    }
  }

  /** The id to write into a record that refers to a staged publication; undefined: it goes into the record. */
  recordId(publication: Publication): number | undefined {
    const body = this.staged.get(publication.storedId!)!;
    return this.isInline(body) ? undefined : publication.storedId;
  }

  isInline(body: StagedBody): boolean {
    const { payload, topic } = body.publication;
    return body.fresh && body.references === 1 && payload.length + topic.length <= this.#inlineBytes;
  }

  /** After a commit: what went into a record has no copy of its own to be referred to. */
  settle(): void {
    for (const body of this.staged.values()) {
      if (this.isInline(body)) {
        body.publication.storedId = undefined;
      }
    }
    this.staged.clear();
  }
}
