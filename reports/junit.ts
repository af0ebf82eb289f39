import { createRequire } from 'node:module';
import type { Builder } from 'junit-report-builder';
import { areas, requirementOf } from '../schemas/catalogue.ts';
import type { Result } from './result.ts';

// The package's types promise a default export that Node does not find in it.
const builder: Builder = createRequire(import.meta.url)('junit-report-builder');

/**
 * A result as JUnit XML: a suite for each area, a case for each check of a requirement. A failed SHOULD fails its case only where the
 * run is strict, as it does the run.
 */
export function junit(result: Result, strict: boolean): string {
  const report = builder.newBuilder();
  for (const area of areas) {
    const rows = result.requirements.filter((row) => row.area === area);
    if (rows.length === 0) continue;
    const suite = report.testSuite().name(area).timestamp(new Date(result.startedAt));
    for (const { id, level, checks } of rows) {
      for (const { title, file, outcome, message } of checks) {
        const test = suite.testCase().className(`${area}.${id}`).name(`${id} ${title}`).file(file);
        const text = `${requirementOf(id).statement}\n${message ?? outcome}`;
        if (outcome === 'failed' || outcome === 'flaky') {
          if (level === 'MUST' || strict) test.failure(text, outcome);
          else test.standardOutput(`warning: ${text}`);
        } else if (outcome !== 'passed') {
          test.skipped();
          test.standardOutput(`${outcome}: ${message}`);
        }
      }
    }
  }
  if (result.verdict === null || result.verdict === 'inconclusive') {
    const test = report.testSuite().name('run').testCase().className('run').name('verdict');
    test.error(result.reason, result.verdict ?? 'set up wrongly or broken');
  }
  return report.build();
}
