import {
  type CloseInfo,
  type Connection,
  type ConnectionHandler,
  type ConnectionInfo,
  callbackError,
  guard,
  TransportError,
  warn,
} from "@tidewire/transport";
import { closeError } from "./close-info.ts";
import type { Limits } from "./limits.ts";
import { messagesOf } from "./messages.ts";

/**
 * A connection over the platform's WebSocket. Two things the platform cannot do are made up for here: it has no event
 * for "sent", so `bufferedAmount` is watched while above the high mark; and it cannot stop receiving, so what comes
 * while paused is held, up to a limit.
 */
export function platformConnection(socket: WebSocket, info: ConnectionInfo, limits: Limits): Connection {
  let handler: ConnectionHandler | undefined;
  /** Not delivered yet; the end comes last. */
  const held: (Uint8Array | CloseInfo)[] = [];
  let heldBytes = 0;
  let allowedBytes = limits.heldBytes;
  let paused = false;
  /** `close` or `abort` was called. */
  let closing = false;
  let end: CloseInfo | undefined;
  let drainTimer: ReturnType<typeof setTimeout> | undefined;
  let closeTimer: ReturnType<typeof setTimeout> | undefined;

  socket.onerror = null;
  socket.onclose = ({ code, wasClean }) => {
    const error = closeError(code);
    finish(wasClean && error === undefined, error);
  };
  socket.onmessage = ({ data }) => {
    if (closing) {
      return;
    }
    if (!(data instanceof ArrayBuffer)) {
      breakOff(new TransportError("text-frame", "The peer sent a text message."));
      return;
    }
    const chunk = new Uint8Array(data);
    if (handler !== undefined && !paused && held.length === 0) {
      hand(chunk);
      return;
    }
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes > allowedBytes) {
      breakOff(new TransportError("input-limit", "More was received while paused than may be held."));
    }
  };

  /** Hands on what is held. The end waits for what came before it, and for nothing else. */
  function deliver(): void {
    while (handler !== undefined && held.length > 0 && (!paused || held[0] === end)) {
      const next = held.shift()!;
      if (next instanceof Uint8Array) {
        heldBytes -= next.length;
        hand(next);
      } else {
        closing = true;
        guard(
          () => handler!.onClose(next),
          (cause) => warn("onClose", cause),
        );
      }
    }
  }

  function hand(chunk: Uint8Array): void {
    guard(
      () => handler!.onData(chunk),
      (cause) => abort(callbackError("onData", cause)),
    );
  }

  /** The peer did what it must not: the connection ends now, for a reason that is its own. */
  function breakOff(error: Error): void {
    socket.close();
    finish(false, error);
  }

  /** This side ends it: nothing more is delivered but the end. */
  function stop(code: number): void {
    closing = true;
    held.length = 0;
    clearTimeout(drainTimer);
    socket.close(code);
  }

  function abort(error?: Error): void {
    if (end !== undefined) {
      return;
    }
    // The platform cannot drop a connection at once: it closes in its own time, and we do not wait. The code, one of
    // those left to applications, tells the peer that this is no orderly end.
    stop(4000);
    finish(false, error);
  }

  function finish(clean: boolean, error: Error | undefined): void {
    if (end !== undefined) {
      return;
    }
    clearTimeout(closeTimer);
    clearTimeout(drainTimer);
    socket.onmessage = socket.onclose = null;
    end = { initiator: closing ? "local" : "remote", clean, ...(error && { error }) };
    held.push(end);
    queueMicrotask(deliver);
  }

  function watchDrain(): void {
    drainTimer ??= setTimeout(() => {
      drainTimer = undefined;
      if (handler === undefined || socket.bufferedAmount > limits.lowWaterMark) {
        watchDrain();
      } else {
        guard(
          () => handler!.onDrain(),
          (cause) => abort(callbackError("onDrain", cause)),
        );
      }
    }, limits.drainPollMs);
  }

  return {
    info,
    get bufferedAmount() {
      return end === undefined ? socket.bufferedAmount : 0;
    },
    get pendingInput() {
      return end === undefined ? heldBytes : 0;
    },
    start(given) {
      if (handler !== undefined) {
        throw new TransportError("misuse", "start() was called a second time: a connection has one handler.");
      }
      handler = given;
      queueMicrotask(deliver);
    },
    send(chunks) {
      // Between the peer's close frame and `onclose` the platform would drop the bytes too, with a word on the console.
      if (closing || socket.readyState !== socket.OPEN) {
        return false;
      }
      for (const message of messagesOf(chunks, limits.sentMessageBytes)) {
        socket.send(message as Uint8Array<ArrayBuffer>);
      }
      if (socket.bufferedAmount >= limits.highWaterMark) {
        watchDrain();
      }
      return drainTimer === undefined;
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      queueMicrotask(deliver);
    },
    allowInput(bytes) {
      allowedBytes = bytes;
    },
    close() {
      if (closing) {
        return;
      }
      stop(1000);
      closeTimer = setTimeout(
        () => finish(false, new TransportError("timeout", "The peer did not answer the closing handshake.")),
        limits.closeTimeoutMs,
      );
    },
    abort,
  };
}
