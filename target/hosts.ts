import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns';
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net';
import { promisify } from 'node:util';
import { getProxyForUrl } from 'proxy-from-env';
import { SettingsError } from './settings-error.ts';

/** What decides which host a run may test: the two settings of that name. */
export type HostSettings = { baseUrl?: string; allowHost?: string };

const SANDBOX = 'sandbox.trustly.one';
const VENDOR = /(^|\.)(trustly\.one|trustly\.com|paywithmybank\.com)$/;

const near = new BlockList();
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  near.addSubnet(network, prefix);
}
near.addAddress('0.0.0.0');
near.addAddress('::', 'ipv6');
near.addAddress('::1', 'ipv6');
near.addSubnet('fc00::', 7, 'ipv6');
near.addSubnet('fe80::', 10, 'ipv6');

/**
 * Returns the one spelling of a host: lower case, no dot at its end, an address as `new URL` writes it, without brackets and zone id, and
 * IPv4 if it is IPv4 mapped into IPv6.
 */
export function normalizeHost(hostname: string): string {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1').replace(/^(.*:.*)%.*$/, '$1');
  const text = isIPv6(bare) ? `[${bare}]` : bare.replace(/\.+$/, '');
  const parsed = URL.canParse(`http://${text}`) ? new URL(`http://${text}`).hostname : text.toLowerCase();
  const [, high, low] = /^\[::ffff:([\da-f]{1,4}):([\da-f]{1,4})\]$/.exec(parsed) ?? [];
  const host = high && low ? dotted(Number.parseInt(high, 16), Number.parseInt(low, 16)) : parsed.replace(/^\[(.*)\]$/, '$1');
  // IDNA may have brought a dot to the end, and without it a number may be an address.
  return host === hostname ? host : normalizeHost(host);
}

const dotted = (...words: number[]) => words.flatMap((word) => [word >> 8, word & 0xff]).join('.');

