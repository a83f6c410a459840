export function fuzzProtocols(options: {
  seed: number;
  rounds: number;
  corpus: readonly { readonly version: 3 | 4 | 5; readonly bytes: Uint8Array }[];
}): { packets: number; connects: number; ends: Record<string, number> };
