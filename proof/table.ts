import { readFileSync, writeFileSync } from 'node:fs';
import { README, rows, shortTable } from './catches.ts';

const [START, END] = ['<!-- proof -->', '<!-- /proof -->'];

const text = readFileSync(README, 'utf8');
const [start, end] = [text.indexOf(START), text.indexOf(END)];
if (start < 0 || end < start) throw new Error(`README.md has no place for the table: ${START} and, below it, ${END}`);
writeFileSync(README, `${text.slice(0, start + START.length)}\n${shortTable(rows())}\n${text.slice(end)}`);
console.log('The table of the proof in README.md is that of the last run.');