/** Whether an address is loopback, private, link-local, shared (100.64.0.0/10) or unspecified. A name is not. */
export function isNear(address: string): boolean {
  const host = normalizeHost(address);
  return isIP(host) !== 0 && near.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

/** Whether a host is the machine of the run: localhost, 127.0.0.0/8, ::1 or an unspecified address. */
export function isLoopback(hostname: string): boolean {
  const host = normalizeHost(hostname);
  return /^(.+\.)?localhost$/.test(host) || /^127\.\d+\.\d+\.\d+$/.test(host) || ['::1', '::', '0.0.0.0'].includes(host);
}

/** Returns the URL of the proxy that the environment names for a target; undefined without one, and always for loopback. */
export function proxyFor(baseUrl: string): string | undefined {
  return isLoopback(new URL(baseUrl).hostname) ? undefined : getProxyForUrl(baseUrl) || undefined;
}

/** Splits `host` or `host:port` into a normalized host and its port; undefined for anything else, such as a URL, a path or a list. */
export function parseHost(text: string): { name: string; port?: string } | undefined {
  if (isIPv6(text)) return { name: normalizeHost(text) };
  const [, host = '', port] = /^(\[[^[\]/?#@\\\s%]+\]|[^:[\]/?#@\\\s%]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (!URL.canParse(`http://${host}:${port ?? 80}`)) return undefined;
  const name = normalizeHost(host);
  if (isIP(name) === 0 && !/^[a-z\d_]([\w-]*[a-z\d_])?(\.[a-z\d_]([\w-]*[a-z\d_])?)*$/.test(name)) return undefined;
  return { name, ...(port && { port: String(Number(port)) }) };
}

/**
 * Whether the target may have a public address: it is the vendor's sandbox or the host that TRUSTLY_ALLOW_HOST names, and is reached over
 * https.
 */
export function isExempt({ baseUrl, allowHost }: HostSettings): boolean {
  return baseUrl?.startsWith('https:') === true && isNamed(new URL(baseUrl), allowHost);
}

function isNamed({ hostname, port, protocol }: URL, allowHost: string | undefined): boolean {
  const host = normalizeHost(hostname);
  const allowed = allowHost === undefined ? undefined : parseHost(allowHost);
  const usual = protocol === 'https:' ? '443' : '80';
  return host === SANDBOX || (allowed?.name === host && (allowed.port === undefined || allowed.port === (port || usual)));
}

/** Returns every address of a name. */
export type Resolve = (name: string) => Promise<string[]>;

const resolveName: Resolve = async (name) => (await promisify(lookup)(name, { all: true })).map(({ address }) => address);

/**
 * Asserts that a run may test its target: loopback, a private address, the vendor's sandbox, or the one host that TRUSTLY_ALLOW_HOST names;
 * the last two over https alone, because HTTP Basic sends the key in clear text. A name is judged by what it resolves to. One that does
 * not resolve is left to the first request, where `guardedLookup` judges it. Throws SettingsError.
 */
export async function assertHostAllowed(settings: HostSettings, resolve: Resolve = resolveName): Promise<void> {
  const { baseUrl } = settings;
  if (baseUrl === undefined) return;
  const url = new URL(baseUrl);
  const host = normalizeHost(url.hostname);
  const secure = url.protocol === 'https:';
  const clearText = `TRUSTLY_BASE_URL would send the key to ${host} in clear text; write https`;
  if (!secure && VENDOR.test(host)) throw new SettingsError(clearText);
  const proxy = proxyFor(baseUrl);
  assertProxy(proxy);
  if (isExempt(settings)) return;
  const remedy = `set TRUSTLY_ALLOW_HOST=${host} if you really mean it: a run leaves customers that nobody can delete`;
  if (VENDOR.test(host)) throw new SettingsError(`TRUSTLY_BASE_URL names a production host, ${host}; ${remedy}`);
  if (isLoopback(host)) return;
  const literal = isIP(host) !== 0;
  if (!literal && proxy !== undefined) {
    // The local resolver does not say where the proxy connects to.
    const direct = `add ${host} to NO_PROXY if its address is private`;
    if (!secure) throw new SettingsError(`${clearText}, or ${direct}`);
    throw new SettingsError(`TRUSTLY_BASE_URL names ${host}, whose address only the proxy knows; ${direct}, or ${remedy}`);
  }
  const addresses = literal ? [host] : await resolve(host).catch((): string[] => []);
  if (addresses.every(isNear)) return;
  throw new SettingsError(secure ? `TRUSTLY_BASE_URL names a public host, ${host}; ${remedy}` : clearText);
}

/** Asserts that a proxy is one that the client can use. The message does not repeat it: it may hold a password. */
function assertProxy(proxy: string | undefined): void {
  if (proxy === undefined || (/^https?:\/\//i.test(proxy) && URL.canParse(proxy))) return;
  throw new SettingsError(
    'HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is not an http or https URL; write it like http://proxy.example.com:8080, or unset it',
  );
}

/** Looks up every address of a name, as `dns.lookup` does. */
export type LookupAll = (
  name: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Makes a `lookup` for `net.connect` that fails with the code EHOSTNOTALLOWED if an address is public, unless `allowAny`: a name may
 * resolve differently the second time. Node does not call it for a literal address, which `assertHostAllowed` has judged, and it is not
 * for a connection to a proxy.
 */
export function guardedLookup(allowAny: boolean, lookupAll: LookupAll = lookup): LookupFunction {
  return (hostname, options, callback) => {
    lookupAll(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, []);
      const [first] = found;
      if (!first || !(allowAny || found.every(({ address }) => isNear(address)))) {
        const refusal = new Error(`${hostname} resolves to a public address, which TRUSTLY_ALLOW_HOST does not allow`);
        return callback(Object.assign(refusal, { code: 'EHOSTNOTALLOWED' }), []);
      }
      return options.all ? callback(null, found) : callback(null, first.address, first.family);
    });
  };
}
