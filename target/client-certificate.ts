import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { SettingsError, shown } from './settings-error.ts';
import { readTextFile, TEXT_LIMIT, TextFileError } from './text-file.ts';

/** A client certificate: where its two files are, and their content in PEM. */
export type ClientCertificate = { certFile: string; keyFile: string; cert: string; key: string };

const [CERT, KEY] = ['TRUSTLY_CLIENT_CERT', 'TRUSTLY_CLIENT_KEY'] as const;

/** Reads the client certificate and its key; undefined if neither is set. Throws SettingsError if they cannot be used together. */
export function readClientCertificate(env: NodeJS.ProcessEnv, baseUrl: string | undefined): ClientCertificate | undefined {
  const { [CERT]: certFile, [KEY]: keyFile } = env;
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined) throw new SettingsError(`${CERT} is not set, but ${KEY} is; set both or neither`);
  if (keyFile === undefined) throw new SettingsError(`${KEY} is not set, but ${CERT} is; set both or neither`);
  if (!baseUrl?.startsWith('https:'))
    throw new SettingsError(`${CERT} requires a TRUSTLY_BASE_URL that begins with https; set one, or remove ${CERT}`);
  const [cert, key] = [read(CERT, certFile), read(KEY, keyFile)];
  const certificate = orFail(() => new X509Certificate(cert), `${CERT} ${shown(certFile)} is not a certificate in PEM; name one`);
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(key)) {
    throw new SettingsError(`${KEY} ${shown(keyFile)} is encrypted; decrypt it with openssl pkey -in FILE -out NEW and name the new file`);
  }
  const privateKey = orFail(() => createPrivateKey(key), `${KEY} ${shown(keyFile)} is not a private key in PEM; name one`);
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new SettingsError(`${KEY} ${shown(keyFile)} is not the key of the certificate in ${CERT}; name the files of one pair`);
  }
  orFail(
    () => createSecureContext({ cert, key }),
    `${CERT} ${shown(certFile)} is not accepted by TLS, for example because its key is too short; name another file`,
  );
  return { certFile, keyFile, cert, key };
}

function read(variable: string, file: string): string {
  try {
    return readTextFile(file, TEXT_LIMIT);
  } catch (error) {
    if (!(error instanceof TextFileError)) throw error;
    throw new SettingsError(`${variable} ${shown(file)} ${error.message}`);
  }
}

function orFail<Value>(make: () => Value, message: string): Value {
  try {
    return make();
  } catch {
    // OpenSSL's own message names no file.
    throw new SettingsError(message);
  }
}
