import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { claimFolder, ownsFolder } from '../target/folder.ts';

const OLD = new Date(Date.now() - 60_000);
const startOf = (pid = 0) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
const isStopped = (pid = 0) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('T');

/** A folder with the lock of a run, and when that was renewed last. */
function folderWith(lock: object, renewed = new Date()): string {
  const out = mkdtempSync(join(tmpdir(), 'folder-'));
  const path = join(out, '.conformance.lock');
  writeFileSync(path, JSON.stringify({ run: 'another', host: hostname(), ...lock }));
  utimesSync(path, renewed, renewed);
  return out;
}

test.describe('a folder with a lock', () => {
  test.skip(process.platform !== 'linux', 'only Linux tells when a process began');

  let suspended: ChildProcess;
  test.beforeAll(async () => {
    suspended = spawn('sleep', ['100']);
    suspended.kill('SIGSTOP');
    await expect.poll(() => isStopped(suspended.pid)).toBe(true);
  });
  test.afterAll(() => {
    suspended.kill('SIGKILL');
  });

  test('is in use by a run that is suspended', () => {
    const { pid } = suspended;
    const out = folderWith({ pid, start: startOf(pid) }, OLD);
    expect(() => claimFolder(out, 'mine')).toThrow(/ is in use by another run \(process \d+ on \S+\)/);
    expect(ownsFolder(out, 'another')).toBe(true);
  });

  test('is in use by a run on another machine that renewed it', () => {
    expect(() => claimFolder(folderWith({ pid: 1, host: 'elsewhere', start: '1' }), 'mine')).toThrow(/process 1 on elsewhere/);
  });

  const dead = spawnSync('true').pid;
  for (const [what, lock, renewed] of [
    ['a run that ended', { pid: dead, start: '1' }, undefined],
    ['a run whose process is another one now', { pid: process.ppid, start: '1' }, undefined],
    ['a run on another machine that did not renew it', { pid: process.ppid, host: 'elsewhere', start: '1' }, OLD],
  ] as const) {
    test(`is taken from ${what}`, () => {
      const out = folderWith(lock, renewed);
      claimFolder(out, 'mine');
      expect(ownsFolder(out, 'mine')).toBe(true);
    });
  }
});
