/** Which side's packets are read. */
export type SenderSide = typeof EITHER_SIDE | typeof CLIENT_SIDE | typeof SERVER_SIDE;
export const EITHER_SIDE = 0;
export const CLIENT_SIDE = 1;
export const SERVER_SIDE = 2;
