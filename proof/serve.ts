import { serve } from '../sandbox/serve.ts';
import { findServer } from './find.ts';
import { mountsOf } from './servers.ts';

const [name = '', ...args] = process.argv.slice(2);
const server = findServer(name);
if (typeof server === 'string') {
  console.error(server);
  process.exitCode = 3;
} else {
  await serve(args, `npm run serve -- ${name} --port 4010`, mountsOf([server]));
}
