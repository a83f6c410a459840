import {
  createClientDecoder,
  createClientPacketWriter,
  createDecoder,
  createPacketWriter,
  type Decoder,
  type DecoderOptions,
  textCache,
} from "@tidewire/codec";
import type { LinkLoop, LinkLoopOptions } from "./link.ts";
import { Loop } from "./link-loop.ts";

/** A loop for links of either side. */
export function createLinkLoop(options: LinkLoopOptions): LinkLoop {
  return new Loop(options, { createDecoder, createPacketWriter });
}

/** A loop for links of clients alone: a bundle with it lacks what only servers need. */
export function createClientLinkLoop(options: LinkLoopOptions): LinkLoop {
  return new Loop(options, { createDecoder: createCachingDecoder, createPacketWriter: createClientPacketWriter });
}

function createCachingDecoder(options?: DecoderOptions): Decoder {
  return createClientDecoder({ textCache, ...options });
}
