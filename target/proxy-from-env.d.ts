declare module 'proxy-from-env' {
  /** Returns the URL of the proxy for a URL, by the environment variables `*_PROXY` and `NO_PROXY`; empty if there is none. */
  export function getProxyForUrl(url: string): string;
}
