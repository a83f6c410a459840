export const MAIN: string;
export function bundle(): Promise<void>;
