import xmlbuilder from 'xmlbuilder';
import { areas, requirementOf } from '../../schemas/catalogue.ts';
import type { RequirementId } from '../../schemas/requirement-id.ts';
import { printable, shorten, xmlText } from '../../target/printable.ts';
import type { CheckResult, RequirementResult, Result } from '../verdict.ts';

/** Characters of an attribute `message`, which CI systems show as one line. */
const MESSAGE_LIMIT = 300;
/** Characters of the content of an element, or of a warning. */
const TEXT_LIMIT = 10_000;

type Problem = { '@type'?: string; '@message': string; '#text': string };
type Case = { '@classname': string; '@name': string; '@time': string; failure?: Problem; error?: Problem; skipped?: Problem };
type Suite = { name: string; cases: Case[]; seconds: number; output: string[] };

/**
 * Returns a result as JUnit XML: a suite for each area, a case for each check of a requirement. A failed SHOULD fails its case only in a
 * strict run; in any other run it is a warning in the suite's system-out.
 *
 * Writes only what Jenkins, Azure Pipelines and GitLab all accept (`selftest/schemas`). They do not all accept the attributes `file` and
 * `line`, nor a system-out of a case. So file and line end the text of a failed or skipped case, which all three show, and the suite's
 * system-out lists them for every check.
 */
export function junit(result: Result, strict: boolean): string {
  const suites = areas
    .map((area) => suiteOf(area, result.requirements, strict))
    .filter(({ cases }) => cases.length > 0)
    .concat(verdictOf(result));
  const testsuite = suites.map(({ name, cases, seconds, output }, index) => ({
    '@name': name,
    // Ant's schema requires both. Jenkins would prefix the name with a package; the shards of a run have different hosts.
    '@package': '',
    '@hostname': 'localhost',
    '@id': index,
    // In UTC: Ant's schema allows neither a time zone nor fractions.
    '@timestamp': result.startedAt.slice(0, 19),
    '@tests': cases.length,
    '@failures': cases.filter(({ failure }) => failure).length,
    '@errors': cases.filter(({ error }) => error).length,
    '@skipped': cases.filter(({ skipped }) => skipped).length,
    '@time': seconds.toFixed(3),
    properties: '',
    testcase: cases,
    'system-out': output.join('\n'),
    'system-err': '',
  }));
  return xmlbuilder.create({ testsuites: { testsuite } }, { encoding: 'UTF-8' }).end({ pretty: true });
}

function suiteOf(area: string, requirements: RequirementResult[], strict: boolean): Suite {
  const suite: Suite = { name: area, cases: [], seconds: 0, output: [] };
  for (const { id, level, checks } of requirements.filter((row) => row.area === area)) {
    for (const check of checks) {
      const { title, file, line, outcome } = check;
      const broken = outcome === 'failed' || outcome === 'flaky';
      const warning = broken && level === 'SHOULD' && !strict;
      // The runner gives an attempt that did not end the duration -1.
      const seconds = check.seconds > 0 ? check.seconds : 0;
      suite.seconds += seconds;
      suite.output.push(clean(`${file}:${line} ${id} ${title}: ${outcome}`));
      if (warning) suite.output.push(shorten(clean(`warning: ${detailsOf(id, check)}`), TEXT_LIMIT));
      suite.cases.push({
        '@classname': clean(`${area}.${id}`),
        '@name': clean(`${id} ${title}`),
        '@time': seconds.toFixed(3),
        ...(broken && !warning && { failure: { '@type': outcome, ...problem(reasonOf(check), detailsOf(id, check)) } }),
        ...(!broken &&
          outcome !== 'passed' && { skipped: problem(`${outcome}: ${reasonOf(check)}`, `${outcome}: ${detailsOf(id, check)}`) }),
      });
    }
  }
  return suite;
}

/** Returns a suite with one error if a run has no verdict on its target, so that no CI system takes it for a success; else none. */
function verdictOf({ verdict, reason }: Result): Suite[] {
  if (verdict !== null && verdict !== 'inconclusive') return [];
  const error = { '@type': verdict ?? 'misconfigured or failed', ...problem(reason, reason) };
  return [{ name: 'run', cases: [{ '@classname': 'run', '@name': 'verdict', '@time': '0.000', error }], seconds: 0, output: [] }];
}

const reasonOf = ({ message, outcome }: CheckResult) => message?.trim() || outcome;

const detailsOf = (id: RequirementId, check: CheckResult) =>
  `${reasonOf(check)}\n\n${id}: ${requirementOf(id).statement}\n    at ${check.file}:${check.line}`;

function problem(headline: string, text: string): Problem {
  const [first = ''] = headline.split(/[\r\n]/, 1);
  return { '@message': shorten(clean(first), MESSAGE_LIMIT), '#text': shorten(clean(text), TEXT_LIMIT) };
}

/** Returns a text that XML can hold, that is no command of a CI log, and that makes neither Jenkins nor GitLab attach a file of the target's choice. */
function clean(text: string): string {
  return xmlText(printable(text)).replaceAll('[[ATTACHMENT|', '[[ATTACHMENT |');
}
