/** How many requests and customers one check makes at most. A run adds them up before it starts. */
export type Budget = { requests: number; customers: number };
