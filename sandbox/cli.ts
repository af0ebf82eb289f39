import { serve } from './serve.ts';

await serve(process.argv.slice(2), 'npm run sandbox -- --port 4010');
