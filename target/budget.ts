/** The maximum numbers of requests and customers of one check. A run adds them up before it starts. */
export type Budget = { requests: number; customers: number };
